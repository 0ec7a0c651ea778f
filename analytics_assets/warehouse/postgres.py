"""A team's warehouse in Postgres: the tables of the DuckDB file, written there in one transaction.

DuckDB stays what everything is read into, compared and built in, so the law and the marts do not depend on where the
tables are delivered. A table whose rows have not changed is not sent again. Readers see the tables of one delivery until
the next one is whole: rows are deleted and inserted, never truncated, which leaves views and permissions of others as they
are. Rows travel as Arrow through Postgres' binary COPY, so no value passes through a text of our own.
"""

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import duckdb

from analytics_assets.warehouse.connection import connection
from analytics_assets.warehouse.delivered_tables import DeliveredColumn, DeliveredTable, delivered_tables
from analytics_assets.warehouse.errors import WarehouseError
from analytics_assets.warehouse.identity import WORKSPACE, held_workspace
from analytics_assets.warehouse.tables import RAW, literal, quoted

CHOSEN_WITH: Final = "ANALYTICS_DESTINATION_URL"
DELIVERED: Final = f"{RAW}._delivered"
INCOMING: Final = "_incoming"
LONGEST_NAME_BYTES: Final = 63
"""Postgres cuts longer names off without an error, and two columns may then have one name."""
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


@dataclass(frozen=True)
class Delivery:
    """What is there after a delivery: the rows of each table, and which tables were sent anew."""

    rows: Mapping[str, int]
    sent: Sequence[str]


def deliver(warehouse: Path, url: str) -> Delivery:
    """Make the tables in Postgres equal to those of the warehouse, or leave them as they are.

    Args:
        warehouse: the DuckDB file; the caller holds the writer's lock.
        url: the database, like postgresql://user:password@host:5432/name; what it leaves out, libpq takes from its own
            variables, such as PGPASSWORD.

    Raises:
        WarehouseError: Postgres can't be reached or refuses something, holds another workspace, or has a table of the same
            name that was not made by this project.
    """
    with connection(warehouse, read_only=True) as con, _session(url) as session:
        held = held_workspace(con)
        session.run("SELECT pg_advisory_xact_lock(hashtext('analytics_assets'))")
        session.refuse_another_workspace(held[0] if held else None)
        tables, known = delivered_tables(con), session.known()
        sent = [table for table in tables if not session.is_there(table, known.get(table.label))]
        for table in sent:
            session.send(con, table, known.get(table.label))
        for label in sorted(known.keys() - {table.label for table in tables}):
            session.drop(label)
        return Delivery({table.label: table.rows for table in tables}, [table.label for table in sent])


def row_counts(url: str, labels: Sequence[str]) -> dict[str, int | None]:
    """How many rows the tables have in Postgres; None for no table.

    Args:
        url: the database.
        labels: the tables, each as schema and name.

    Raises:
        WarehouseError: Postgres can't be reached.
    """
    with _session(url) as session:
        return {label: session.count(label) if session.exists(label) else None for label in labels}


def assert_reachable(url: str) -> None:
    """Connect, and do nothing.

    Raises:
        WarehouseError: Postgres can't be reached.
    """
    with _session(url) as session:
        session.run("SELECT 1")


def shown_address(url: str) -> str:
    """Host and database of the address, without user and password."""
    parts = urlsplit(url)
    return f"{parts.hostname or 'local socket'}{f':{parts.port}' if parts.port else ''}{parts.path}"


class _Session:
    """One transaction in Postgres."""

    def __init__(self, con: Any) -> None:
        self._con = con

    def run(self, sql: str) -> None:
        """Run a statement."""
        with self._con.cursor() as cursor:
            cursor.execute(sql)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        with self._con.cursor() as cursor:
            cursor.execute(sql)
            return list(cursor.fetchall())

    def exists(self, label: str) -> bool:
        """Whether there is such a table."""
        return self.rows(f"SELECT to_regclass({literal(_place(label))}) IS NOT NULL") == [(True,)]

    def count(self, label: str) -> int:
        """How many rows a table has."""
        ((count,),) = self.rows(f"SELECT count(*) FROM {_place(label)}")
        return int(count)

    def refuse_another_workspace(self, workspace_id: str | None) -> None:
        """Raise if what was delivered before is of another workspace.

        Raises:
            WarehouseError: it is.
        """
        if self.exists(WORKSPACE) and self.exists(DELIVERED):
            there = self.rows(f"SELECT workspace_id FROM {_place(WORKSPACE)}")
            if there and there != [(workspace_id,)]:
                raise WarehouseError(
                    f"Postgres holds workspace {there[0][0]}, not workspace {workspace_id}: set {CHOSEN_WITH} to another "
                    "database."
                )

    def known(self) -> dict[str, tuple[str, str]]:
        """What was delivered before: each table's content and columns."""
        self.run(f"CREATE SCHEMA IF NOT EXISTS {quoted(RAW)}")
        self.run(
            f"CREATE TABLE IF NOT EXISTS {_place(DELIVERED)} (label text PRIMARY KEY, content text NOT NULL, "
            "columns text NOT NULL, delivered_at timestamp with time zone NOT NULL DEFAULT now())"
        )
        return {
            label: (content, columns)
            for label, content, columns in self.rows(f"SELECT label, content, columns FROM {_place(DELIVERED)}")
        }

    def is_there(self, table: DeliveredTable, known: tuple[str, str] | None) -> bool:
        """Whether the table was delivered as it is now, and still has as many rows."""
        is_same = known is not None and known[0] == _digest(table.content) and self.exists(table.label)
        return is_same and self.count(table.label) == table.rows

    def send(self, con: duckdb.DuckDBPyConnection, table: DeliveredTable, known: tuple[str, str] | None) -> None:
        """Replace the rows of a table, and the table where its columns are others.

        Raises:
            WarehouseError: there is a table of that name which was not delivered.
        """
        place, columns = _place(table.label), "\n".join(_definition(column) for column in table.columns)
        if self.exists(table.label):
            if known is None:
                raise WarehouseError(
                    f"Postgres has a table {table.label} that this project has not made: rename it, or set {CHOSEN_WITH} to "
                    "another database."
                )
            self._empty(place, known[1].split("\n"), columns.split("\n"))
        if not self.exists(table.label):
            self.run(f"CREATE SCHEMA IF NOT EXISTS {quoted(table.schema)}")
            self.run(f"CREATE TABLE {place} ({columns.replace(chr(10), ', ')})")
        for on, comment in _comments(table):
            self.run(f"COMMENT ON {on} IS {literal(comment) if comment else 'NULL'}")
        self._insert(con, table)
        self.run(f"DELETE FROM {_place(DELIVERED)} WHERE label = {literal(table.label)}")
        self.run(
            f"INSERT INTO {_place(DELIVERED)} (label, content, columns) "
            f"VALUES ({literal(table.label)}, {literal(_digest(table.content))}, {literal(columns)})"
        )

    def _empty(self, place: str, before: Sequence[str], now: Sequence[str]) -> None:
        """Take out the rows, and the table too where a column has gone or has another type."""
        if not {*before} <= {*now}:
            self.run(f"DROP TABLE {place}")
            return
        self.run(f"DELETE FROM {place}")
        for column in now:
            if column not in before:
                self.run(f"ALTER TABLE {place} ADD COLUMN {column}")

    def _insert(self, con: duckdb.DuckDBPyConnection, table: DeliveredTable) -> None:
        if not table.rows:
            return
        selected = ", ".join(_selected(column, number) for number, column in enumerate(table.columns))
        rows = con.execute(f"SELECT {selected} FROM {quoted(table.schema)}.{quoted(table.name)}").to_arrow_reader(50_000)
        with self._con.cursor() as cursor:
            cursor.adbc_ingest(INCOMING, rows, mode="create", temporary=True)
        names = ", ".join(quoted(_short(column.name)) for column in table.columns)
        values = ", ".join(f"c{number}::{_type(column)}" for number, column in enumerate(table.columns))
        self.run(f"INSERT INTO {_place(table.label)} ({names}) SELECT {values} FROM pg_temp.{INCOMING}")
        self.run(f"DROP TABLE pg_temp.{INCOMING}")

    def drop(self, label: str) -> None:
        """Remove a table that the warehouse has no more."""
        self.run(f"DROP TABLE IF EXISTS {_place(label)}")
        self.run(f"DELETE FROM {_place(DELIVERED)} WHERE label = {literal(label)}")


@contextlib.contextmanager
def _session(url: str) -> Iterator[_Session]:
    """A transaction that is committed at the end of the block.

    Raises:
        WarehouseError: Postgres can't be reached, or refuses something; it is as it was before.
    """
    try:
        from adbc_driver_postgresql import dbapi
    except ImportError:
        raise WarehouseError(
            "ANALYTICS_DESTINATION=postgres needs the extra `postgres`: pip install 'analytics-assets[postgres]'."
        ) from None
    try:
        with dbapi.connect(url) as con:
            yield _Session(con)
            con.commit()
    except dbapi.Error as error:
        raise WarehouseError(f"Postgres ({shown_address(url)}) refused: {_words_of(error, url)}") from None


def _words_of(error: Exception, url: str) -> str:
    """What Postgres says, in one line and without the password."""
    said = " ".join(str(error).split()).removeprefix("INVALID_ARGUMENT: ")
    for secret in (url, urlsplit(url).password):
        if secret:
            said = said.replace(secret, "***")
    return re.sub(r"\. SQLSTATE: \w+$", "", said) + "."


def _place(label: str) -> str:
    schema, _, name = label.partition(".")
    return f"{quoted(schema)}.{quoted(_short(name))}"


def _short(name: str) -> str:
    """The name, or where it is too long its beginning and what tells it from others that begin so."""
    encoded = name.encode()
    if len(encoded) <= LONGEST_NAME_BYTES:
        return name
    return f"{encoded[: LONGEST_NAME_BYTES - 9].decode(errors='ignore')}_{_digest(name)[:8]}"


def _type(column: DeliveredColumn) -> str:
    if decimal := re.fullmatch(r"DECIMAL(\(\d+,\d+\))", column.duckdb_type):
        return f"numeric{decimal[1]}"
    return TYPES.get(column.duckdb_type, "text")


def _definition(column: DeliveredColumn) -> str:
    return f"{quoted(_short(column.name))} {_type(column)}"


def _selected(column: DeliveredColumn, number: int) -> str:
    """The column as Arrow has it: what becomes text or JSON as text."""
    is_text = _type(column) in ("json", "text") and column.duckdb_type != "VARCHAR"
    return f"{quoted(column.name)}{'::VARCHAR' if is_text else ''} AS c{number}"


def _comments(table: DeliveredTable) -> Iterator[tuple[str, str | None]]:
    place = _place(table.label)
    yield f"TABLE {place}", table.comment
    for column in table.columns:
        yield f"COLUMN {place}.{quoted(_short(column.name))}", column.comment


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()
