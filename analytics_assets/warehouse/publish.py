"""From the landing into the raw tables: one transaction, all or nothing, and only what differs is written.

A row that the API changed or no longer has is moved to `raw_history` first. Which absences mean a deletion follows
from what was read to its end: a list that was refused, a member who is no longer listed and a month that was not
asked for say nothing about their rows.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import duckdb

from analytics_assets.source.columns import TABLES, ResourceName, Table
from analytics_assets.source.reading import Reading
from analytics_assets.warehouse.comparison import (
    CHANGED,
    COVERED,
    GONE,
    INCOMING,
    Columns,
    attached,
    compare,
    remove_repeats,
)
from analytics_assets.warehouse.connection import connection
from analytics_assets.warehouse.counting import count, counts
from analytics_assets.warehouse.descriptions import CHANGE, LOADED_AT, VALID_TO
from analytics_assets.warehouse.more_memory import with_more_memory
from analytics_assets.warehouse.publications import Published, note_publications
from analytics_assets.warehouse.tables import (
    HISTORY,
    PUBLICATIONS,
    RAW,
    add_columns,
    ensure_tables,
    quoted,
)


def publish(warehouse: Path, landed: Path, resources: Sequence[ResourceName], reading: Reading) -> dict[ResourceName, Published]:
    """Make the raw tables equal to what was read, in one transaction.

    Args:
        warehouse: the file to write; the caller holds the writer's lock.
        landed: the scratch file that dlt has loaded.
        resources: those that were asked for; the parents of a child asked for alone are not among them.
        reading: what was read.

    Returns:
        What it did, per resource.

    Raises:
        WarehouseError: the file can't be opened, or rows that were read have not arrived in the landing.
        duckdb.Error: the transaction failed; the tables are as they were.
    """
    with connection(warehouse) as con, attached(con, landed):
        return with_more_memory(con, partial(_publish, con, resources, reading))


def _publish(
    con: duckdb.DuckDBPyConnection, resources: Sequence[ResourceName], reading: Reading
) -> dict[ResourceName, Published]:
    con.execute("BEGIN TRANSACTION")
    try:
        ensure_tables(con)
        published_at = _next_moment(con)
        published = {name: _publish_table(con, TABLES[name], reading, published_at) for name in resources}
        note_publications(con, reading, published_at, published)
        con.execute("COMMIT")
    except BaseException:
        con.execute("ROLLBACK")
        raise
    return published


def _next_moment(con: duckdb.DuckDBPyConnection) -> datetime:
    """Now, but after every earlier publication, whatever the machine's clock says."""
    row = con.execute(f"SELECT max(published_at) + INTERVAL 1 MICROSECOND FROM {PUBLICATIONS}").fetchone()
    now = datetime.now(UTC)
    return max(now, row[0]) if row and row[0] is not None else now


def _publish_table(con: duckdb.DuckDBPyConnection, table: Table, reading: Reading, published_at: datetime) -> Published:
    raw = f"{RAW}.{table.name}"
    add_columns(con, table.name, reading.lists[table.name].new_columns)
    remove_repeats(con, table)
    columns = Columns.of(con, table)
    compare(con, table, reading, columns)
    read, covered, changed, deleted, total = counts(con, INCOMING, COVERED, CHANGED, GONE, raw)
    if not (changed or deleted) and read == covered:  # each row that was read is there already, and is the same
        return Published(read=read, new=0, changed=0, deleted=0, total=total)
    names = ", ".join(quoted(column) for column in columns.data)
    own = [quoted(column) for column in columns.own] if changed else []
    if own:
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE kept_own AS SELECT id, {', '.join(own)} FROM {raw} "
            f"WHERE id IN (SELECT id FROM {CHANGED})"
        )
    for change, ids, rows in (("edited", CHANGED, changed), ("deleted", GONE, deleted)):
        if rows:
            con.execute(
                f"INSERT INTO {HISTORY}.{table.name} ({names}, {LOADED_AT}, {VALID_TO}, {CHANGE}) "
                f"SELECT {names}, {LOADED_AT}, ?, '{change}' FROM {raw} WHERE id IN (SELECT id FROM {ids})",
                [published_at],
            )
            con.execute(f"DELETE FROM {raw} WHERE id IN (SELECT id FROM {ids})")
    written = con.execute(
        f"INSERT INTO {raw} ({names}, {LOADED_AT}) SELECT {names}, ? FROM {INCOMING} WHERE id NOT IN (SELECT id FROM {raw})",
        [published_at],
    ).fetchone()
    if own:
        values = ", ".join(f"{column} = kept_own.{column}" for column in own)
        con.execute(f"UPDATE {raw} AS raw SET {values} FROM kept_own WHERE kept_own.id = raw.id")
    new = (int(written[0]) if written else 0) - changed
    return Published(read=read, new=new, changed=changed, deleted=deleted, total=count(con, raw))
