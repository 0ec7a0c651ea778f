"""A team's warehouse in MotherDuck: tables are replaced there in one transaction, by DuckDB itself.

MotherDuck is DuckDB as a service, so its tables are attached beside those of the file, and values keep their types on the
way. Readers see the tables of one delivery until the next one is whole. A database in a file is delivered to in the same
way; the tests do that, because MotherDuck can't be reached without an account.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final, NamedTuple

import duckdb

from analytics_assets.warehouse.errors import WarehouseError
from analytics_assets.warehouse.identity import WORKSPACE
from analytics_assets.warehouse.tables import RAW, literal, quoted
from analytics_assets.warehouse.team.delivered_tables import DeliveredTable
from analytics_assets.warehouse.team.delivery import CHOSEN_WITH, DELIVERED, digest, not_ours

ENGINE: Final = "MotherDuck"
SERVICE: Final = "md:"
TOKEN: Final = "motherduck_token"  # noqa: S105  # the name of it
"""Parameter of the address, and variable of MotherDuck's own: without one it would open a browser and wait for a person."""


class Known(NamedTuple):
    """What a table was when it was delivered: its content here, and what was counted there."""

    content: str
    counted: str


@dataclass(frozen=True)
class MotherDuck:
    """A database of a team's in MotherDuck; `address` is like md:database or md:database?motherduck_token=TOKEN."""

    address: str = field(repr=False)
    engine: str = ENGINE

    @property
    def shown_address(self) -> str:
        """The address without the token."""
        return self.address.partition("?")[0]

    @property
    def database(self) -> str:
        """What DuckDB calls it when it is attached."""
        return Path(self.shown_address.rpartition(":")[2]).stem

    @contextmanager
    def receiving(self, con: duckdb.DuckDBPyConnection) -> Iterator["MotherDuckReceiver"]:
        """A transaction there, see `TeamWarehouse.receiving`."""
        with self.refusals_in_a_sentence():
            self._attach(con)
        try:
            con.begin()
            yield MotherDuckReceiver(self, con)
            with self.refusals_in_a_sentence():
                con.commit()
        except BaseException:
            with suppress(duckdb.Error):  # where the commit was refused there is nothing left to take back
                con.rollback()
            raise
        finally:
            con.execute(f"DETACH {quoted(self.database)}")

    def assert_reachable(self) -> None:
        """Connect, and do nothing, see `TeamWarehouse.assert_reachable`."""
        with duckdb.connect() as con, self.receiving(con):
            pass

    @contextmanager
    def refusals_in_a_sentence(self) -> Iterator[None]:
        """What DuckDB raises in the block as one sentence, without the token.

        Raises:
            WarehouseError: instead of DuckDB's own error.
        """
        try:
            yield
        except duckdb.Error as error:
            said = " ".join(str(error).split()).rstrip(".")
            if token := self.address.partition(f"?{TOKEN}=")[2]:
                said = said.replace(token, "***")
            raise WarehouseError(f"{ENGINE} ({self.shown_address}) refused: {said}. Check {CHOSEN_WITH}.") from None

    def _attach(self, con: duckdb.DuckDBPyConnection) -> None:
        address, _, token = self.address.partition(f"?{TOKEN}=")
        if address.startswith(SERVICE):
            if not token and not any(os.environ.get(name) for name in (TOKEN, TOKEN.upper())):
                raise WarehouseError(
                    f"{ENGINE} needs a token: set the variable {TOKEN}, or end {CHOSEN_WITH} with ?{TOKEN}=, the token behind it."
                )
            # once per machine and version of DuckDB; nothing else in this project fetches an extension
            con.execute("INSTALL motherduck")
            con.execute("LOAD motherduck")
            if token:
                con.execute(f"SET {TOKEN} = {literal(token)}")
        con.execute(f"ATTACH {literal(address)} (READ_WRITE)")


class MotherDuckReceiver:
    """The transaction in which tables arrive; what its methods promise stands in `Receiver`."""

    def __init__(self, team: MotherDuck, con: duckdb.DuckDBPyConnection) -> None:
        self._team = team
        self._con = con

    @cached_property
    def known(self) -> dict[str, Known]:
        """What was delivered before, by schema and name."""
        self._run(f"CREATE SCHEMA IF NOT EXISTS {self._schema(RAW)}")
        self._run(
            f"CREATE TABLE IF NOT EXISTS {self._place(DELIVERED)} (label VARCHAR, content VARCHAR, counted VARCHAR, "
            "delivered_at TIMESTAMP WITH TIME ZONE DEFAULT current_timestamp)"
        )
        return {
            label: Known(*known) for label, *known in self._run(f"SELECT label, content, counted FROM {self._place(DELIVERED)}")
        }

    def workspaces(self) -> set[str]:
        """The workspaces that were delivered before; a table of that name alone does not tell, it may be somebody else's."""
        if not (self._columns(WORKSPACE) and self._columns(DELIVERED)):
            return set()
        return {str(id) for (id,) in self._run(f"SELECT workspace_id FROM {self._place(WORKSPACE)}")}

    def has(self, table: DeliveredTable) -> bool:
        """Whether the table was delivered as it is now, and counts there as it did then."""
        known, columns = self.known.get(table.label), self._columns(table.label)
        if columns and known is None:
            raise not_ours(ENGINE, table.label)
        if known is None or known.content != digest(table.content) or columns != _names(table):
            return False
        return self._counted(table) == known.counted

    def send(self, table: DeliveredTable) -> None:
        """Replace the table."""
        there = self._place(table.label)
        self._run(f"CREATE SCHEMA IF NOT EXISTS {self._schema(table.schema)}")
        self._run(f"CREATE OR REPLACE TABLE {there} AS FROM {quoted(table.schema)}.{quoted(table.name)}")
        if table.comment:
            self._run(f"COMMENT ON TABLE {there} IS {literal(table.comment)}")
        for column in table.columns:
            if column.comment:
                self._run(f"COMMENT ON COLUMN {there}.{quoted(column.name)} IS {literal(column.comment)}")
        noted = ", ".join(map(literal, (table.label, digest(table.content), self._counted(table))))
        self._run(f"DELETE FROM {self._place(DELIVERED)} WHERE label = {literal(table.label)}")
        self._run(f"INSERT INTO {self._place(DELIVERED)} (label, content, counted) VALUES ({noted})")

    def take_out(self, label: str) -> None:
        """Drop a table that was delivered before."""
        self._run(f"DROP TABLE IF EXISTS {self._place(label)}")
        self._run(f"DELETE FROM {self._place(DELIVERED)} WHERE label = {literal(label)}")

    def is_equal(self, table: DeliveredTable) -> bool:
        """Whether both have the same rows; they are counted here, since another version of DuckDB may hash otherwise."""
        if self._columns(table.label) != _names(table):
            return False
        self._run(f"CREATE OR REPLACE TEMP TABLE _came AS FROM {self._place(table.label)}")
        found, expected = (
            self._con.execute(f"SELECT {_counting(table)} FROM {place}").fetchone()
            for place in ("temp._came", f"{quoted(table.schema)}.{quoted(table.name)}")
        )
        self._con.execute("DROP TABLE temp._came")
        return found == expected

    def _counted(self, table: DeliveredTable) -> str:
        ((counted,),) = self._run(f"SELECT {_counting(table)} FROM {self._place(table.label)}")
        return str(counted)

    def _columns(self, label: str) -> list[str]:
        """The columns of a table there, in their order; none where there is no such table."""
        schema, _, name = label.partition(".")
        where = {"database_name": self._team.database, "schema_name": schema, "table_name": name}
        conditions = " AND ".join(f"lower({column}) = lower({literal(value)})" for column, value in where.items())
        found = self._run(f"SELECT column_name FROM duckdb_columns() WHERE {conditions} ORDER BY column_index")
        return [str(column) for (column,) in found]

    def _schema(self, name: str) -> str:
        return f"{quoted(self._team.database)}.{quoted(name)}"

    def _place(self, label: str) -> str:
        schema, _, name = label.partition(".")
        return f"{self._schema(schema)}.{quoted(name)}"

    def _run(self, sql: str) -> list[tuple[Any, ...]]:
        with self._team.refusals_in_a_sentence():
            return self._con.execute(sql).fetchall()


def _names(table: DeliveredTable) -> list[str]:
    return [column.name for column in table.columns]


def _counting(table: DeliveredTable) -> str:
    """How many rows there are, and the sum of their hashes, as a text; equal rows would cancel each other out in a bit_xor."""
    row = ", ".join(map(quoted, _names(table)))
    return f"concat_ws(' ', count(*), sum(hash(row({row}))::HUGEINT))"
