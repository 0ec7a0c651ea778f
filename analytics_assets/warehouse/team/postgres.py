"""A team's warehouse in Postgres: tables are written there in one transaction.

Readers see the tables of one delivery until the next one is whole: rows are deleted and inserted, never truncated, which
leaves views and permissions of others as they are. Rows travel as Arrow through Postgres' binary COPY, so no value passes
through a text of our own.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, NamedTuple

import duckdb

from analytics_assets.warehouse.identity import WORKSPACE
from analytics_assets.warehouse.tables import RAW, literal, quoted
from analytics_assets.warehouse.team.adbc_session import AdbcSession
from analytics_assets.warehouse.team.delivered_tables import DeliveredColumn, DeliveredTable, are_rows_of
from analytics_assets.warehouse.team.delivery import DELIVERED, digest, not_ours
from analytics_assets.warehouse.team.postgres_session import columns_of, exists, of_column, place, postgres_session, shown_address

ENGINE: Final = "Postgres"
INCOMING: Final = "_incoming"
ROWS_AT_ONCE: Final = 50_000
LONGEST_WAIT: Final = "1min"
"""For a reader whose open transaction keeps a table from getting a column or being dropped; a database may have its own bound."""
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
class Postgres:
    """A team's Postgres.

    `url` is like postgresql://user:password@host:5432/name; what it leaves out, libpq takes from its own variables.
    """

    url: str = field(repr=False)
    engine: str = ENGINE

    @property
    def shown_address(self) -> str:
        """Host and database."""
        return shown_address(self.url)

    @contextmanager
    def receiving(self, con: duckdb.DuckDBPyConnection) -> Iterator["PostgresReceiver"]:
        """A transaction there; a second one waits until the first has ended, see `TeamWarehouse.receiving`."""
        with postgres_session(self.url) as session:
            session.run("SELECT pg_advisory_xact_lock(hashtext('analytics_assets'))")
            # not for ever: whoever wants to read the table meanwhile waits behind the statement that waits
            session.run(
                f"SELECT set_config('lock_timeout', {literal(LONGEST_WAIT)}, true) WHERE current_setting('lock_timeout') = '0'"
            )
            yield PostgresReceiver(con, session)

    def assert_reachable(self) -> None:
        """Connect, and do nothing, see `TeamWarehouse.assert_reachable`."""
        with postgres_session(self.url) as session:
            session.run("SELECT 1")


class PostgresReceiver:
    """The transaction in which tables arrive; what its methods promise stands in `Receiver`."""

    def __init__(self, con: duckdb.DuckDBPyConnection, session: AdbcSession) -> None:
        self._con = con
        self._session = session

    @cached_property
    def known(self) -> dict[str, Known]:
        """What was delivered before, by schema and name."""
        self._session.run(f"CREATE SCHEMA IF NOT EXISTS {quoted(RAW)}")
        self._session.run(
            f"CREATE TABLE IF NOT EXISTS {place(DELIVERED)} (label text PRIMARY KEY, content text NOT NULL, "
            "columns text NOT NULL, written_by text NOT NULL, delivered_at timestamp with time zone NOT NULL DEFAULT now())"
        )
        rows = self._session.rows(f"SELECT label, content, columns, written_by FROM {place(DELIVERED)}")
        return {label: Known(*known) for label, *known in rows}

    def workspaces(self) -> set[str]:
        """The workspaces that were delivered before; a table of that name alone does not tell, it may be somebody else's."""
        if not (exists(self._session, WORKSPACE) and exists(self._session, DELIVERED)):
            return set()
        return {str(id) for (id,) in self._session.rows(f"SELECT workspace_id FROM {place(WORKSPACE)}")}

    def has(self, table: DeliveredTable) -> bool:
        """Whether each row was written by the transaction that delivered the table as it is now."""
        known, is_there = self.known.get(table.label), exists(self._session, table.label)
        if is_there and known is None:
            raise not_ours(ENGINE, table.label)
        if known is None or known.content != digest(table.content) or not self._has_columns(table):
            return False
        ours = f"count(*) FILTER (WHERE xmin::text = {literal(known.written_by)})"
        return self._session.rows(f"SELECT {ours}, count(*) FROM {place(table.label)}") == [(table.rows, table.rows)]

    def send(self, table: DeliveredTable) -> None:
        """Replace the rows of a table, and the table where a column has gone or has another type."""
        session, there, columns = self._session, place(table.label), [_definition(column) for column in table.columns]
        if exists(session, table.label):
            _empty(session, table, self.known[table.label].columns.split("\n"))
        if not exists(session, table.label):
            session.run(f"CREATE SCHEMA IF NOT EXISTS {quoted(table.schema)}")
            session.run(f"CREATE TABLE {there} ({', '.join(columns)})")
        for on, comment in _comments(table):
            session.run(f"COMMENT ON {on} IS {literal(comment) if comment else 'NULL'}")
        if table.rows:
            _insert(session, self._con, table)
        session.run(f"DELETE FROM {place(DELIVERED)} WHERE label = {literal(table.label)}")
        noted = ", ".join(map(literal, (table.label, digest(table.content), "\n".join(columns))))
        session.run(
            f"INSERT INTO {place(DELIVERED)} (label, content, columns, written_by) "
            f"VALUES ({noted}, pg_current_xact_id()::xid::text)"
        )

    def take_out(self, label: str) -> None:
        """Drop a table that was delivered before."""
        self._session.run(f"DROP TABLE IF EXISTS {place(label)}")
        self._session.run(f"DELETE FROM {place(DELIVERED)} WHERE label = {literal(label)}")

    def is_equal(self, table: DeliveredTable) -> bool:
        """Whether both have the same rows: what comes back has the types of DuckDB again."""
        if not self._has_columns(table):
            return False
        # numbers as text, because Arrow has none that holds all of Postgres'
        casts = ["::text" if _type(column).startswith(("json", "numeric")) else "" for column in table.columns]
        numbered = zip(table.numbered_columns, casts, strict=True)
        asked = ", ".join(f"{quoted(of_column(column.name))}{cast} AS {name}" for (name, column), cast in numbered)
        here = ", ".join(_comparable(column, quoted(column.name)) for column in table.columns)
        there = ", ".join(f"{name}::{_compared_type(column)}" for name, column in table.numbered_columns)
        with self._session.arrow(f"SELECT {asked} FROM {place(table.label)}") as came:
            return are_rows_of(self._con, table, came, there=there, here=here)

    def _has_columns(self, table: DeliveredTable) -> bool:
        """Whether the table is there, with each column that it has here; those that somebody else has added stay empty."""
        return {of_column(column.name) for column in table.columns} <= columns_of(self._session, table.label)


def _empty(session: AdbcSession, table: DeliveredTable, before: Sequence[str]) -> None:
    """Take out the rows, and the table too where a column has gone or has another type; add the columns that are missing."""
    there, now = place(table.label), {of_column(column.name): _definition(column) for column in table.columns}
    if not {*before} <= {*now.values()}:
        session.run(f"DROP TABLE {there}")
        return
    session.run(f"DELETE FROM {there}")
    found = columns_of(session, table.label)
    for name, column in now.items():
        if column not in before or name not in found:
            session.run(f"ALTER TABLE {there} ADD COLUMN {column}")


def _insert(session: AdbcSession, con: duckdb.DuckDBPyConnection, table: DeliveredTable) -> None:
    selected = ", ".join(f"{_comparable(column, quoted(column.name))} AS {name}" for name, column in table.numbered_columns)
    rows = con.execute(f"SELECT {selected} FROM {quoted(table.schema)}.{quoted(table.name)}")
    session.bring(rows.to_arrow_reader(ROWS_AT_ONCE), INCOMING)
    names = ", ".join(quoted(of_column(column.name)) for column in table.columns)
    values = ", ".join(f"{name}::{_type(column)}" for name, column in table.numbered_columns)
    session.run(f"INSERT INTO {place(table.label)} ({names}) SELECT {values} FROM pg_temp.{INCOMING}")
    session.run(f"DROP TABLE pg_temp.{INCOMING}")


def _type(column: DeliveredColumn) -> str:
    if decimal := re.fullmatch(r"DECIMAL(\(\d+,\d+\))", column.duckdb_type):
        return f"numeric{decimal[1]}"
    return TYPES.get(column.duckdb_type, "text")


def _compared_type(column: DeliveredColumn) -> str:
    """The type of DuckDB in which a value travels and is compared: text for JSON, and for what Postgres keeps as text."""
    return "VARCHAR" if _type(column) in ("json", "text") else column.duckdb_type


def _comparable(column: DeliveredColumn, sql: str) -> str:
    """The value as it travels; no text of Postgres holds the sign number 0, so the sign for one that is unknown stands there."""
    if _type(column) == "text":
        return f"replace({sql}::VARCHAR, chr(0), chr(65533))"
    if _type(column) == "text[]":
        return f"[replace(text, chr(0), chr(65533)) FOR text IN {sql}]"
    return sql if _compared_type(column) == column.duckdb_type else f"{sql}::VARCHAR"


def _definition(column: DeliveredColumn) -> str:
    return f"{quoted(of_column(column.name))} {_type(column)}"


def _comments(table: DeliveredTable) -> Iterator[tuple[str, str | None]]:
    there = place(table.label)
    yield f"TABLE {there}", table.comment
    for column in table.columns:
        yield f"COLUMN {there}.{quoted(of_column(column.name))}", column.comment
