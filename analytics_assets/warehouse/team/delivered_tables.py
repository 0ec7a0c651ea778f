"""The tables that are delivered to a team's warehouse, as they are in DuckDB: columns, comments, rows, and what they hold.

What is done with them stands in `delivery.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import duckdb
import pyarrow as pa

from analytics_assets.warehouse.counting import counts
from analytics_assets.warehouse.export import MARTS
from analytics_assets.warehouse.identity import TOGETHER
from analytics_assets.warehouse.tables import BUILT, HISTORY, RAW, literal, quoted

SCHEMAS: Final = (RAW, HISTORY, MARTS)
LEFT_OUT: Final = (BUILT, TOGETHER)
"""Notes for the next build of this warehouse, and for the next time that a workspace is put into this file."""


@dataclass(frozen=True)
class DeliveredColumn:
    """A column: its name, its type in DuckDB, and what it means."""

    name: str
    duckdb_type: str
    comment: str | None


@dataclass(frozen=True)
class DeliveredTable:
    """A table: where it is, its columns in their order, what it means, and how many rows it has.

    `content` is another text when a row, a column or a comment is another one.
    """

    schema: str
    name: str
    columns: Sequence[DeliveredColumn]
    comment: str | None
    rows: int
    content: str

    @property
    def label(self) -> str:
        """Schema and name."""
        return f"{self.schema}.{self.name}"

    @property
    def numbered_columns(self) -> list[tuple[str, DeliveredColumn]]:
        """The columns under names that are short and need no quotes."""
        return [(f"c{number}", column) for number, column in enumerate(self.columns)]


def delivered_tables(con: duckdb.DuckDBPyConnection) -> list[DeliveredTable]:
    """All of them, by their names.

    Args:
        con: a connection to the warehouse.
    """
    return [_table(con, *each) for each in _places(con)]


def rows_of_delivered(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """How many rows each of them has, by its label; they are only counted.

    Args:
        con: a connection to the warehouse.
    """
    places = {f"{schema}.{name}": f"{quoted(schema)}.{quoted(name)}" for schema, name, _ in _places(con)}
    return dict(zip(places, counts(con, *places.values()), strict=True))


def _places(con: duckdb.DuckDBPyConnection) -> list[tuple[str, str, str | None]]:
    """Schema, name and comment of each."""
    schemas = ", ".join(map(literal, SCHEMAS))
    found = con.execute(
        f"SELECT schema_name, table_name, comment FROM duckdb_tables() WHERE database_name = current_database() "
        f"AND schema_name IN ({schemas}) ORDER BY ALL"
    ).fetchall()
    return [each for each in found if f"{each[0]}.{each[1]}" not in LEFT_OUT]


def _table(con: duckdb.DuckDBPyConnection, schema: str, name: str, comment: str | None) -> DeliveredTable:
    columns = [
        DeliveredColumn(*row)
        for row in con.execute(
            "SELECT column_name, data_type, comment FROM duckdb_columns() WHERE database_name = current_database() "
            f"AND schema_name = {literal(schema)} AND table_name = {literal(name)} ORDER BY column_index"
        ).fetchall()
    ]
    row = "row"  # the whole row; a column of the same name would be meant instead
    while row in {column.name.casefold() for column in columns}:
        row += "_"
    # the sum, because equal rows would cancel each other out in a bit_xor
    counting = f"SELECT count(*), sum(hash({quoted(row)})::HUGEINT) FROM {quoted(schema)}.{quoted(name)} AS {quoted(row)}"
    counted = con.execute(counting).fetchone()
    assert counted is not None
    rows, hashes = counted
    return DeliveredTable(schema, name, columns, comment, rows, repr((columns, comment, rows, hashes)))


def are_rows_of(
    con: duckdb.DuckDBPyConnection, table: DeliveredTable, came: pa.RecordBatchReader, *, there: str, here: str
) -> bool:
    """Whether rows that came back from another engine are those of a table, by their number and the sum of their hashes.

    Args:
        con: a connection to the warehouse.
        table: the table as it is here.
        came: the rows.
        there: the values of a row that came, as SQL; they are separated by commas.
        here: what is equal to them, of a row of the table.
    """
    con.register("came", came)
    place = f"{quoted(table.schema)}.{quoted(table.name)}"
    found, expected = (
        con.execute(f"SELECT count(*), sum(hash(row({row}))::HUGEINT) FROM {source}").fetchone()
        for row, source in ((there, "came"), (here, place))
    )
    con.unregister("came")
    return found == expected
