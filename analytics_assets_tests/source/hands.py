"""A clock that the test moves, and a reading whose pauses are over when that clock says so."""

import threading

from analytics_assets.source.ceiling import Clock
from analytics_assets.source.ending import Ending

PATIENCE_SECONDS = 60.0


class Hand(Ending):
    """A clock that stands still until it is moved, for threads that pause."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1_800_000_000.0
        self.paused = 0
        self._moved = threading.Condition()

    @property
    def clock(self) -> Clock:
        """The clock as the ceilings read it."""
        return Clock(lambda: self.now, lambda: self.now)

    def pause(self, seconds: float) -> None:
        """Wait until the clock has been moved so far."""
        with self._moved:
            until = self.now + seconds
            if seconds > 0:
                self.paused += 1
                self._moved.notify_all()
                assert self._moved.wait_for(lambda: self.now >= until or self.is_over, PATIENCE_SECONDS)
        super().pause(0)

    def move(self, seconds: float) -> None:
        """Move the clock; all count as not paused until they pause again."""
        with self._moved:
            self.now += seconds
            self.paused = 0
            self._moved.notify_all()

    def wait_for_paused(self, threads: int) -> None:
        """Wait until so many threads pause that have not been moved since."""
        with self._moved:
            assert self._moved.wait_for(lambda: self.paused == threads, PATIENCE_SECONDS), f"{self.paused} threads pause"


class FlyingHand(Ending):
    """A clock that every pause moves, so that nothing waits; the pauses are kept."""

    def __init__(self, waits: list[float] | None = None) -> None:
        super().__init__()
        self.now = 1_800_000_000.0
        self.waits = waits if waits is not None else []
        self._hand = threading.Lock()

    @property
    def clock(self) -> Clock:
        """The clock as the ceilings read it."""
        return Clock(lambda: self.now, lambda: self.now)

    def fly(self, seconds: float) -> None:
        """Move the clock by a pause that was asked for."""
        if seconds > 0:
            with self._hand:
                self.waits.append(seconds)
                self.now += seconds

    def pause(self, seconds: float) -> None:
        """Move the clock instead of waiting."""
        self.fly(seconds)
        super().pause(0)
