"""The log of publications: what each sync did, and what of the history of time entries the warehouse covers."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

import duckdb

from analytics_assets.source.columns import TABLES, ResourceName, Table
from analytics_assets.source.reading import Reading
from analytics_assets.source.window import Window
from analytics_assets.warehouse.descriptions import LOADED_AT
from analytics_assets.warehouse.tables import HISTORY, PUBLICATIONS, RAW, columns_of, missing_columns, quoted

_LOG: Final = PUBLICATIONS.split(".")[1]


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
    rows: list[list[Any]] = []
    for name, did in published.items():
        table, window, figures = TABLES[name], reading.window, [did.read, did.new, did.changed, did.deleted]
        if not table.is_windowed:
            rows.append([published_at, name, None, None, *figures, reading.began_at, None, None])
            continue
        not_read = _lists_not_read(con, table, reading)
        rows.append([published_at, name, window.start, window.end, *figures, reading.began_at, not_read, None])
        whole = sorted(reading.whole_lists & reading.lists_that_count(name).keys())
        if reading.history is not None and whole:
            rows.append([published_at, name, reading.history.start, window.start, 0, 0, 0, 0, reading.began_at, [], whole])
    if not rows:
        return
    values = ", ".join(["(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"] * len(rows))
    con.execute(
        f"INSERT INTO {PUBLICATIONS} (published_at, resource, window_start, window_end, rows_read, rows_new, rows_changed, "
        f"rows_deleted, read_began_at, lists_not_read, lists_read) VALUES {values}",
        [value for row in rows for value in row],
    )


def _lists_not_read(con: duckdb.DuckDBPyConnection, table: Table, reading: Reading) -> list[str]:
    """The parents that the warehouse knows, or knew, and whose list this reading has not read to its end."""
    parents = _first_met(con).keys() | reading.lists[table.name].refused.keys()
    return sorted(parents - reading.lists_that_count(table.name).keys())


def last_published_at(con: duckdb.DuckDBPyConnection) -> datetime | None:
    """When something was published last; None where nothing was."""
    if "published_at" not in columns_of(con, RAW, _LOG):
        return None
    row = con.execute(f"SELECT max(published_at) FROM {PUBLICATIONS}").fetchone()
    return row[0] if row else None


def covered_until(con: duckdb.DuckDBPyConnection, start_date: date) -> datetime | None:
    """The moment up to which time entries were read since the start of history; None where none were.

    Coverage is a chain: a reading extends it only where its window begins at or before what is covered so far, and
    only up to the moment when that reading began. A later month that was read by itself leaves a hole before it, and a
    reading that began in the future covers nothing. Of single members `lists_behind` tells which lists were not read meanwhile.

    Args:
        con: a connection to the warehouse.
        start_date: first day of history; a chain that begins later says nothing about it.
    """
    if not columns_of(con, RAW, _LOG) or missing_columns(con, TABLES["time_entries"]):
        return None
    readings = con.execute(
        f"SELECT window_start, window_end, began_at FROM ({_readings(con)}) WHERE lists_read IS NULL ORDER BY published_at"
    ).fetchall()
    covered: datetime | None = None
    for start, end, began_at in readings:
        is_first = start.astimezone(UTC).date() <= start_date
        if is_first or (covered is not None and start <= covered):
            reach = began_at if end is None else min(end, began_at)
            covered = reach if covered is None else max(covered, reach)
    return covered


def lists_behind(con: duckdb.DuckDBPyConnection, lists: Collection[str], window: Window, history: Window) -> set[str]:
    """Those of some lists of time entries of which not every moment of the history before the window has been read.

    A member is new, or the API refused the list at first, or did so for months: what is covered of all other lists says
    nothing about this one.

    Args:
        con: a connection to the warehouse, which covers all history before the window.
        lists: the members whose lists are asked about.
        window: what is read of them now.
        history: all that the warehouse is about.
    """
    found = con.execute(
        "SELECT window_start, least(window_end, max(began_at)), lists_read, lists_not_read, max(published_at) "
        f"FROM ({_readings(con)}) GROUP BY window_start, window_end, lists_read, lists_not_read ORDER BY window_start"
    ).fetchall()
    readings = [
        (start, end, None if read is None else frozenset(read), frozenset(not_read), published_at)
        for start, end, read, not_read, published_at in found
    ]
    all_met = _first_met(con)

    def is_behind(member: str) -> bool:
        covered, met = history.start, all_met.get(member)
        for start, end, read, not_read, published_at in readings:
            was_read = member not in not_read if read is None else member in read
            if start <= covered and was_read and met is not None and met <= published_at:
                covered = max(covered, end)
        return covered < window.start

    return {member for member in lists if is_behind(member)}


def _readings(con: duckdb.DuckDBPyConnection) -> str:
    """A query for the readings of time entries that count.

    A warehouse of an earlier version lacks columns of the log until the next sync is published. A reading that does not
    say whose lists it has not read may have read any or none of them, and counts as none. So does one that began in the
    future: the machine's clock was ahead, and up to which moment it really has read is not known.
    """
    present = columns_of(con, RAW, _LOG)

    def value(column: str, kind: str) -> str:
        return column if column in present else f"NULL::{kind}"

    not_read = value("lists_not_read", "VARCHAR[]")
    began_at = f"coalesce({value('read_began_at', 'TIMESTAMPTZ')}, published_at)"
    return (
        f"SELECT published_at, window_start, window_end, {began_at} AS began_at, {not_read} AS lists_not_read, "
        f"{value('lists_read', 'VARCHAR[]')} AS lists_read FROM {PUBLICATIONS} WHERE resource = 'time_entries' "
        f"AND {value('voided_at', 'TIMESTAMPTZ')} IS NULL AND {not_read} IS NOT NULL "
        f"AND {began_at} <= '{datetime.now(UTC).isoformat()}'::TIMESTAMPTZ"
    )


def _first_met(con: duckdb.DuckDBPyConnection) -> dict[str, datetime | None]:
    """Since when each member is known: by an own row, by one of an entry, or because a sync has read the list by itself.

    No reading before that has asked for the list. What somebody has dropped says nothing.
    """
    table = TABLES["time_entries"]
    rows = [
        f"SELECT {quoted(column)} AS id, {LOADED_AT} AS met_at FROM {schema}.{name}"
        for schema in (RAW, HISTORY)
        for name, column in ((str(table.parent), "id"), (table.name, str(table.parent_column)))
        if {column, LOADED_AT} <= columns_of(con, schema, name).keys()
    ]
    if "lists_read" in columns_of(con, RAW, _LOG):
        rows.append(f"SELECT unnest(lists_read), published_at FROM {PUBLICATIONS} WHERE lists_read IS NOT NULL")
    met = " UNION ALL ".join(rows) or "SELECT NULL::VARCHAR AS id, NULL::TIMESTAMPTZ AS met_at WHERE false"
    return dict(con.execute(f"SELECT id, min(met_at) FROM ({met}) WHERE id IS NOT NULL GROUP BY id").fetchall())
