"""A reading while it goes on, as one value for those who show it: what was read so far, and what it cost."""

from collections.abc import Callable
from dataclasses import dataclass, field

from analytics_assets.source.meter import Meter
from analytics_assets.source.reading import ReadingRecorder


@dataclass(frozen=True)
class ReadingProgress:
    """The live record and meter of one reading; both may be read from any thread."""

    recorder: ReadingRecorder = field(default_factory=ReadingRecorder)
    meter: Meter = field(default_factory=Meter)

    def lists(self) -> tuple[int, int]:
        """How many lists were read and how many there are as far as is known, of the resources that are being read."""
        begun = [lists for name, lists in self.recorder.resources.items() if self.meter.of(name).began is not None]
        return sum(lists.done for lists in begun), sum(lists.expected for lists in begun)


OnReading = Callable[[ReadingProgress], None]
"""Called once, when a reading is about to begin."""
