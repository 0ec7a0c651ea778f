"""The calendar in plain Python: weeks, and the periods of estimates and budgets that start anew."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from math import ceil

from analytics_assets_tests.dbt.history import Row

WEEKDAYS = ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"]


MONTHS = [
    *("JANUARY", "FEBRUARY", "MARCH", "APRIL", "MAY", "JUNE"),
    *("JULY", "AUGUST", "SEPTEMBER", "OCTOBER", "NOVEMBER", "DECEMBER"),
]


def projected(remaining: int, per_day: Fraction, as_of: date, following: date | None) -> date | None:
    """The day on which what remains is used up at this pace; None where that is not before a period starts anew."""
    if per_day <= 0:
        return None
    days = ceil(remaining / per_day)
    if days > 3650 or (following and as_of + timedelta(days=days) >= following):
        return None
    return as_of + timedelta(days=days)


def period_at(option: str | None, reset: Row, as_of: date) -> tuple[datetime | None, date | None]:
    """The local time at which the period began that a date lies in, and the date on which the next one does."""
    if option is None:
        return None, None
    first = next(day for day in days_from(as_of, -1) if is_reset(option, reset, day))
    following = next(day for day in days_from(as_of + timedelta(days=1), 1) if is_reset(option, reset, day))
    return datetime.combine(first, time(reset.get("hour") or 0)), following


def days_from(first: date, step: int) -> Iterator[date]:
    """All days from one on, forwards or backwards."""
    while True:
        yield first
        first += timedelta(days=step)


def is_reset(option: str, reset: Row, day: date) -> bool:
    """Whether an estimate or budget starts anew on a day."""
    if option == "WEEKLY":
        return WEEKDAYS[day.weekday()] == (reset.get("dayOfWeek") or "MONDAY")
    if option == "YEARLY" and MONTHS[day.month - 1] != (reset.get("month") or "JANUARY"):
        return False
    wanted = reset.get("dayOfMonth") or 1
    is_last_day = (day + timedelta(days=1)).day == 1
    return day.day == wanted or (is_last_day and day.day < wanted)


def period_of(option: str, reset: Row, local_time: datetime) -> tuple[date, date]:
    """The first and the last day of the period that a local time lies in."""
    hour = time(reset.get("hour") or 0)
    before = (day for day in days_from(local_time.date(), -1) if is_reset(option, reset, day))
    first = next(day for day in before if datetime.combine(day, hour) <= local_time)
    following = next(day for day in days_from(first + timedelta(days=1), 1) if is_reset(option, reset, day))
    return first, following - timedelta(days=1)


def week_start_of(day: date, first_day: str) -> date:
    while WEEKDAYS[day.weekday()] != first_day:
        day -= timedelta(days=1)
    return day
