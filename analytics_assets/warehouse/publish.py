"""From the landing into the raw tables: one transaction, all or nothing, and only what differs is written.

A row that the API changed or no longer has is moved to `raw_history` first. Which absences mean a deletion follows
from what was read to its end: a list that was refused, a member who is no longer listed and a month that was not
asked for say nothing about their rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import duckdb

from analytics_assets.source.answers import PASS, READ_AT
from analytics_assets.source.columns import TABLES, ResourceName, Table
from analytics_assets.source.journal import Journal
from analytics_assets.source.window import START_COLUMN, Window
from analytics_assets.warehouse.connection import connection
from analytics_assets.warehouse.errors import WarehouseError
from analytics_assets.warehouse.landing import DATASET
from analytics_assets.warehouse.tables import (
    CHANGE,
    HISTORY,
    LOADED_AT,
    PUBLICATIONS,
    RAW,
    VALID_TO,
    add_columns,
    columns_of,
    data_columns_of,
    ensure_tables,
    literal,
    quoted,
)

LANDED: Final = "landed"


@dataclass(frozen=True)
class Published:
    """What a publication did to one table: rows read, new, changed and deleted, and rows it holds now."""

    read: int
    new: int
    changed: int
    deleted: int
    total: int


def publish(
    warehouse: Path, landed: Path, resources: Sequence[ResourceName], journal: Journal, window: Window
) -> dict[ResourceName, Published]:
    """Make the raw tables equal to what was read, in one transaction.

    Args:
        warehouse: the file to write; the caller holds the writer's lock.
        landed: the scratch file that dlt has loaded.
        resources: those that were asked for; the parents of a child asked for alone are not among them.
        journal: which lists were read to their end.
        window: the time entries that were asked for.

    Returns:
        What it did, per resource.

    Raises:
        WarehouseError: the file can't be opened, or rows that were read have not arrived in the landing.
        duckdb.Error: the transaction failed; the tables are as they were.
    """
    with connection(warehouse) as con:
        con.execute(f"ATTACH {literal(str(landed))} AS {LANDED} (READ_ONLY)")
        con.execute("BEGIN TRANSACTION")
        try:
            ensure_tables(con)
            published_at = _next_moment(con)
            published = {name: _publish_table(con, TABLES[name], journal, window, published_at) for name in resources}
            con.execute("COMMIT")
        except BaseException:
            con.execute("ROLLBACK")
            raise
        con.execute(f"DETACH {LANDED}")
    return published


def _next_moment(con: duckdb.DuckDBPyConnection) -> datetime:
    """Now, but after every earlier publication, whatever the machine's clock says."""
    row = con.execute(f"SELECT max(published_at) + INTERVAL 1 MICROSECOND FROM {PUBLICATIONS}").fetchone()
    now = datetime.now(UTC)
    return max(now, row[0]) if row and row[0] is not None else now


def _publish_table(
    con: duckdb.DuckDBPyConnection, table: Table, journal: Journal, window: Window, published_at: datetime
) -> Published:
    raw = f"{RAW}.{table.name}"
    add_columns(con, table.name, journal.resources[table.name].new_columns)
    columns = data_columns_of(con, table.name)
    _stage_incoming(con, table, columns, journal)
    _execute_ids(con, "changed", f"SELECT raw.id FROM {raw} AS raw JOIN incoming USING (id) WHERE {_differs(columns)}")
    covered = _covered(con, table, journal, window)
    _execute_ids(con, "gone", f"SELECT id FROM {raw} AS raw WHERE ({covered}) AND id NOT IN (SELECT id FROM incoming)")
    names = ", ".join(quoted(column) for column in columns)
    for change, ids in (("edited", "changed"), ("deleted", "gone")):
        con.execute(
            f"INSERT INTO {HISTORY}.{table.name} ({names}, {LOADED_AT}, {VALID_TO}, {CHANGE}) "
            f"SELECT {names}, {LOADED_AT}, ?, '{change}' FROM {raw} WHERE id IN (SELECT id FROM {ids})",
            [published_at],
        )
    con.execute(f"DELETE FROM {raw} WHERE id IN (SELECT id FROM changed UNION ALL SELECT id FROM gone)")
    con.execute(
        f"INSERT INTO {raw} ({names}, {LOADED_AT}) SELECT {names}, ? FROM incoming WHERE id NOT IN (SELECT id FROM {raw})",
        [published_at],
    )
    read, changed, deleted, total = (_count(con, source) for source in ("incoming", "changed", "gone", raw))
    new = _count(con, f"{raw} WHERE {LOADED_AT} = {literal(published_at.isoformat())}::TIMESTAMPTZ") - changed
    published = Published(read=read, new=new, changed=changed, deleted=deleted, total=total)
    span = (window.start, window.end) if table.name == "time_entries" else (None, None)
    con.execute(
        f"INSERT INTO {PUBLICATIONS} VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [published_at, table.name, *span, read, new, changed, deleted],
    )
    return published


def _stage_incoming(con: duckdb.DuckDBPyConnection, table: Table, columns: list[str], journal: Journal) -> None:
    """A table `incoming` of the rows that count: of lists read to their end, of the pass that settled them, the
    latest reading of each id (an entry that moved to another member while both lists were read shows in both)."""
    landed = columns_of_landed(con, table.name)
    if not landed:
        con.execute(f"CREATE OR REPLACE TEMP TABLE incoming AS SELECT * EXCLUDE ({LOADED_AT}) FROM {RAW}.{table.name} LIMIT 0")
        return
    con.execute("CREATE OR REPLACE TEMP TABLE finished (parent_id VARCHAR, pass BIGINT)")
    finished = journal.resources[table.name].finished_lists
    if finished:
        con.executemany("INSERT INTO finished VALUES (?, ?)", [list(item) for item in finished.items()])
    kinds = columns_of(con, RAW, table.name)
    selected = ", ".join(
        f"CAST({f'landed.{quoted(column)}' if column in landed else 'NULL'} AS {kinds[column]}) AS {quoted(column)}"
        for column in columns
    )
    parent = f"landed.{quoted(table.parent_column)}" if table.parent_column else "''"
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE incoming AS SELECT {selected}, landed.{READ_AT} AS {READ_AT} "
        f"FROM {LANDED}.{DATASET}.{table.name} AS landed "
        f"JOIN finished ON finished.parent_id = {parent} AND finished.pass = landed.{PASS}"
    )
    arrived, read = _count(con, "incoming"), journal.resources[table.name].rows
    if arrived != read:
        raise WarehouseError(
            f"{read} rows of {table.name} were read and {arrived} arrived in the landing; nothing was published. "
            "This is a defect: please report it."
        )
    if arrived != _count(con, "(SELECT DISTINCT id FROM incoming)"):
        con.execute(
            "CREATE OR REPLACE TEMP TABLE incoming AS SELECT * FROM incoming "
            f"QUALIFY row_number() OVER (PARTITION BY id ORDER BY {READ_AT} DESC) = 1"
        )


def columns_of_landed(con: duckdb.DuckDBPyConnection, name: ResourceName) -> set[str]:
    """The columns that dlt gave the table in the landing; empty where no page of it was read."""
    rows = con.execute(
        "SELECT column_name FROM duckdb_columns() WHERE database_name = ? AND schema_name = ? AND table_name = ?",
        [LANDED, DATASET, name],
    ).fetchall()
    return {column for (column,) in rows}


def _differs(columns: list[str]) -> str:
    return " OR ".join(f"raw.{quoted(column)} IS DISTINCT FROM incoming.{quoted(column)}" for column in columns)


def _covered(con: duckdb.DuckDBPyConnection, table: Table, journal: Journal, window: Window) -> str:
    """The rows of the raw table whose absence from what was read means that the API no longer has them."""
    counts = journal.resources[table.name]
    if table.parent_column is None:
        return "true"
    parent = f"raw.{quoted(table.parent_column)}"
    if table.name == "tasks":
        # a project that is gone takes its tasks with it; one that could not be read keeps them
        _execute_values(con, "refused", counts.refused)
        return f"{parent} NOT IN (SELECT value FROM refused)"
    # a member who is gone keeps the hours that were worked and billed
    _execute_values(con, "readable", counts.finished_lists)
    start = f"raw.{quoted(START_COLUMN)}"
    inside = f"{start} >= {literal(window.start.isoformat())}::TIMESTAMPTZ"
    if window.end is not None:
        inside += f" AND {start} < {literal(window.end.isoformat())}::TIMESTAMPTZ"
    if window.undated:
        inside = f"({inside}) OR {start} IS NULL"
    return f"{parent} IN (SELECT value FROM readable) AND ({inside})"


def _execute_ids(con: duckdb.DuckDBPyConnection, name: str, query: str) -> None:
    con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {query}")


def _execute_values(con: duckdb.DuckDBPyConnection, name: str, values: object) -> None:
    con.execute(f"CREATE OR REPLACE TEMP TABLE {name} (value VARCHAR)")
    rows = [[value] for value in values]  # type: ignore[attr-defined]
    if rows:
        con.executemany(f"INSERT INTO {name} VALUES (?)", rows)


def _count(con: duckdb.DuckDBPyConnection, source: str) -> int:
    row = con.execute(f"SELECT count(*) FROM {source}").fetchone()
    assert row is not None
    return int(row[0])
