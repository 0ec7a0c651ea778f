"""What the last publication of time entries did to each month, told from the tables that it wrote."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

import duckdb

from analytics_assets.source.window import START_COLUMN
from analytics_assets.warehouse.descriptions import CHANGE, LOADED_AT, VALID_TO
from analytics_assets.warehouse.tables import HISTORY, PUBLICATIONS, RAW

_QUERY: Final = f"""
WITH last AS (
    SELECT max(published_at) AS published_at FROM {PUBLICATIONS} WHERE resource = 'time_entries'
),
replaced AS (
    SELECT id, {CHANGE} AS change, {START_COLUMN} AS started_at
    FROM {HISTORY}.time_entries, last WHERE {VALID_TO} = last.published_at
),
figures AS (
    SELECT
        {START_COLUMN} AS started_at,
        1 AS total,
        ({LOADED_AT} = last.published_at AND id NOT IN (SELECT id FROM replaced))::INTEGER AS new,
        ({LOADED_AT} = last.published_at AND id IN (SELECT id FROM replaced))::INTEGER AS changed,
        0 AS deleted
    FROM {RAW}.time_entries, last
    UNION ALL
    SELECT started_at, 0, 0, 0, 1 FROM replaced WHERE change = 'deleted'
)
SELECT date_trunc('month', started_at AT TIME ZONE 'UTC')::DATE, sum(total), sum(new), sum(changed), sum(deleted)
FROM figures WHERE started_at IS NOT NULL GROUP BY ALL
"""


@dataclass(frozen=True)
class MonthFigures:
    """Time entries of a month: rows now, and those that the last publication brought, changed and took away.

    An entry that was moved from one month to another counts as changed in the month where it is now.
    """

    total: int = 0
    new: int = 0
    changed: int = 0
    deleted: int = 0


def month_figures(con: duckdb.DuckDBPyConnection) -> Mapping[date, MonthFigures]:
    """The figures by the first day of each month, UTC, that has or had a row.

    Args:
        con: a connection to the warehouse.
    """
    return {month: MonthFigures(*map(int, figures)) for month, *figures in con.execute(_QUERY).fetchall()}
