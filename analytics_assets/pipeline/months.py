"""Months: the span that a sync covers, and what a routine sync reads again.

Only the calendar belongs here. Which entries of a span count is decided in `source/window.py`; what Dagster calls a
month is decided in `orchestration/partitions.py`.
"""

import re
from dataclasses import dataclass, field
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

    @property
    def months(self) -> list[Month]:
        """Each of them."""
        count = (self.last.year - self.first.year) * 12 + self.last.number - self.first.number + 1
        return [self.first.plus(number) for number in range(count)]

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
        last_covered: the last month that all readings together reach without a hole; None when history was not read.
        now: the current month.
    """
    everything = history_span(start_date, now=now)
    if last_covered is None:
        return everything
    return Span(max(everything.first, min(now.plus(1 - lookback_months), last_covered)), now)


@dataclass(frozen=True)
class AskedMonths:
    """The months of time entries that a reading is asked for.

    Args:
        start_date: first day of history.
        lookback_months: months that a routine sync reads again, the current one included.
        span: the months; None for what a routine sync reads, which is decided when the warehouse is held.
        now: the current month.
    """

    start_date: date
    lookback_months: int = 1
    span: Span | None = None
    now: Month = field(default_factory=current_month)

    def span_given(self, covered_until: datetime | None) -> Span:
        """The months to read, given the moment up to which the warehouse covers all history; None for not at all."""
        if self.span is not None:
            return self.span
        last_covered = None if covered_until is None else Month.of(covered_until)
        return routine_span(self.start_date, self.lookback_months, last_covered, now=self.now)

    @classmethod
    def all_history(cls, start_date: date) -> "AskedMonths":
        """Every month from the start of history to now."""
        return cls(start_date, span=history_span(start_date, now=current_month()))
