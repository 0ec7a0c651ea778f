"""The log of publications: what each sync did, and what of the history of time entries the warehouse covers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import duckdb

from analytics_assets.source.columns import TABLES, ResourceName, Table
from analytics_assets.source.reading import Reading
from analytics_assets.warehouse.tables import HISTORY, PUBLICATIONS, RAW, columns_of, missing_columns


@dataclass(frozen=True)
class Published:
    """What a publication did to one table: rows read, new, changed and deleted, and rows it holds now."""

    read: int
    new: int
    changed: int
    deleted: int
    total: int


def note_publications(
    con: duckdb.DuckDBPyConnection, reading: Reading, published_at: datetime, published: Mapping[ResourceName, Published]
) -> None:
    """Write down what a sync did to each table; part of its transaction."""
    values: list[Any] = []
    for name, did in published.items():
        table = TABLES[name]
        span = (reading.window.start, reading.window.end) if table.is_windowed else (None, None)
        not_read = _lists_not_read(con, table, reading) if table.is_windowed else None
        values += [published_at, name, *span, did.read, did.new, did.changed, did.deleted, reading.began_at, not_read]
    if not values:
        return
    con.execute(
        f"INSERT INTO {PUBLICATIONS} (published_at, resource, window_start, window_end, rows_read, rows_new, rows_changed, "
        f"rows_deleted, read_began_at, lists_not_read) VALUES {', '.join(['(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)'] * len(published))}",
        values,
    )


def _lists_not_read(con: duckdb.DuckDBPyConnection, table: Table, reading: Reading) -> list[str]:
    """The parents that the warehouse knows, or knew, and whose list this reading has not read to its end."""
    known = con.execute(f"SELECT id FROM {RAW}.{table.parent} UNION SELECT id FROM {HISTORY}.{table.parent}").fetchall()
    parents = {parent_id for (parent_id,) in known} | reading.lists[table.name].refused.keys()
    return sorted(parents - reading.lists_that_count(table.name).keys())


def last_published_at(con: duckdb.DuckDBPyConnection) -> datetime | None:
    """When something was published last; None where nothing was."""
    if "published_at" not in columns_of(con, RAW, PUBLICATIONS.split(".")[1]):
        return None
    row = con.execute(f"SELECT max(published_at) FROM {PUBLICATIONS}").fetchone()
    return row[0] if row else None


def covered_until(con: duckdb.DuckDBPyConnection, start_date: date) -> datetime | None:
    """The moment up to which every time entry since the start of history was read; None where none was.

    Coverage is a chain: a reading extends it only where its window begins at or before what is covered so far, and
    only up to the moment when that reading began. A later month that was read by itself leaves a hole before it.

    Args:
        con: a connection to the warehouse.
        start_date: first day of history; a chain that begins later says nothing about it.
    """
    table = TABLES["time_entries"]
    present = columns_of(con, RAW, PUBLICATIONS.split(".")[1])
    if not present or missing_columns(con, table):
        return None
    # a warehouse of an earlier version lacks both columns until the next sync is published
    began = "coalesce(read_began_at, published_at)" if "read_began_at" in present else "published_at"
    valid = "voided_at IS NULL" if "voided_at" in present else "true"
    readings = con.execute(
        f"SELECT window_start, window_end, {began} FROM {PUBLICATIONS} WHERE resource = ? AND {valid} ORDER BY published_at",
        [table.name],
    ).fetchall()
    covered: datetime | None = None
    for start, end, began_at in readings:
        is_first = start.astimezone(UTC).date() <= start_date
        if is_first or (covered is not None and start <= covered):
            reach = began_at if end is None else min(end, began_at)
            covered = reach if covered is None else max(covered, reach)
    return covered
