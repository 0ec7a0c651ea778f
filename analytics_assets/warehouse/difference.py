"""How one raw table differs from what the API serves, in counts and with some ids, and what could not be compared.

The comparison itself is made in `comparison.py`; here its outcome is counted, and nothing is written.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb

from analytics_assets.source.columns import TABLES, ResourceName, Table
from analytics_assets.source.reading import Reading
from analytics_assets.warehouse.comparison import (
    CHANGED,
    COVERED,
    GONE,
    INCOMING,
    Columns,
    compare,
    count_repeats,
    is_inside,
)
from analytics_assets.warehouse.counting import count
from analytics_assets.warehouse.given import keep_values
from analytics_assets.warehouse.tables import RAW, quoted

IDS_NAMED = 5


@dataclass(frozen=True)
class Difference:
    """One resource: rows that the API serves and that the warehouse holds of what was read again, and how they differ.

    `repeated` counts rows that stand in the table beside another one of the same id, `examples` names some of the ids
    that differ, and `not_compared` says how many rows of the table the reading says nothing about, and why.
    """

    api_rows: int
    warehouse_rows: int
    missing: int
    extra: int
    different: int
    repeated: int
    examples: tuple[str, ...]
    not_compared: Mapping[str, int]

    @property
    def is_equal(self) -> bool:
        """Whether the warehouse holds exactly what the API serves."""
        return self.missing == self.extra == self.different == self.repeated == 0


def difference(con: duckdb.DuckDBPyConnection, name: ResourceName, reading: Reading) -> Difference:
    """The difference of one resource; the connection has the warehouse open and the landing attached."""
    table, raw = TABLES[name], f"{RAW}.{name}"
    compare(con, table, reading, Columns.of(con, table))
    missing = f"(SELECT id FROM {INCOMING} WHERE id NOT IN (SELECT id FROM {raw} WHERE id IS NOT NULL))"
    repeated = f"(SELECT id FROM {raw} GROUP BY id HAVING count(*) > 1)"
    examples = con.execute(
        f"SELECT coalesce(id, 'a row without an id') FROM (FROM {missing} UNION FROM {GONE} UNION FROM {CHANGED} "
        f"UNION FROM {repeated}) AS different (id) "
        f"ORDER BY id LIMIT {IDS_NAMED}"
    ).fetchall()
    return Difference(
        api_rows=count(con, INCOMING),
        warehouse_rows=count(
            con, f"(SELECT id FROM {COVERED} UNION SELECT id FROM {INCOMING} WHERE id IN (SELECT id FROM {raw}))"
        ),
        missing=count(con, missing),
        extra=count(con, GONE),
        different=count(con, CHANGED),
        repeated=count_repeats(con, table),
        examples=tuple(record_id for (record_id,) in examples),
        not_compared=_not_compared(con, table, reading),
    )


def _not_compared(con: duckdb.DuckDBPyConnection, table: Table, reading: Reading) -> dict[str, int]:
    """Why the reading says nothing about some rows of the table → how many those are."""
    if table.parent_column is None or table.parent is None:
        return {}
    parent = f"raw.{quoted(table.parent_column)}"
    inside = is_inside(reading.window) if table.is_windowed else "true"
    keep_values(con, "refused", reading.lists[table.name].refused)
    rows = con.execute(
        f"SELECT CASE WHEN NOT coalesce(({inside}), false) THEN 'outside the months that were read' "
        f"WHEN {parent} IN (SELECT value FROM refused) THEN 'in lists that the API refuses' "
        f"ELSE 'of {table.parent} that are not listed any more' END AS reason, count(*) "
        f"FROM {RAW}.{table.name} AS raw "
        f"WHERE id NOT IN (SELECT id FROM {COVERED}) AND id NOT IN (SELECT id FROM {INCOMING}) GROUP BY reason ORDER BY reason"
    ).fetchall()
    return dict(rows)
