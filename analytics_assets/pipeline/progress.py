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


OnReading = Callable[[ReadingProgress], None]
"""Called once, when a reading is about to begin."""
