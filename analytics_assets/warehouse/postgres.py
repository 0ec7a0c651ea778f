"""A team's warehouse in Postgres: the tables of the DuckDB file, written there in one transaction.

DuckDB stays what everything is read into, compared and built in, so the law and the marts do not depend on where the
tables are delivered. A table whose rows have not changed is not sent again. Readers see the tables of one delivery until
the next one is whole: rows are deleted and inserted, never truncated, which leaves views and permissions of others as they
are. Rows travel as Arrow through Postgres' binary COPY, so no value passes through a text of our own.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import duckdb

from analytics_assets.warehouse.connection import connection
from analytics_assets.warehouse.delivered_tables import DeliveredColumn, DeliveredTable, delivered_tables
from analytics_assets.warehouse.errors import WarehouseError
from analytics_assets.warehouse.identity import WORKSPACE, held_workspace, workspaces_together
from analytics_assets.warehouse.postgres_session import CHOSEN_WITH, PostgresSession, digest, place, postgres_session, short
from analytics_assets.warehouse.tables import RAW, literal, quoted

DELIVERED: Final = f"{RAW}._delivered"
INCOMING: Final = "_incoming"
ROWS_AT_ONCE: Final = 50_000
TYPES: Final[Mapping[str, str]] = {
    "BIGINT": "bigint",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "DOUBLE": "double precision",
    "HUGEINT": "numeric(38,0)",
    "INTEGER": "integer",
    "JSON": "json",
    "TIMESTAMP WITH TIME ZONE": "timestamp with time zone",
    "VARCHAR": "text",
    "VARCHAR[]": "text[]",
}
"""What Postgres calls a type of DuckDB; any other one, of a column that the owner has added, arrives as text."""


class Known(NamedTuple):
    """What a table was when it was delivered: its content, and its columns as Postgres has them, one in a line.

    `written_by` is the number of the transaction, which each row carries until somebody else writes it.
    """

    content: str
    columns: str
    written_by: str


@dataclass(frozen=True)
class Delivery:
    """What is there after a delivery: the rows of each table, and which tables were sent anew."""

    rows: Mapping[str, int]
    sent: Sequence[str]


def deliver(warehouse: Path, url: str) -> Delivery:
    """Make the tables in Postgres equal to those of the warehouse, or leave them as they are.

    Args:
        warehouse: the DuckDB file of a workspace, or that of several; the caller holds the writer's lock.
        url: the database.

    Raises:
        WarehouseError: Postgres can't be reached or refuses something, holds another workspace, or has a table of the same
            name that was not made by this project.
    """
    with connection(warehouse, read_only=True) as con, postgres_session(url) as session:
        session.run("SELECT pg_advisory_xact_lock(hashtext('analytics_assets'))")
        _refuse_other_workspaces(session, con)
        tables, known = delivered_tables(con), _known(session)
        sent = [table for table in tables if not _is_there(session, table, known.get(table.label))]
        for table in sent:
            send(session, con, table, known.get(table.label))
        for label in sorted(known.keys() - {table.label for table in tables}):
            session.run(f"DROP TABLE IF EXISTS {place(label)}")
            session.run(f"DELETE FROM {place(DELIVERED)} WHERE label = {literal(label)}")
        return Delivery({table.label: table.rows for table in tables}, [table.label for table in sent])


def tables_that_differ(warehouse: Path, url: str, labels: Sequence[str] | None = None) -> list[str]:
    """The tables whose rows in Postgres are not those of the warehouse, value by value; also those that are not there.

    Args:
        warehouse: the DuckDB file.
        url: the database.
        labels: the tables to compare, each as schema and name; None for all.

    Raises:
        WarehouseError: Postgres can't be reached, or the warehouse can't be opened.
    """
    with connection(warehouse, read_only=True) as con, postgres_session(url) as session:
        tables = [table for table in delivered_tables(con) if labels is None or table.label in labels]
        return [table.label for table in tables if not _is_equal(session, con, table)]


def assert_reachable(url: str) -> None:
    """Connect, and do nothing.

    Raises:
        WarehouseError: Postgres can't be reached.
    """
    with postgres_session(url) as session:
        session.run("SELECT 1")


def _refuse_other_workspaces(session: PostgresSession, con: duckdb.DuckDBPyConnection) -> None:
    """Raise if Postgres holds what this file does not replace: for one workspace any other, for several those of others only.

    Of several, one that is not loaded any more is taken out, as it is from their file.
    """
    if not (session.exists(WORKSPACE) and session.exists(DELIVERED)):
        return
    there = {str(id) for (id,) in session.rows(f"SELECT workspace_id FROM {place(WORKSPACE)}")}
    several, held = workspaces_together(con), held_workspace(con)
    here = {*several} if several is not None else {held[0]} if held else set()
    is_another = there.isdisjoint(here) if several is not None else not there <= here
    if there and is_another:
        raise WarehouseError(f"Postgres holds {_named(there)}, not {_named(here)}: set {CHOSEN_WITH} to another database.")


def _named(workspaces: Collection[str]) -> str:
    return f"workspace{'' if len(workspaces) == 1 else 's'} {', '.join(sorted(workspaces)) or 'none'}"


def _known(session: PostgresSession) -> dict[str, Known]:
    session.run(f"CREATE SCHEMA IF NOT EXISTS {quoted(RAW)}")
    session.run(
        f"CREATE TABLE IF NOT EXISTS {place(DELIVERED)} (label text PRIMARY KEY, content text NOT NULL, "
        "columns text NOT NULL, written_by text NOT NULL, delivered_at timestamp with time zone NOT NULL DEFAULT now())"
    )
    rows = session.rows(f"SELECT label, content, columns, written_by FROM {place(DELIVERED)}")
    return {label: Known(*known) for label, *known in rows}


def _is_there(session: PostgresSession, table: DeliveredTable, known: Known | None) -> bool:
    """Whether the table was delivered as it is now, and nobody has written there since."""
    if known is None or known.content != digest(table.content) or not session.exists(table.label):
        return False
    ours = f"count(*) FILTER (WHERE xmin::text = {literal(known.written_by)})"
    return session.rows(f"SELECT {ours}, count(*) FROM {place(table.label)}") == [(table.rows, table.rows)]


def send(session: PostgresSession, con: duckdb.DuckDBPyConnection, table: DeliveredTable, known: Known | None) -> None:
    """Replace the rows of a table, and the table where its columns are others.

    Raises:
        WarehouseError: there is a table of that name which was not delivered.
    """
    there, columns = place(table.label), [_definition(column) for column in table.columns]
    if session.exists(table.label):
        if known is None:
            raise WarehouseError(
                f"Postgres has a table {table.label} that this project has not made: rename it, or set {CHOSEN_WITH} to "
                "another database."
            )
        _empty(session, there, known.columns.split("\n"), columns)
    if not session.exists(table.label):
        session.run(f"CREATE SCHEMA IF NOT EXISTS {quoted(table.schema)}")
        session.run(f"CREATE TABLE {there} ({', '.join(columns)})")
    for on, comment in _comments(table):
        session.run(f"COMMENT ON {on} IS {literal(comment) if comment else 'NULL'}")
    if table.rows:
        _insert(session, con, table)
    session.run(f"DELETE FROM {place(DELIVERED)} WHERE label = {literal(table.label)}")
    noted = ", ".join(map(literal, (table.label, digest(table.content), "\n".join(columns))))
    session.run(
        f"INSERT INTO {place(DELIVERED)} (label, content, columns, written_by) VALUES ({noted}, pg_current_xact_id()::xid::text)"
    )


def _empty(session: PostgresSession, there: str, before: Sequence[str], now: Sequence[str]) -> None:
    """Take out the rows, and the table too where a column has gone or has another type."""
    if not {*before} <= {*now}:
        session.run(f"DROP TABLE {there}")
        return
    session.run(f"DELETE FROM {there}")
    for column in now:
        if column not in before:
            session.run(f"ALTER TABLE {there} ADD COLUMN {column}")


def _insert(session: PostgresSession, con: duckdb.DuckDBPyConnection, table: DeliveredTable) -> None:
    selected = ", ".join(f"{_comparable(column, quoted(column.name))} AS {name}" for name, column in _numbered(table))
    rows = con.execute(f"SELECT {selected} FROM {quoted(table.schema)}.{quoted(table.name)}")
    session.bring(rows.to_arrow_reader(ROWS_AT_ONCE), INCOMING)
    names = ", ".join(quoted(short(column.name)) for column in table.columns)
    values = ", ".join(f"{name}::{_type(column)}" for name, column in _numbered(table))
    session.run(f"INSERT INTO {place(table.label)} ({names}) SELECT {values} FROM pg_temp.{INCOMING}")
    session.run(f"DROP TABLE pg_temp.{INCOMING}")


def _is_equal(session: PostgresSession, con: duckdb.DuckDBPyConnection, table: DeliveredTable) -> bool:
    """Whether both have the same rows, by the sum of the hashes of rows: what came back has the types of DuckDB again."""
    if not session.exists(table.label):
        return False
    # numbers as text, because Arrow has none that holds all of Postgres'
    text = {name: "::text" if _type(column).startswith(("json", "numeric")) else "" for name, column in _numbered(table)}
    asked = ", ".join(f"{quoted(short(column.name))}{text[name]} AS {name}" for name, column in _numbered(table))
    here = ", ".join(_comparable(column, quoted(column.name)) for column in table.columns)
    there = ", ".join(f"{name}::{_compared_type(column)}" for name, column in _numbered(table))
    with session.arrow(f"SELECT {asked} FROM {place(table.label)}") as came:
        con.register("came", came)
        found = con.execute(f"SELECT count(*), sum(hash(row({there}))::HUGEINT) FROM came").fetchone()
        con.unregister("came")
    return (
        found
        == con.execute(
            f"SELECT count(*), sum(hash(row({here}))::HUGEINT) FROM {quoted(table.schema)}.{quoted(table.name)}"
        ).fetchone()
    )


def _numbered(table: DeliveredTable) -> list[tuple[str, DeliveredColumn]]:
    """The columns under names that are short and need no quotes."""
    return [(f"c{number}", column) for number, column in enumerate(table.columns)]


def _type(column: DeliveredColumn) -> str:
    if decimal := re.fullmatch(r"DECIMAL(\(\d+,\d+\))", column.duckdb_type):
        return f"numeric{decimal[1]}"
    return TYPES.get(column.duckdb_type, "text")


def _compared_type(column: DeliveredColumn) -> str:
    """The type of DuckDB in which a value travels and is compared: text for JSON, and for what Postgres keeps as text."""
    return "VARCHAR" if _type(column) in ("json", "text") else column.duckdb_type


def _comparable(column: DeliveredColumn, sql: str) -> str:
    return sql if _compared_type(column) == column.duckdb_type else f"{sql}::VARCHAR"


def _definition(column: DeliveredColumn) -> str:
    return f"{quoted(short(column.name))} {_type(column)}"


def _comments(table: DeliveredTable) -> Iterator[tuple[str, str | None]]:
    there = place(table.label)
    yield f"TABLE {there}", table.comment
    for column in table.columns:
        yield f"COLUMN {there}.{quoted(short(column.name))}", column.comment
