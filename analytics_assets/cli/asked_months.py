"""Parses the months of `--from` and `--to` and checks them before anything starts."""

from datetime import date

from analytics_assets.cli.errors import UsageError
from analytics_assets.pipeline.months import Month, Span


def asked_span(first: str | None, last: str | None, *, start_date: date, now: Month) -> Span | None:
    """The months between `--from` and `--to`; None if neither is given.

    Raises:
        UsageError: a month is not written YYYY-MM, lies outside history, or `--from` lies after `--to`.
    """
    if first is None and last is None:
        return None
    history = Month.of(start_date)
    begin = history if first is None else _month("--from", first, history, now)
    end = now if last is None else _month("--to", last, history, now)
    if end < begin:
        raise UsageError(f"--from {begin} lies after --to {end}.")
    return Span(begin, end)


def _month(option: str, text: str, history: Month, now: Month) -> Month:
    try:
        month = Month.parse(text)
    except ValueError:
        raise UsageError(f"{option} {text}: a month is written YYYY-MM, like {now}.") from None
    if month < history:
        raise UsageError(f"{option} {month} lies before the start of history, {history} (ANALYTICS_START_DATE).")
    if month > now:
        raise UsageError(f"{option} {month} lies in the future; the current month is {now} (UTC).")
    return month
