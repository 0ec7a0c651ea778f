"""Rows of a child resource that a reading has met and lost again: no list holds them any more, and no table has them yet.

A list that is read once more may have lost a row in between, to a list that was read before. Of a row that the warehouse
has, `missing_rows` tells; of one that it does not have yet, only the landing does.
"""

import duckdb

from analytics_assets.source.columns import ANSWER, Table
from analytics_assets.source.reading import Reading
from analytics_assets.warehouse.comparison import LANDED, columns_of_landed, rows_that_count
from analytics_assets.warehouse.given import keep_values
from analytics_assets.warehouse.landing import DATASET
from analytics_assets.warehouse.tables import quoted


def lost_rows(con: duckdb.DuckDBPyConnection, table: Table, reading: Reading) -> dict[str, str]:
    """The rows of earlier answers of lists that were read to their end, which none of the lists holds: id → parent."""
    if not columns_of_landed(con, table.name):
        return {}
    parent = f"landed.{quoted(str(table.parent_column))}"
    held = rows_that_count(con, table, reading)
    keep_values(con, "settled", reading.lists_that_count(table.name))
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE met AS SELECT landed.id, {parent} AS parent_id "
        f"FROM {LANDED}.{DATASET}.{table.name} AS landed WHERE {parent} IN (SELECT value FROM settled) "
        f"AND NOT EXISTS (FROM finished WHERE finished.parent_id = {parent} AND finished.answer = landed.{quoted(ANSWER)})"
    )
    if con.execute("SELECT count(*) FROM met").fetchone() == (0,):
        return {}  # nearly always: no list was read twice
    return dict(
        con.execute(f"SELECT id, max(parent_id) FROM met WHERE id NOT IN (SELECT landed.id FROM {held}) GROUP BY id").fetchall()
    )
