"""The span of time that a sync covers: what is asked of the API and which entries count.

Only the arithmetic of months belongs here; partitions are Dagster's, the months to read are decided by the run.
"""

from dataclasses import dataclass, field
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


@dataclass(frozen=True)
class WiderWindow(Window):
    """The window, and certain entries wherever in the history they are now.

    An entry that is missing from the window may have been moved out of it: the list of its member is asked for as a
    whole, and of what lies outside the window nothing counts but the entries that are looked for.

    Args:
        history_start: the first moment of the history.
        looked_for: the ids of the entries that are missing.
    """

    history_start: datetime = field(kw_only=True)
    looked_for: frozenset[str] = field(kw_only=True)

    @property
    def params(self) -> dict[str, str]:
        """The query parameter of the whole history, and nothing that ends it."""
        return {"start": _iso(self.history_start - MARGIN)}

    def keep(self, rows: pa.Table) -> pa.Table:
        """The rows that lie in the window, and those that are looked for."""
        history = Window(self.history_start, undated=True).keep(rows)
        is_looked_for = pc.is_in(history.column("id"), pa.array(sorted(self.looked_for), pa.string()))
        inside = super().keep(rows)
        elsewhere = history.filter(pc.and_(is_looked_for, pc.invert(pc.is_in(history.column("id"), inside.column("id")))))
        return pa.concat_tables([inside, elsewhere])


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
