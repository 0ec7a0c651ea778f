"""Months as Dagster knows them: the monthly partitions of time entries, and a span of them as the tags of a run.

The calendar itself stands in `pipeline/months.py`.
"""

from datetime import date
from typing import Final

from dagster import MonthlyPartitionsDefinition, TimeWindow

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


def span_of_time_window(window: TimeWindow) -> Span:
    """The months of the partitions of a run."""
    return Span(Month.of(window.start), Month.of(window.end).plus(-1))
