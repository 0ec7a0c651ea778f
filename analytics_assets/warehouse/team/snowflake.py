"""A team's warehouse in Snowflake: what changes rows is one transaction there, at the end of a delivery.

Each statement that makes or alters a table ends a transaction of Snowflake's, so those come first, on tables that no reader
looks at, or add a column that is empty until the rows come. A table in which a column goes or gets another type is made beside
the old one, and takes its place in one step after the transaction. Names are in capitals, as Snowflake writes those that
nobody has quoted. Values travel as numbers and texts whose meaning does not depend on a session's settings.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, NamedTuple

import duckdb

from analytics_assets.warehouse.identity import WORKSPACE
from analytics_assets.warehouse.tables import RAW, quoted
from analytics_assets.warehouse.team.adbc_session import AdbcSession
from analytics_assets.warehouse.team.delivered_tables import SCHEMAS, DeliveredColumn, DeliveredTable, are_rows_of
from analytics_assets.warehouse.team.delivery import DELIVERED, digest, not_ours, shortened
from analytics_assets.warehouse.team.snowflake_session import shown_address, snowflake_session
from analytics_assets.warehouse.team.snowflake_types import LONGEST_NAME_BYTES, literal, way_of

ENGINE: Final = "Snowflake"
ROWS_AT_ONCE: Final = 50_000
NOTES: Final = "LABEL VARCHAR, CONTENT VARCHAR, COUNTED VARCHAR, COLUMNS VARCHAR"
"""The columns of the table that says what was delivered."""
NEXT: Final = "__NEXT"
"""Begins the ending of the name of a table that will take the place of another one; it is written down as ours like any other."""


class Known(NamedTuple):
    """What a table was when it was delivered: its content here, what was counted there, and its columns, one in a line.

    No columns stand there while another table is about to take its place: which of both it is, is not known then.
    """

    content: str
    counted: str
    columns: str


@dataclass(frozen=True)
class Snowflake:
    """A database of a team's in Snowflake; `address` is like snowflake://user:password@account/database?warehouse=name."""

    address: str = field(repr=False)
    engine: str = ENGINE

    @property
    def shown_address(self) -> str:
        """Account and database."""
        return shown_address(self.address)

    @contextmanager
    def receiving(self, con: duckdb.DuckDBPyConnection) -> Iterator["SnowflakeReceiver"]:
        """What is sent is there when the block has ended, see `TeamWarehouse.receiving`."""
        with snowflake_session(self.address) as session:
            receiver = SnowflakeReceiver(con, session)
            yield receiver
            receiver.publish()

    def assert_reachable(self) -> None:
        """Connect, and do nothing, see `TeamWarehouse.assert_reachable`."""
        with snowflake_session(self.address) as session:
            session.run("SELECT 1")


class SnowflakeReceiver:
    """What arrives, and what is done with it at the end; what its methods promise stands in `Receiver`."""

    def __init__(self, con: duckdb.DuckDBPyConnection, session: AdbcSession) -> None:
        self._con = con
        self._session = session
        self._transaction: list[str] = []
        self._afterwards: list[str] = []

    @cached_property
    def known(self) -> dict[str, Known]:
        """What was delivered before, by schema and name."""
        if _path(DELIVERED) not in self._columns:
            return {}
        rows = self._session.rows(f"SELECT LABEL, CONTENT, COUNTED, COLUMNS FROM {_place(DELIVERED)}")
        return {label: Known(*known) for label, *known in rows}

    def workspaces(self) -> set[str]:
        """The workspaces that were delivered before; a table of that name alone does not tell, it may be somebody else's."""
        if not {_path(WORKSPACE), _path(DELIVERED)} <= self._columns.keys():
            return set()
        return {str(id) for (id,) in self._session.rows(f"SELECT WORKSPACE_ID FROM {_place(WORKSPACE)}")}

    def has(self, table: DeliveredTable) -> bool:
        """Whether the table was delivered as it is now, and counts there as it did then."""
        known = self.known.get(table.label)
        if known is None and _path(table.label) in self._columns:
            raise not_ours(ENGINE, table.label)
        if known is None or not self._has_columns(table):
            return False
        if (known.content, known.columns) != (digest(table.content), _definitions(table)):
            return False
        return self._session.rows(f"SELECT {_counted(_place(table.label))}") == [(known.counted,)]

    def send(self, table: DeliveredTable) -> None:
        """Bring the rows, and note what the transaction has to do with them."""
        there = self._place_to_fill(table, [_definition(each) for each in table.columns])
        is_beside = there != _place(table.label)
        self._session.run(f"COMMENT ON TABLE {there} IS {literal(table.comment or '')}")
        self._transaction.append(f"DELETE FROM {there}")
        if table.rows:
            self._transaction.append(self._insertion(table, there))
        defined = "" if is_beside else _definitions(table)
        self._transaction += [
            _forget(table.label),
            _note(table.label, defined, literal(digest(table.content)), _counted(there)),
        ]
        if is_beside:
            self._afterwards += [
                f"ALTER TABLE {_place(table.label)} SWAP WITH {there}",
                f"UPDATE {_place(DELIVERED)} SET COLUMNS = {literal(_definitions(table))} WHERE LABEL = {literal(table.label)}",
                f"DROP TABLE {there}",
                _forget(_beside(table.label)),
            ]

    def take_out(self, label: str) -> None:
        """Drop a table that was delivered before, after the transaction."""
        self._afterwards += [f"DROP TABLE IF EXISTS {_place(label)}", _forget(label)]

    def is_equal(self, table: DeliveredTable) -> bool:
        """Whether both have the same rows: what comes back are the numbers and texts that were sent."""
        if not self._has_columns(table):
            return False
        ways = [(name, column, way_of(column.duckdb_type)) for name, column in table.numbered_columns]
        asked = ", ".join(f"{way.comes_back(_name(column.name))} AS {name}" for name, column, way in ways)
        here = ", ".join(way.compared(quoted(column.name)) for _, column, way in ways)
        there = ", ".join(f"{name}::{way.compared_type}" for name, _, way in ways)
        with self._session.arrow(f"SELECT {asked} FROM {_place(table.label)}") as came:
            return are_rows_of(self._con, table, came, there=there, here=here)

    def publish(self) -> None:
        """Do in one transaction what was noted, and after it what can't be part of one."""
        if self._transaction:
            self._session.run("BEGIN")
            try:
                for statement in self._transaction:
                    self._session.run(statement)
            except BaseException:
                with suppress(Exception):  # where the line is cut, it is taken back at the other end
                    self._session.run("ROLLBACK")
                raise
            self._session.run("COMMIT")
        for statement in self._afterwards:
            self._session.run(statement)

    def _place_to_fill(self, table: DeliveredTable, columns: Sequence[str]) -> str:
        """A table with these columns, which is empty or has the rows of before: its own, or one that takes its place later."""
        there, known, is_there = _place(table.label), self.known.get(table.label), _path(table.label) in self._columns
        if not is_there:
            self._session.run(f"CREATE SCHEMA IF NOT EXISTS {_name(RAW)}")
            self._session.run(f"CREATE TABLE IF NOT EXISTS {_place(DELIVERED)} ({NOTES})")
            self._write_down(table.label, table)
            self._session.run(f"CREATE SCHEMA IF NOT EXISTS {_name(table.schema)}")
            self._session.run(f"CREATE TABLE {there} ({', '.join(columns)})")
            return there
        before = known.columns.split("\n") if known is not None else []
        if {*before} <= {*columns} and {*map(_column_name, before)} == {*self._columns[_path(table.label)]}:
            for column in columns:
                if column not in before:
                    self._session.run(f"ALTER TABLE {there} ADD COLUMN {column}")
            return there
        label = _beside(table.label)
        if _path(label) in self._columns and label not in self.known:
            raise not_ours(ENGINE, label)
        self._write_down(label, table)
        self._session.run(f"CREATE OR REPLACE TABLE {_place(label)} ({', '.join(columns)})")
        return _place(label)

    def _write_down(self, label: str, table: DeliveredTable) -> None:
        """Before a table is made, so that it is known as ours if this delivery does not come to its end."""
        self._session.run(_forget(label))
        self._session.run(_note(label, _definitions(table)))

    def _insertion(self, table: DeliveredTable, there: str) -> str:
        """Bring the rows into a table of this session; returns how they come from there into their own."""
        ways = [(name, column, way_of(column.duckdb_type)) for name, column in table.numbered_columns]
        leaving = ", ".join(f"{way.leaves(quoted(column.name))} AS {name.upper()}" for name, column, way in ways)
        rows = self._con.execute(f"SELECT {leaving} FROM {quoted(table.schema)}.{quoted(table.name)}")
        incoming = f"_INCOMING_{digest(table.label)[:16].upper()}"
        columns = ", ".join(f"{quoted(name.upper())} {way.travelling}" for name, _, way in ways)
        self._session.run(f"CREATE OR REPLACE TEMPORARY TABLE {_name(RAW)}.{quoted(incoming)} ({columns})")
        # the driver names no schema, and whoever makes one is in it from then on
        self._session.run(f"USE SCHEMA {_name(RAW)}")
        self._session.append(rows.to_arrow_reader(ROWS_AT_ONCE), incoming)
        names = ", ".join(_name(column.name) for _, column, _ in ways)
        arriving = ", ".join(way.arrives(quoted(name.upper())) for name, _, way in ways)
        return f"INSERT INTO {there} ({names}) SELECT {arriving} FROM {_name(RAW)}.{quoted(incoming)}"

    def _has_columns(self, table: DeliveredTable) -> bool:
        """Whether the table is there with the columns that it has here; those that came later stand behind the others."""
        return {*self._columns.get(_path(table.label), ())} == {_short(column.name) for column in table.columns}

    @cached_property
    def _columns(self) -> Mapping[tuple[str, str], Sequence[str]]:
        """The columns of each table of these schemas when the session began, by schema and name."""
        schemas = ", ".join(literal(schema.upper()) for schema in SCHEMAS)
        found: dict[tuple[str, str], list[str]] = {}
        for schema, name, column in self._session.rows(
            f"SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME FROM INFORMATION_SCHEMA.COLUMNS WHERE TABLE_SCHEMA IN ({schemas}) "
            "ORDER BY TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION"
        ):
            found.setdefault((schema, name), []).append(column)
        return found


def _note(label: str, defined: str, content: str = "''", counted: str = "''") -> str:
    """What writes down what a table is that was delivered, or is about to be."""
    values = f"{literal(label)}, {literal(defined)}, {content}, {counted}"
    return f"INSERT INTO {_place(DELIVERED)} (LABEL, COLUMNS, CONTENT, COUNTED) SELECT {values}"


def _forget(label: str) -> str:
    return f"DELETE FROM {_place(DELIVERED)} WHERE LABEL = {literal(label)}"


def _beside(label: str) -> str:
    """What a table is called that will take the place of this one; no table is called so by chance."""
    return f"{label}{NEXT}_{digest(label)[:8]}"


def _counted(place: str) -> str:
    """A query of how many rows there are, and of a hash that does not depend on their order."""
    return f"(SELECT COUNT(*)::VARCHAR || ' ' || HASH_AGG(*)::VARCHAR FROM {place})"


def _short(name: str) -> str:
    capitals = "".join(letter.upper() if letter.isascii() else letter for letter in name)
    return shortened(capitals, LONGEST_NAME_BYTES)


def _name(name: str) -> str:
    return quoted(_short(name))


def _path(label: str) -> tuple[str, str]:
    schema, _, name = label.partition(".")
    return _short(schema), _short(name)


def _place(label: str) -> str:
    schema, name = _path(label)
    return f"{quoted(schema)}.{quoted(name)}"


def _definition(column: DeliveredColumn) -> str:
    comment = f" COMMENT {literal(' '.join(column.comment.split()))}" if column.comment else ""
    return f"{_name(column.name)} {way_of(column.duckdb_type).type}{comment}"


def _definitions(table: DeliveredTable) -> str:
    return "\n".join(map(_definition, table.columns))


def _column_name(definition: str) -> str:
    """The name with which a definition begins, without its quotes."""
    quoted_name = definition[1 : definition.index('" ', 1)]
    return quoted_name.replace('""', '"')
