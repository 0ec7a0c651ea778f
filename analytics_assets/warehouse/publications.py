"""The log of publications: what each sync did, and what of the history of time entries the warehouse covers."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import duckdb

from analytics_assets.source.columns import TABLES, ResourceName, Table
from analytics_assets.source.reading import Reading
from analytics_assets.source.window import Window
from analytics_assets.warehouse.descriptions import LOADED_AT
from analytics_assets.warehouse.tables import HISTORY, PUBLICATIONS, RAW, columns_of, missing_columns, quoted


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
    # a warehouse of an earlier version lacks these columns until the next sync is published
    began = "coalesce(read_began_at, published_at)" if "read_began_at" in present else "published_at"
    valid = "voided_at IS NULL" if "voided_at" in present else "true"
    of_all = "lists_read IS NULL" if "lists_read" in present else "true"
    readings = con.execute(
        f"SELECT window_start, window_end, {began} FROM {PUBLICATIONS} WHERE resource = ? AND {valid} AND {of_all} "
        "ORDER BY published_at",
        [table.name],
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
    present = columns_of(con, RAW, PUBLICATIONS.split(".")[1])
    if "lists_not_read" not in present:
        return set()  # a warehouse of an earlier version does not say what was read of whom; it does after this sync
    table = TABLES["time_entries"]
    alone = "lists_read" if "lists_read" in present else "NULL"
    readings = con.execute(
        f"SELECT window_start, least(window_end, max(coalesce(read_began_at, published_at))), {alone}, "
        f"coalesce(lists_not_read, []), max(published_at) FROM {PUBLICATIONS} WHERE resource = ? AND voided_at IS NULL "
        f"GROUP BY window_start, window_end, {alone}, lists_not_read ORDER BY window_start",
        [table.name],
    ).fetchall()
    met = _first_met(con, table)

    def is_behind(member: str) -> bool:
        covered = history.start
        for start, end, read, not_read, published_at in readings:
            was_read = member not in not_read if read is None else member in read
            if start <= covered and was_read and member in met and met[member] <= published_at:
                covered = max(covered, end)
        return covered < window.start

    return {member for member in lists if is_behind(member)}


def _first_met(con: duckdb.DuckDBPyConnection, table: Table) -> dict[str, datetime]:
    """Since when each parent is known, by its own rows and by those of its list; no earlier reading has asked for the list."""
    places = [
        (schema, *place) for schema in (RAW, HISTORY) for place in ((table.parent, "id"), (table.name, table.parent_column))
    ]
    rows = " UNION ALL ".join(
        f"SELECT {quoted(str(column))} AS id, {LOADED_AT} FROM {schema}.{name}" for schema, name, column in places
    )
    found = con.execute(f"SELECT id, min({LOADED_AT}) FROM ({rows}) WHERE id IS NOT NULL GROUP BY id").fetchall()
    return dict(found)
