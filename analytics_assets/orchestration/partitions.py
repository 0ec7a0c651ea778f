"""Months as Dagster knows them: the monthly partitions of time entries, and a span of them as the tags of a run.

The calendar itself stands in `pipeline/months.py`.
"""

from collections.abc import Mapping
from datetime import date
from typing import Final

from dagster import MonthlyPartitionsDefinition

from analytics_assets.pipeline.months import Month, Span

PARTITION_TAG: Final = "dagster/partition"
RANGE_START_TAG: Final = "dagster/asset_partition_range_start"
RANGE_END_TAG: Final = "dagster/asset_partition_range_end"


def month_partitions(start_date: date) -> MonthlyPartitionsDefinition:
    """One partition per month from the start of history to the current month, which is still filling."""
    return MonthlyPartitionsDefinition(start_date=Month.of(start_date).first_moment, end_offset=1)


def partition_key(month: Month) -> str:
    """The key of a month among the monthly partitions."""
    return f"{month}-01"


def range_tags(span: Span) -> dict[str, str]:
    """The tags that make Dagster run the partitions of a span in one run."""
    return {RANGE_START_TAG: partition_key(span.first), RANGE_END_TAG: partition_key(span.last)}


def span_of_tags(tags: Mapping[str, str], start_date: date, *, now: Month) -> Span | None:
    """The months of the partitions of a run; None for a run without partitions.

    Dagster lets a run be executed again with its old tags after history was made to begin later.

    Args:
        tags: those of the run.
        start_date: first day of history.
        now: the current month.

    Raises:
        ValueError: says in a sentence why these are no months of the history.
    """
    first = tags.get(PARTITION_TAG) or tags.get(RANGE_START_TAG)
    if first is None:
        return None
    last = tags.get(PARTITION_TAG) or tags.get(RANGE_END_TAG, first)
    begin, end = _month_of_key(first), _month_of_key(last)
    history = Month.of(start_date)
    if begin < history:
        raise ValueError(
            f"This run is of {begin}, which lies before the start of history, {history} (ANALYTICS_START_DATE): start a new run "
            "of later months, or let history begin earlier."
        )
    if end > now:
        raise ValueError(f"This run is of {end}, which lies in the future; the current month is {now} (UTC).")
    if end < begin:
        raise ValueError(f"This run is of {begin} to {end}, which lies before: start a new run with the earlier month first.")
    return Span(begin, end)


def _month_of_key(key: str) -> Month:
    """The month of a partition's key; Dagster takes any day in the tags of a run.

    Raises:
        ValueError: says that it is the first day of no month.
    """
    try:
        return Month.parse(key.removesuffix("-01"))
    except ValueError:
        raise ValueError(
            f"A tag of this run names {key!r}, which is not a partition: start a new run with the first day of a month, written "
            "YYYY-MM-01."
        ) from None
