"""What of the history was read of whom, in plain Python: which months a routine sync has to read follows from it.

Every reading says of each list that it has read from when to when it knows it. A routine sync leaves no hole: it reads
the lookback and what no reading before it knows, of all lists together and of each member's alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from analytics_assets.pipeline.months import AskedMonths, Month, Span
from analytics_assets.source.window import Window
from analytics_assets_tests.tiny import month


@dataclass(frozen=True)
class Lookback:
    """What a routine sync is asked for: so many months, the current one included, and whatever is not known yet."""

    months: int


Months = tuple[int, int] | Lookback | None
"""What a sync is asked for: two months, counted back from now, and those between them; a lookback; or all history."""


@dataclass(frozen=True)
class Asked:
    """A sync, as the law sees it: the time entries that it reads of all, and whether it has to close holes besides."""

    months: AskedMonths
    window: Window
    is_routine: bool
    began_at: datetime


class Coverage:
    """From when to when the list of each member is known.

    Args:
        history: all the time that the warehouse is about.
    """

    def __init__(self, history: Window) -> None:
        self._history = history
        self._of_all: datetime | None = None
        """Up to here every reading together, each in its turn, reaches without a hole."""
        self._of_each: dict[str, list[tuple[datetime, datetime]]] = {}

    def asked(self, months: Months, now: Month, began_at: datetime) -> Asked:
        """A sync that is asked for some months while it is `now`."""
        start = self._history.start.date()
        is_routine = isinstance(months, Lookback)
        if isinstance(months, tuple):  # none that is still to come
            first, last = (min(month(back), now) for back in (max(months), min(months)))
        else:
            first, last = Month.of(start), now
        if isinstance(months, Lookback) and self._of_all is not None:
            first = max(first, min(now.plus(1 - months.months), Month.of(self._of_all)))
        span = Span(first, last)
        asked = AskedMonths(start, months.months, now=now) if isinstance(months, Lookback) else AskedMonths(start, 1, span, now)
        return Asked(asked, span.window(start, now=now), is_routine, began_at)

    def window_of(self, member: str, asked: Asked) -> Window:
        """What a sync reads of a member's list: all of it, where a routine sync would leave a hole before its months."""
        known = self._history.start
        for start, end in sorted(self._of_each.get(member, [])):
            if start <= known:
                known = max(known, end)
        return self._history if asked.is_routine and known < asked.window.start else asked.window

    def read(self, windows: Mapping[str, Window], asked: Asked) -> None:
        """Time entries were read of these members, of each in its window."""
        for member, window in windows.items():
            self._of_each.setdefault(member, []).append((window.start, _reach(window, asked)))
        if asked.window.start <= (self._of_all or self._history.start):
            self._of_all = max(_reach(asked.window, asked), self._of_all or self._history.start)


def _reach(window: Window, asked: Asked) -> datetime:
    """Up to when a reading knows its window: what comes after it began may be anything."""
    return asked.began_at if window.end is None else min(window.end, asked.began_at)
