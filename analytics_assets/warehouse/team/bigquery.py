"""A team's warehouse in BigQuery: what changes rows is one transaction there, at the end of a delivery.

A transaction of BigQuery's may hold no statement that makes or alters a table, so those come first, or add a column that is
empty until the rows come. A table in which a column goes, gets another type or another comment is replaced by one statement
after the transaction. Rows come as load jobs, each into a table of its own that is gone at the end, or after a day.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, NamedTuple

import duckdb

from analytics_assets.warehouse.identity import WORKSPACE
from analytics_assets.warehouse.tables import RAW, quoted
from analytics_assets.warehouse.team.bigquery_session import BigQueryAddress, BigQuerySession, bigquery_session
from analytics_assets.warehouse.team.bigquery_types import described, literal, name_of, way_of
from analytics_assets.warehouse.team.delivered_tables import SCHEMAS, DeliveredColumn, DeliveredTable, are_rows_of
from analytics_assets.warehouse.team.delivery import DELIVERED, digest, not_ours

ENGINE: Final = "BigQuery"
ROWS_AT_ONCE: Final = 50_000
NOTES: Final = "label STRING, content STRING, counted STRING, columns STRING"
"""The columns of the table that says what was delivered."""


class Known(NamedTuple):
    """What a table was when it was delivered: its content here, what was counted there, and its definition, a part in a line.

    No definition stands there while a table is about to be replaced: whether it has been, is not known then.
    """

    content: str
    counted: str
    columns: str


@dataclass(frozen=True)
class BigQuery:
    """A project of a team's in Google's BigQuery; `address` is like bigquery://project/prefix?location=EU."""

    address: str = field(repr=False)
    engine: str = ENGINE

    @property
    def shown_address(self) -> str:
        """Project and prefix."""
        return BigQueryAddress.parse(self.address).shown

    @contextmanager
    def receiving(self, con: duckdb.DuckDBPyConnection) -> Iterator["BigQueryReceiver"]:
        """What is sent is there when the block has ended, see `TeamWarehouse.receiving`."""
        address = BigQueryAddress.parse(self.address)
        with bigquery_session(address) as session:
            receiver = BigQueryReceiver(con, session, address)
            try:
                yield receiver
                receiver.publish()
            finally:
                receiver.clear_away()

    def assert_reachable(self) -> None:
        """Run a statement that costs nothing, see `TeamWarehouse.assert_reachable`."""
        with bigquery_session(BigQueryAddress.parse(self.address)) as session:
            session.run("SELECT 1")


class BigQueryReceiver:
    """What arrives, and what is done with it at the end; what its methods promise stands in `Receiver`."""

    def __init__(self, con: duckdb.DuckDBPyConnection, session: BigQuerySession, address: BigQueryAddress) -> None:
        self._con = con
        self._session = session
        self._address = address
        self._sent: dict[str, DeliveredTable] = {}
        self._gone: list[str] = []

    @cached_property
    def known(self) -> dict[str, Known]:
        """What was delivered before, by schema and name."""
        if not self._is_there(DELIVERED):
            return {}
        rows = self._session.rows(f"SELECT label, content, counted, columns FROM {self._place(DELIVERED)}")
        return {label: Known(*known) for label, *known in rows}

    def workspaces(self) -> set[str]:
        """The workspaces that were delivered before; a table of that name alone does not tell, it may be somebody else's."""
        if not (self._is_there(WORKSPACE) and self._is_there(DELIVERED)):
            return set()
        return {str(id) for (id,) in self._session.rows(f"SELECT workspace_id FROM {self._place(WORKSPACE)}")}

    def has(self, table: DeliveredTable) -> bool:
        """Whether the table was delivered as it is now, and counts there as it did then."""
        known = self.known.get(table.label)
        if known is None and self._is_there(table.label):
            raise not_ours(ENGINE, table.label)
        return known == Known(digest(table.content), self._counted_now.get(table.label, ""), _definition(table))

    def send(self, table: DeliveredTable) -> None:
        """Begin to bring the rows; the rest is done at the end, in few statements, each of which takes BigQuery a second."""
        if not self._sent:
            self._make_dataset(RAW)
        self._sent[table.label] = table
        ways = [(name, column, way_of(column.duckdb_type)) for name, column in table.numbered_columns]
        leaving = ", ".join(f"{way.leaves(quoted(column.name))} AS {name}" for name, column, way in ways)
        rows = self._con.execute(f"SELECT {leaving} FROM {quoted(table.schema)}.{quoted(table.name)}")
        travelling = {name: way.travelling for name, _, way in ways}
        self._session.load(rows.to_arrow_reader(ROWS_AT_ONCE), self._incoming(table), travelling)

    def take_out(self, label: str) -> None:
        """Drop a table that was delivered before, after the transaction."""
        self._gone.append(label)

    def is_equal(self, table: DeliveredTable) -> bool:
        """Whether both have the same rows: what comes back are the numbers and texts that were sent."""
        if self._columns_there(table.label) != {name_of(column.name).casefold() for column in table.columns}:
            return False
        ways = [(name, column, way_of(column.duckdb_type)) for name, column in table.numbered_columns]
        asked = ", ".join(f"{way.comes_back(_name(column.name))} AS {name}" for name, column, way in ways)
        expected = ", ".join(way.compared(quoted(column.name)) for _, column, way in ways)
        found = ", ".join(f"{name}::{way.compared_type}" for name, _, way in ways)
        came = self._session.arrow(f"SELECT {asked} FROM {self._place(table.label)}")
        return are_rows_of(self._con, table, came, there=found, here=expected)

    def publish(self) -> None:
        """Make what the rows need, replace them in one transaction, and do after it what can't be part of one."""
        if self._sent:
            filled = [table for table in self._sent.values() if self._takes_rows(table)]
            replaced = [table for table in self._sent.values() if table not in filled]
            self._session.run(_script(self._preparation(filled)))
            self._session.wait_for_loads()
            self._session.run(_script(["BEGIN TRANSACTION", *self._filling(filled, replaced), "COMMIT TRANSACTION"]))
            if replaced:
                self._session.run(_script([statement for table in replaced for statement in self._replacing(table)]))
        if self._gone:
            dropped = [f"DROP TABLE IF EXISTS {self._place(label)}" for label in self._gone]
            self._session.run(_script([*dropped, self._forget(self._gone)]))

    def clear_away(self) -> None:
        """Drop the tables that rows came in; where that fails they go by themselves, after a day."""
        with suppress(Exception):
            for table in self._sent.values():
                self._session.drop(self._incoming(table))

    def _preparation(self, filled: Sequence[DeliveredTable]) -> Iterator[str]:
        """What makes tables and columns; a table is written down before it is made, to be known if this comes to no end."""
        yield f"CREATE TABLE IF NOT EXISTS {self._place(DELIVERED)} ({NOTES})"
        new = [table for table in filled if not self._is_there(table.label)]
        if new:
            yield self._forget([table.label for table in new])
            yield self._note([_values(table) for table in new])
        for table in new:
            self._make_dataset(table.schema)
            yield f"CREATE TABLE {self._defined(table)}"
        for table in filled:
            if table not in new and (added := self._added(table)):
                yield f"ALTER TABLE {self._place(table.label)} {', '.join(f'ADD COLUMN {column}' for column in added)}"

    def _filling(self, filled: Sequence[DeliveredTable], replaced: Sequence[DeliveredTable]) -> Iterator[str]:
        """What replaces all rows of some tables, and notes what they hold then; of those replaced later nothing is known."""
        for table in filled:
            names = ", ".join(_name(column.name) for column in table.columns)
            yield f"DELETE FROM {self._place(table.label)} WHERE TRUE"
            yield f"INSERT INTO {self._place(table.label)} ({names}) {self._arrived(table)}"
        yield self._forget([table.label for table in (*filled, *replaced)])
        holding = (_values(table, _content(table), f"({self._counted(table.label)})") for table in filled)
        unknown = (f"{literal(table.label)}, '', '', ''" for table in replaced)
        yield self._note([*holding, *unknown])

    def _replacing(self, table: DeliveredTable) -> Iterator[str]:
        yield f"CREATE OR REPLACE TABLE {self._defined(table)} AS {self._arrived(table)}"
        held = f"content = {_content(table)}, counted = ({self._counted(table.label)})"
        noted = f"columns = {literal(_definition(table))}, {held}"
        yield f"UPDATE {self._place(DELIVERED)} SET {noted} WHERE label = {literal(table.label)}"

    def _takes_rows(self, table: DeliveredTable) -> bool:
        """Whether the rows can go into the table as it is there, or with more columns; else it has to be another one."""
        known = self.known.get(table.label)
        if known is None or not self._is_there(table.label):
            return True
        of_table, *before = known.columns.split("\n")
        is_described_so = of_table == described(table.comment)
        return is_described_so and self._has_noted_columns(table.label, known) and {*before} <= {*map(_column, table.columns)}

    def _added(self, table: DeliveredTable) -> list[str]:
        before = self.known[table.label].columns.split("\n")
        return [column for column in map(_column, table.columns) if column not in before]

    def _defined(self, table: DeliveredTable) -> str:
        return f"{self._place(table.label)} ({', '.join(map(_column, table.columns))}){described(table.comment)}"

    def _arrived(self, table: DeliveredTable) -> str:
        """A query of the rows that came, as their own table has them."""
        ways = [(name, column, way_of(column.duckdb_type)) for name, column in table.numbered_columns]
        arriving = ", ".join(f"{way.arrives(name)} AS {_name(column.name)}" for name, column, way in ways)
        schema, name = self._incoming(table).split(".")
        return f"SELECT {arriving} FROM `{schema}`.`{name}`"

    def _incoming(self, table: DeliveredTable) -> str:
        """Dataset and name of the table that the rows of another one come in."""
        return f"{self._address.dataset(RAW)}._incoming_{digest(table.label)[:16]}"

    def _note(self, values: Sequence[str]) -> str:
        return (
            f"INSERT INTO {self._place(DELIVERED)} (label, columns, content, counted) SELECT {' UNION ALL SELECT '.join(values)}"
        )

    def _forget(self, labels: Sequence[str]) -> str:
        return f"DELETE FROM {self._place(DELIVERED)} WHERE label IN ({', '.join(map(literal, labels))})"

    def _counted(self, label: str) -> str:
        """A query of how many rows there are, and of hashes that do not depend on their order."""
        hashed = "FARM_FINGERPRINT(TO_JSON_STRING(each_row))"
        numbers = ("COUNT(*)", f"IFNULL(BIT_XOR({hashed}), 0)", f"IFNULL(SUM({hashed} & 4294967295), 0)")
        texts = ", ' ', ".join(f"CAST({number} AS STRING)" for number in numbers)
        return f"SELECT CONCAT({texts}) FROM {self._place(label)} AS each_row"

    @cached_property
    def _counted_now(self) -> Mapping[str, str]:
        """What is counted now of each table that was delivered and is there with its columns."""
        as_noted = (label for label, known in self.known.items() if self._has_noted_columns(label, known))
        counted = [f"SELECT {literal(label)}, ({self._counted(label)})" for label in as_noted]
        return dict(self._session.rows(" UNION ALL ".join(counted))) if counted else {}

    def _has_noted_columns(self, label: str, known: Known) -> bool:
        return self._columns_there(label) == {*map(_column_name, known.columns.split("\n")[1:])}

    def _columns_there(self, label: str) -> set[str]:
        """The names of a table's columns in small letters, none where it is not there."""
        return {name.casefold() for name in self._columns.get(_path(label), ())}

    @cached_property
    def _columns(self) -> Mapping[str, Sequence[str]]:
        """The columns of each table of these schemas when the session began, by schema and name."""
        found: dict[str, list[str]] = {}
        for schema in SCHEMAS:
            if not self._session.has_dataset(self._address.dataset(schema)):
                continue
            for table, column in self._session.rows(
                f"SELECT table_name, column_name FROM {self._dataset(schema)}.INFORMATION_SCHEMA.COLUMNS "
                "ORDER BY table_name, ordinal_position"
            ):
                found.setdefault(f"{schema}.{table}", []).append(column)
        return found

    def _is_there(self, label: str) -> bool:
        return _path(label) in self._columns

    def _make_dataset(self, schema: str) -> None:
        self._session.make_dataset(self._address.dataset(schema))

    def _dataset(self, schema: str) -> str:
        return f"`{self._address.dataset(schema)}`"

    def _place(self, label: str) -> str:
        schema, _, name = label.partition(".")
        return f"{self._dataset(schema)}.{_name(name)}"


def _path(label: str) -> str:
    """Schema and name, as the table is called there."""
    schema, _, name = label.partition(".")
    return f"{schema}.{name_of(name)}"


def _script(statements: Iterable[str]) -> str:
    return ";\n".join(statements)


def _values(table: DeliveredTable, content: str = "''", counted: str = "''") -> str:
    """What is written down of a table: its name and definition, and what it holds, if that is known."""
    return f"{literal(table.label)}, {literal(_definition(table))}, {content}, {counted}"


def _content(table: DeliveredTable) -> str:
    return literal(digest(table.content))


def _definition(table: DeliveredTable) -> str:
    return "\n".join((described(table.comment), *map(_column, table.columns)))


def _column(column: DeliveredColumn) -> str:
    return f"{_name(column.name)} {way_of(column.duckdb_type).type}{described(column.comment)}"


def _column_name(definition: str) -> str:
    """The name with which a definition begins, in small letters: BigQuery tells no columns apart by their case."""
    return definition[1 : definition.index("` ")].casefold()


def _name(name: str) -> str:
    return f"`{name_of(name)}`"
