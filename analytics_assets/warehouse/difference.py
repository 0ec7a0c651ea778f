"""How one raw table differs from what the API serves, in counts and with some ids.

The comparison itself is made in `comparison.py`; here its outcome is counted, and nothing is written.
"""

from dataclasses import dataclass

import duckdb

from analytics_assets.source.columns import TABLES, ResourceName
from analytics_assets.source.reading import Reading
from analytics_assets.warehouse.comparison import CHANGED, COVERED, GONE, INCOMING, compare, count
from analytics_assets.warehouse.tables import RAW

IDS_NAMED = 5


@dataclass(frozen=True)
class Difference:
    """One resource: rows that the API serves and that the warehouse holds of what was read again, and how they differ.

    `examples` names some of the ids concerned.
    """

    api_rows: int
    warehouse_rows: int
    missing: int
    extra: int
    different: int
    examples: tuple[str, ...]

    @property
    def is_equal(self) -> bool:
        """Whether the warehouse holds exactly what the API serves."""
        return self.missing == self.extra == self.different == 0


def difference(con: duckdb.DuckDBPyConnection, name: ResourceName, reading: Reading) -> Difference:
    """The difference of one resource; the connection has the warehouse open and the landing attached."""
    compare(con, TABLES[name], reading)
    raw = f"{RAW}.{name}"
    missing = f"(SELECT id FROM {INCOMING} WHERE id NOT IN (SELECT id FROM {raw}))"
    examples = con.execute(
        f"SELECT id FROM (FROM {missing} UNION ALL FROM {GONE} UNION ALL FROM {CHANGED}) ORDER BY id LIMIT {IDS_NAMED}"
    ).fetchall()
    return Difference(
        api_rows=count(con, INCOMING),
        warehouse_rows=count(
            con, f"(SELECT id FROM {COVERED} UNION SELECT id FROM {INCOMING} WHERE id IN (SELECT id FROM {raw}))"
        ),
        missing=count(con, missing),
        extra=count(con, GONE),
        different=count(con, CHANGED),
        examples=tuple(record_id for (record_id,) in examples),
    )
