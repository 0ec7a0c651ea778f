"""The span of time that a sync covers: what is asked of the API and which entries count.

Only the arithmetic of months belongs here; partitions are Dagster's, the months to read are decided by the run.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

START_COLUMN: Final = "time_interval__start"
MARGIN: Final = timedelta(days=1)
"""Asked more at both ends: live servers read the window as wall clock of the account, up to 14 hours off."""


@dataclass(frozen=True)
class Window:
    """Entries whose own UTC start is in [start, end); an `end` of None leaves it open towards the future.

    Args:
        start: first moment, UTC.
        end: first moment after it, UTC, or None.
        undated: whether entries without a start belong to it, which is so for all history only.
    """

    start: datetime
    end: datetime | None = None
    undated: bool = False

    def __post_init__(self) -> None:
        if self.end is not None and self.end <= self.start:
            raise ValueError(f"the window ends at {self.end}, before it starts at {self.start}")

    @property
    def params(self) -> dict[str, str]:
        """The query parameters `start` and `end`, a day wider than the window on both sides."""
        asked = {"start": _iso(self.start - MARGIN)}
        if self.end is not None:
            asked["end"] = _iso(self.end + MARGIN)
        return asked

    def keep(self, rows: pa.Table) -> pa.Table:
        """The rows of time entries that lie in the window, by their own start."""
        starts = rows.column(START_COLUMN)
        kind = starts.type
        inside = pc.greater_equal(starts, pa.scalar(self.start, kind))
        if self.end is not None:
            inside = pc.and_(inside, pc.less(starts, pa.scalar(self.end, kind)))
        return rows.filter(pc.fill_null(inside, self.undated))


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
