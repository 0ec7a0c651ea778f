"""A reading while it goes on, as one value for those who show it: what was read so far, what it cost, and how to say so.

Where it is shown is decided by the command line and by the log of a run, which use the same words.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final, Literal

from analytics_assets.source.columns import RESOURCE_NAMES, ResourceName
from analytics_assets.source.meter import Meter
from analytics_assets.source.reading import ReadingRecorder

State = Literal["waiting", "reading", "read", "in the warehouse"]
LISTS_FOR_A_FORECAST: Final = 3


@dataclass(frozen=True)
class ResourceProgress:
    """The progress of one resource; `seconds` are those on the wall since its first request."""

    name: ResourceName
    state: State
    rows: int
    requests: int
    retries: int
    lists_done: int
    lists_expected: int
    seconds: float

    @property
    def is_over(self) -> bool:
        """Whether all of it was read."""
        return self.state in ("read", "in the warehouse")

    @property
    def lists_text(self) -> str:
        """How many lists were read of those that there are."""
        return f"{self.lists_done:,} of {self.lists_expected:,}"

    @property
    def text(self) -> str:
        """How much was read, and with how many requests."""
        lists = f", {self.lists_text} lists" if self.lists_expected != 1 else ""
        rows = f"{self.rows:,} row{'' if self.rows == 1 else 's'}"
        return f"{rows}{lists}, {self.requests:,} request{'' if self.requests == 1 else 's'}"

    @property
    def seconds_left(self) -> float | None:
        """How long it takes if the other lists are like those that were read; None where too few were."""
        left = self.lists_expected - self.lists_done
        return self.seconds / self.lists_done * left if self.lists_done >= LISTS_FOR_A_FORECAST and left > 0 else None


@dataclass(frozen=True)
class ReadingProgress:
    """The live record and meter of one reading; both may be read from any thread."""

    recorder: ReadingRecorder = field(default_factory=ReadingRecorder)
    meter: Meter = field(default_factory=Meter)

    def lists(self) -> tuple[int, int]:
        """How many lists were read and how many there are as far as is known, of the resources that are being read."""
        begun = [lists for name, lists in self.recorder.resources.items() if self.meter.of(name).began is not None]
        return sum(lists.done for lists in begun), sum(lists.expected for lists in begun)

    def of(self, name: ResourceName, *, is_published: bool = False) -> ResourceProgress:
        """The progress of one resource.

        Args:
            name: the resource.
            is_published: whether its rows are in the warehouse by now.
        """
        traffic, lists = self.meter.of(name), self.recorder.resources[name]
        state: State = "waiting"
        if is_published:
            state = "in the warehouse"
        elif traffic.began is not None:
            state = "read" if self.recorder.is_read(name) else "reading"
        ended = time.monotonic() if state == "reading" or lists.ended is None else lists.ended
        return ResourceProgress(
            name,
            state,
            rows=lists.rows if state in ("read", "in the warehouse") else lists.rows_seen,
            requests=traffic.requests,
            retries=traffic.retries,
            lists_done=lists.done,
            lists_expected=lists.expected,
            seconds=ended - traffic.began if traffic.began is not None else 0.0,
        )

    def begun(self) -> list[ResourceProgress]:
        """The progress of each resource of which something was asked."""
        return [self.of(name) for name in RESOURCE_NAMES if self.meter.of(name).began is not None]


class ReadingLines:
    """What there is to say of a reading line by line, each thing once."""

    def __init__(self) -> None:
        self._said: dict[ResourceName, State] = {}

    def new(self, resources: Iterable[ResourceProgress]) -> list[str]:
        """The lines about what has changed since the last call."""
        lines = []
        for progress in resources:
            before = self._said.get(progress.name, "waiting")
            self._said[progress.name] = progress.state
            if progress.state == "reading" and before == "waiting":
                lines.append(f"{progress.name}: reading")
            elif progress.is_over and before in ("waiting", "reading"):
                lines.append(f"{progress.name}: {progress.text} in {progress.seconds:.1f} s")
        return lines


def so_far(resources: Iterable[ResourceProgress]) -> str:
    """One line about what is being read; nothing where nothing is."""
    return ", ".join(f"{p.name}: {p.text} so far{_left(p)}" for p in resources if p.state == "reading")


def _left(progress: ResourceProgress) -> str:
    left = progress.seconds_left
    return "" if left is None else f", about {max(round(left), 1):,} s left"


OnReading = Callable[[ReadingProgress], None]
"""Called once, when a reading is about to begin."""
