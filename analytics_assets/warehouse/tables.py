"""The raw tables and their history in DuckDB: made, and widened when the declarations or the API bring new columns.

What the columns are is declared in `source/columns.py`; what goes into them is `publish.py`'s business.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

import duckdb

from analytics_assets.source.columns import TABLES, DataType, ResourceName, Table
from analytics_assets.warehouse.descriptions import (
    BUILT_COLUMNS,
    BUILT_TABLE,
    CHANGE,
    LOADED_AT,
    PUBLICATIONS_COLUMNS,
    PUBLICATIONS_TABLE,
    VALID_TO,
    column_descriptions,
    table_description,
)
from analytics_assets.warehouse.errors import WarehouseError

RAW: Final = "raw"
HISTORY: Final = "raw_history"
PUBLICATIONS: Final = f"{RAW}._publications"
BUILT: Final = f"{RAW}._built"

DUCKDB_TYPES: Final[dict[DataType, str]] = {
    "text": "VARCHAR",
    "bigint": "BIGINT",
    "bool": "BOOLEAN",
    "double": "DOUBLE",
    "timestamp": "TIMESTAMP WITH TIME ZONE",
    "json": "JSON",
}
SENT_BY_API: Final = "Sent by the API, not declared by this project."
"""Comment on the columns of undeclared fields; a column without it, and not declared, is the owner's own."""
_DATA_TYPES: Final[dict[str, DataType]] = {duckdb_type: data_type for data_type, duckdb_type in DUCKDB_TYPES.items()}


def quoted(identifier: str) -> str:
    """The identifier as SQL takes it literally."""
    escaped = identifier.replace('"', '""')
    return f'"{escaped}"'


def literal(text: str) -> str:
    """The text as an SQL literal."""
    escaped = text.replace("'", "''")
    return f"'{escaped}'"


def ensure_tables(con: duckdb.DuckDBPyConnection) -> None:
    """Make every raw table and its history, with all declared columns; widen those of an older version."""
    con.execute(f"CREATE SCHEMA IF NOT EXISTS {RAW}")
    con.execute(f"CREATE SCHEMA IF NOT EXISTS {HISTORY}")
    con.execute(
        f"CREATE TABLE IF NOT EXISTS {PUBLICATIONS} (published_at TIMESTAMPTZ NOT NULL, resource VARCHAR NOT NULL, "
        "window_start TIMESTAMPTZ, window_end TIMESTAMPTZ, rows_read BIGINT, rows_new BIGINT, rows_changed BIGINT, "
        "rows_deleted BIGINT, read_began_at TIMESTAMPTZ, voided_at TIMESTAMPTZ, lists_not_read VARCHAR[], lists_read VARCHAR[])"
    )
    for column in ("read_began_at TIMESTAMPTZ", "voided_at TIMESTAMPTZ", "lists_not_read VARCHAR[]", "lists_read VARCHAR[]"):
        con.execute(f"ALTER TABLE {PUBLICATIONS} ADD COLUMN IF NOT EXISTS {column}")
    con.execute(
        f"CREATE TABLE IF NOT EXISTS {BUILT} (node VARCHAR NOT NULL, built_from VARCHAR NOT NULL, row_count BIGINT, "
        "report JSON NOT NULL, built_at TIMESTAMPTZ NOT NULL)"
    )
    described = _described(con)
    for table in TABLES.values():
        declared = declared_types(table)
        present = described.columns_of(RAW, table.name)
        if _not_as_declared(present, declared):
            # what was published into a table that is gone, or that lacks a column or holds less in it now, is no longer covered
            con.execute(f"UPDATE {PUBLICATIONS} SET voided_at = now() WHERE resource = ? AND voided_at IS NULL", [table.name])
        _ensure(con, RAW, table.name, declared, present)
        in_history = {**declared, VALID_TO: DUCKDB_TYPES["timestamp"], CHANGE: "VARCHAR"}
        _ensure(con, HISTORY, table.name, in_history, described.columns_of(HISTORY, table.name))
    _describe(con, described.comments)


def declared_types(table: Table) -> dict[str, str]:
    """The columns that the raw table always has, with their DuckDB types."""
    declared = {column.name: DUCKDB_TYPES[column.data_type] for column in table.columns}
    if table.parent_column is not None:
        declared[table.parent_column] = "VARCHAR"
    return {**declared, LOADED_AT: DUCKDB_TYPES["timestamp"]}


def missing_columns(con: duckdb.DuckDBPyConnection, table: Table) -> list[str]:
    """The declared columns that the raw table lacks, or has with another type; all of them where there is no such table."""
    return _not_as_declared(columns_of(con, RAW, table.name), declared_types(table))


def _not_as_declared(present: Mapping[str, str], declared: Mapping[str, str]) -> list[str]:
    return [column for column, kind in declared.items() if present.get(column) != kind]


def _ensure(
    con: duckdb.DuckDBPyConnection, schema: str, name: ResourceName, wanted: dict[str, str], present: Mapping[str, str]
) -> None:
    if not present:
        columns = ", ".join(f"{quoted(column)} {kind}{' NOT NULL' if column == 'id' else ''}" for column, kind in wanted.items())
        con.execute(f"CREATE TABLE {schema}.{name} ({columns})")
        return
    for column, kind in wanted.items():
        if column not in present:
            con.execute(f"ALTER TABLE {schema}.{name} ADD COLUMN {quoted(column)} {kind}")
        elif schema == RAW and present[column] != kind:  # another type might hold less; all is read again for it
            as_declared = f"{quoted(column)} TYPE {kind} USING TRY_CAST({quoted(column)} AS {kind})"
            con.execute(f"ALTER TABLE {schema}.{name} ALTER COLUMN {as_declared}")


def _describe(con: duckdb.DuckDBPyConnection, said: Mapping[tuple[str, str], str | None]) -> None:
    """Give the tables and those of their columns that they always have the comments that they lack.

    So that a warehouse of an older version is described too.
    """
    wanted: dict[tuple[str, str], str] = {}
    for own, text, columns in ((PUBLICATIONS, PUBLICATIONS_TABLE, PUBLICATIONS_COLUMNS), (BUILT, BUILT_TABLE, BUILT_COLUMNS)):
        wanted["TABLE", own] = text
        wanted |= {("COLUMN", f"{own}.{quoted(column)}"): text for column, text in columns.items()}
    for schema in (RAW, HISTORY):
        for table in TABLES.values():
            place = f"{schema}.{table.name}"
            wanted["TABLE", place] = table_description(table, history=schema == HISTORY)
            for column, text in column_descriptions(table, history=schema == HISTORY).items():
                wanted["COLUMN", f"{place}.{quoted(column)}"] = text
    for (kind, place), text in wanted.items() - said.items():
        con.execute(f"COMMENT ON {kind} {place} IS {literal(text)}")


@dataclass(frozen=True)
class _Described:
    """What the raw tables and their history have and say: comments of tables and columns, by the place of each."""

    comments: Mapping[tuple[str, str], str | None]
    columns: Mapping[str, Mapping[str, str]]

    def columns_of(self, schema: str, name: str) -> Mapping[str, str]:
        """The columns of a table with their DuckDB types; none where there is no such table."""
        return self.columns.get(f"{schema}.{name}", {})


def _described(con: duckdb.DuckDBPyConnection) -> _Described:
    """All columns with their comments, in one query."""
    rows = con.execute(
        "SELECT 'TABLE', schema_name, table_name, NULL, NULL, comment FROM duckdb_tables() "
        "WHERE database_name = current_database() AND schema_name IN ($raw, $history) "
        "UNION ALL SELECT 'COLUMN', schema_name, table_name, column_name, data_type, comment FROM duckdb_columns() "
        "WHERE database_name = current_database() AND schema_name IN ($raw, $history)",
        {"raw": RAW, "history": HISTORY},
    ).fetchall()
    comments: dict[tuple[str, str], str | None] = {}
    columns: dict[str, dict[str, str]] = {}
    for kind, schema, table, column, data_type, comment in rows:
        place = f"{schema}.{table}"
        if column is None:
            comments[kind, place] = comment
        else:
            comments[kind, f"{place}.{quoted(column)}"] = comment
            columns.setdefault(place, {})[column] = data_type
    return _Described(comments, columns)


def add_columns(con: duckdb.DuckDBPyConnection, name: ResourceName, columns: Mapping[str, DataType]) -> None:
    """Give the raw table and its history columns for fields that nobody declared.

    Raises:
        WarehouseError: the owner has a column of such a name.
    """
    if not columns:
        return
    ours = undeclared_columns(con)[name].keys()
    for schema in (RAW, HISTORY):
        present = columns_of(con, schema, name)
        of_any_case = {column.casefold(): column for column in present}
        for column, data_type in columns.items():
            kind = DUCKDB_TYPES[data_type]
            there = of_any_case.get(column)
            if there is None:
                con.execute(f"ALTER TABLE {schema}.{name} ADD COLUMN {quoted(column)} {kind}")
            elif present[there] != kind or (schema == RAW and column not in ours):
                raise WarehouseError(
                    f"{schema}.{name} has a column {there} of your own ({present[there]}), and the API sends a field for a "
                    f"column of that name ({kind}): rename yours, then sync again."
                )
            con.execute(f"COMMENT ON COLUMN {schema}.{name}.{quoted(column)} IS {literal(SENT_BY_API)}")


def refuse_tables_without_ids(con: duckdb.DuckDBPyConnection) -> None:
    """Raise if a raw table has lost the column by which its rows are known.

    Raises:
        WarehouseError: one has; it is not made again, because its rows would be nobody's.
    """
    for name in TABLES:
        present = columns_of(con, RAW, name)
        if present and "id" not in present:
            raise WarehouseError(
                f"{RAW}.{name} has no column id any more: give the column that was renamed its name back, or drop the table, "
                "then sync again."
            )


def columns_of(con: duckdb.DuckDBPyConnection, schema: str, name: str) -> dict[str, str]:
    """The columns of a table with their DuckDB types, in order; empty where there is no such table.

    `duckdb_columns()` lists every column of every database each time, which takes ten times as long and more.
    """
    try:
        rows = con.execute(f"DESCRIBE {schema}.{quoted(name)}").fetchall()
    except duckdb.CatalogException:
        return {}
    return {column: kind for column, kind, *_ in rows}


def data_columns(con: duckdb.DuckDBPyConnection, name: ResourceName, present: Collection[str]) -> list[str]:
    """Those of the columns of a raw table that hold what the API said, declared or not; the owner's own are left out."""
    declared = declared_types(TABLES[name]).keys()
    # only where there are others is it asked who has added them, which takes ten times as long as naming them
    said = declared if set(present) <= declared else declared | undeclared_columns(con)[name].keys()
    return [column for column in present if column in said and column != LOADED_AT]


def undeclared_columns(con: duckdb.DuckDBPyConnection) -> dict[ResourceName, dict[str, DataType]]:
    """The columns that the raw tables have for fields that nobody declared, with their types.

    They are known by their comment, and where somebody has written another one, by standing in the history too; the owner's
    own are in neither.
    """
    found: dict[ResourceName, dict[str, DataType]] = {name: {} for name in TABLES}
    rows = con.execute(
        "SELECT schema_name, table_name, column_name, data_type, comment FROM duckdb_columns() "
        "WHERE database_name = current_database() AND schema_name IN (?, ?) ORDER BY column_index",
        [RAW, HISTORY],
    ).fetchall()
    in_history = {(table, column) for schema, table, column, _, _ in rows if schema == HISTORY}
    for schema, name, column, kind, comment in rows:
        if schema != RAW or name not in found or kind not in _DATA_TYPES or column in declared_types(TABLES[name]):
            continue
        if comment == SENT_BY_API or (name, column) in in_history:
            found[name][column] = _DATA_TYPES[kind]
    return found
