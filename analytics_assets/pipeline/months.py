"""Months: the span that a sync covers, and what a routine sync reads again.

Only the calendar belongs here. Which entries of a span count is decided in `source/window.py`; what Dagster calls a
month is decided in `orchestration/partitions.py`.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from analytics_assets.source.window import Window


@dataclass(frozen=True, order=True)
class Month:
    """A calendar month, UTC."""

    year: int
    number: int

    @classmethod
    def of(cls, moment: date) -> "Month":
        """The month that a date or a UTC moment lies in."""
        return cls(moment.year, moment.month)

    @classmethod
    def parse(cls, text: str) -> "Month":
        """A month written `YYYY-MM`.

        Raises:
            ValueError: it is written otherwise.
        """
        if not re.fullmatch(r"\d{4}-\d{2}", text):
            raise ValueError(f"{text!r} is not written YYYY-MM")
        return cls.of(date.fromisoformat(f"{text}-01"))

    def plus(self, months: int) -> "Month":
        """The month so many months later."""
        index = self.year * 12 + self.number - 1 + months
        return Month(index // 12, index % 12 + 1)

    @property
    def first_moment(self) -> datetime:
        """Midnight UTC of its first day."""
        return datetime(self.year, self.number, 1, tzinfo=UTC)

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.number:02d}"


def current_month() -> Month:
    """The month that it is now, UTC."""
    return Month.of(datetime.now(UTC))


@dataclass(frozen=True)
class Span:
    """Months to read, both included."""

    first: Month
    last: Month

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise ValueError(f"{self.last} lies before {self.first}")

    def window(self, start_date: date, *, now: Month) -> Window:
        """The entries of the span.

        The first month begins with `start_date` where history begins in its midst. A span up to the current month
        is open towards the future, so that entries planned ahead are loaded too; without it they would belong to
        no partition at all.
        """
        history = datetime.combine(start_date, time(), tzinfo=UTC)
        reaches_now = self.last >= now
        return Window(
            start=max(self.first.first_moment, history),
            end=None if reaches_now else self.last.plus(1).first_moment,
            undated=reaches_now and self.first <= Month.of(start_date),
        )

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first} to {self.last}"


def history_span(start_date: date, *, now: Month) -> Span:
    """All months from the start of history to now."""
    return Span(min(Month.of(start_date), now), now)


def routine_span(start_date: date, lookback_months: int, last_covered: Month | None, *, now: Month) -> Span:
    """What a routine sync reads: the lookback, and every month since the last one that did; all history at first.

    Args:
        start_date: first day of history.
        lookback_months: months to read again, the current one included.
        last_covered: the month in which a sync last read up to its own present; None when none has read all history.
        now: the current month.
    """
    everything = history_span(start_date, now=now)
    if last_covered is None:
        return everything
    return Span(max(everything.first, min(now.plus(1 - lookback_months), last_covered)), now)
