"""How fast the API may be asked: the ceilings per second and per hour, and the pause that a server asks for.

Only the pace belongs here. What a request is and when it is tried again is `http.py`'s business.
"""

import logging
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from pyrate_limiter import Duration, InMemoryBucket, Limiter, Rate, SingleBucketFactory

from analytics_assets.source.ending import Ending
from analytics_assets.source.ledger import HOUR_SECONDS, LastHour, Ledger

logger = logging.getLogger(__name__)

POLL_SECONDS: Final = 0.5
LONGEST_LOOK_AWAY_SECONDS: Final = 5.0
SAY_AGAIN_SECONDS: Final = 300.0


@dataclass(frozen=True)
class Clock:
    """The time as the ceilings see it; a test may put its own hand on it."""

    monotonic: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time


CLOCK: Final = Clock()


class Ceiling:
    """Lets requests of all threads through at the pace that was set; one 429 slows them all.

    After a 429 the ceiling is shut for as long as the server asks. Then one thread asks alone; the others go on once
    it has got another answer than 429.

    Args:
        per_second: requests in any second.
        per_hour: requests in any hour, over processes that run one after the other; None for no such ceiling.
        ledger: file in which the requests of the last hour are kept; needed with `per_hour`.
        ending: ends all waiting.
        requests_left: how many requests are still to come as far as is known; None where nothing is.
        clock: what the time is.
    """

    def __init__(
        self,
        per_second: int,
        per_hour: int | None = None,
        ledger: Path | None = None,
        *,
        ending: Ending | None = None,
        requests_left: Callable[[], int | None] = lambda: None,
        clock: Clock = CLOCK,
    ) -> None:
        self._last_second = InMemoryBucket([Rate(per_second, Duration.SECOND)])
        # it would forget in a thread with an event loop, which outlives a reading by ten seconds
        self._limiter = Limiter(SingleBucketFactory(self._last_second, schedule_leak=False))
        self._poll_seconds = max(0.001, 0.25 / per_second)
        self._per_hour = per_hour
        self._ledger = Ledger(ledger, per_hour, clock=clock.wall) if per_hour is not None and ledger is not None else None
        self._ending = ending or Ending()
        self._requests_left = requests_left
        self._clock = clock
        self._lock = threading.Lock()
        self._said_at: float | None = None
        self._is_shut = False
        self._open_at = 0.0
        self._prober: int | None = None

    def enter(self) -> None:
        """Wait for the turn of one request.

        Raises:
            SourceError: the reading has ended.
        """
        self._wait_until_open()
        self._wait_for_the_hour()
        self._last_second.leak(self._last_second.now())  # type: ignore[no-untyped-call]
        while not self._limiter.try_acquire("request", blocking=False):
            self.pause(self._poll_seconds)
        self._wait_until_open()  # another thread may have been refused meanwhile
        self.pause(0)

    def left_in_hour(self) -> float:
        """How many requests may go within this hour without waiting."""
        if self._ledger is None or self._per_hour is None:
            return math.inf
        return self._per_hour - self._ledger.look().requests

    def close_for(self, seconds: float) -> None:
        """Let nobody through for so long, because the server asked one of the threads to slow down."""
        with self._lock:
            self._is_shut = True
            self._open_at = max(self._open_at, self._clock.monotonic() + seconds)

    def leave(self, *, is_answered: bool) -> None:
        """The attempt of this thread is over; an answer to the one that asked alone lets the others through again."""
        with self._lock:
            if self._prober == threading.get_ident():
                self._prober = None
                self._is_shut = not is_answered or self._clock.monotonic() < self._open_at

    def pause(self, seconds: float) -> None:
        """Wait, unless the reading ends.

        Raises:
            SourceError: it has ended.
        """
        self._ending.pause(seconds)

    def _wait_until_open(self) -> None:
        while (wait := self._seconds_until_open()) > 0:
            self.pause(wait)

    def _seconds_until_open(self) -> float:
        with self._lock:
            if not self._is_shut:
                return 0.0
            wait = self._open_at - self._clock.monotonic()
            if wait > 0:
                return wait
            if self._prober is None:
                self._prober = threading.get_ident()
            return 0.0 if self._prober == threading.get_ident() else POLL_SECONDS

    def _wait_for_the_hour(self) -> None:
        if self._ledger is None:
            return
        while True:
            hour = self._ledger.take()
            if not hour.next_in_seconds:
                return
            self._say_waiting(hour)
            self.pause(min(hour.next_in_seconds, LONGEST_LOOK_AWAY_SECONDS))

    def _say_waiting(self, hour: LastHour) -> None:
        now = self._clock.monotonic()
        with self._lock:
            if self._said_at is not None and now < self._said_at + SAY_AGAIN_SECONDS:
                return
            self._said_at = now
        logger.warning(
            "%d requests were made in the last hour, of %s allowed (ANALYTICS_REQUESTS_PER_HOUR); %s%s",
            hour.requests,
            self._per_hour,
            next_may_go(hour, now=self._clock.wall()),
            self._outlook(hour.next_in_seconds),
        )

    def _outlook(self, next_in_seconds: float) -> str:
        left = self._requests_left()
        if not left or not self._per_hour:
            return ""
        # a full allowance is spent at once, and comes back over an hour
        seconds = next_in_seconds + (left - 1) // self._per_hour * HOUR_SECONDS
        return f"; the lists known so far need about {left} requests more, for which the run will wait about {in_words(seconds)}"


def next_may_go(hour: LastHour, *, now: float) -> str:
    """When the next request may go, in words."""
    if not hour.next_in_seconds:
        return "the next may go at once"
    at = datetime.fromtimestamp(now + hour.next_in_seconds, UTC)
    return f"the next may go at {at:%H:%M:%S} UTC (in {in_words(hour.next_in_seconds)})"


def in_words(seconds: float) -> str:
    """A span of time in the unit that fits it."""
    if seconds < 1:
        return f"{seconds:.1g} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.0f} h"
