"""Renders `models/staging/sources.yml` from the declared columns, so that the two can't differ.

Run `python -m analytics_assets.orchestration.dbt_sources` after a change of `analytics_assets/source/columns.py`.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import analytics_assets
from analytics_assets.source.columns import TABLES, Table
from analytics_assets.warehouse.descriptions import (
    LOADED_AT,
    PUBLICATIONS_COLUMNS,
    PUBLICATIONS_TABLE,
    VALID_TO,
    column_descriptions,
    table_description,
)
from analytics_assets.warehouse.tables import DUCKDB_TYPES, HISTORY, PUBLICATIONS, RAW

SOURCES_FILE = Path(analytics_assets.__file__).parent / "dbt_project" / "models" / "staging" / "sources.yml"

TIMESTAMP = DUCKDB_TYPES["timestamp"]
TEXT = DUCKDB_TYPES["text"]
TEXTS = f"{TEXT}[]"
WHOLE = DUCKDB_TYPES["bigint"]

HEADER = """\
# Rendered from analytics_assets/source/columns.py by `python -m analytics_assets.orchestration.dbt_sources`; a test
# compares the two. Tables that one load writes together name the same asset.
sources:
"""

SCHEMAS = {
    RAW: "What the API has now, a mirror. Entries of members who are no longer listed stay as last seen.",
    HISTORY: "Versions of rows that are no longer current: edited or deleted since. Same columns as raw.",
}


class SourceColumn(NamedTuple):
    """A column of a source as `sources.yml` describes it."""

    name: str
    data_type: str
    description: str


class SourceTable(NamedTuple):
    """A table of a source, with the last part of the key of the asset that writes it."""

    name: str
    asset: str
    description: str
    columns: list[SourceColumn]


def source_tables(schema: str) -> list[SourceTable]:
    """The tables of a schema that dbt reads, with every column that they always have."""
    tables = [
        SourceTable(
            table.name,
            table.name,
            table_description(table, history=schema == HISTORY),
            _columns(table, history=schema == HISTORY),
        )
        for table in TABLES.values()
    ]
    if schema == RAW:
        tables.append(_publications())
    return tables


def sources_yaml() -> str:
    """The text that `sources.yml` must have."""
    return HEADER + "\n".join(line for schema in SCHEMAS for line in _source(schema))


def _columns(table: Table, *, history: bool) -> list[SourceColumn]:
    types = {column.name: DUCKDB_TYPES[column.data_type] for column in table.columns}
    types |= {LOADED_AT: TIMESTAMP, VALID_TO: TIMESTAMP}
    described = column_descriptions(table, history=history)
    return [SourceColumn(name, types.get(name, TEXT), description) for name, description in described.items()]


def _publications() -> SourceTable:
    types = {name: WHOLE for name in PUBLICATIONS_COLUMNS if name.startswith("rows_")}
    types |= {"resource": TEXT, "lists_not_read": TEXTS, "lists_read": TEXTS}
    columns = [SourceColumn(name, types.get(name, TIMESTAMP), text) for name, text in PUBLICATIONS_COLUMNS.items()]
    return SourceTable(PUBLICATIONS.split(".")[1], "time_entries", PUBLICATIONS_TABLE, columns)


def _source(schema: str) -> Iterator[str]:
    yield f"  - name: {schema}"
    yield f"    schema: {schema}"
    yield "    loader: dlt"
    yield f"    description: {_quoted(SCHEMAS[schema])}"
    yield "    tables:"
    for table in source_tables(schema):
        yield f"      - name: {table.name}"
        yield f"        description: {_quoted(table.description)}"
        yield "        config:"
        yield "          meta:"
        yield "            dagster:"
        yield f'              asset_key: ["raw", "{table.asset}"]'
        yield "        columns:"
        for column in table.columns:
            yield f"          - name: {column.name}"
            yield f"            data_type: {column.data_type.lower()}"
            yield f"            description: {_quoted(column.description)}"
    yield ""


def _quoted(text: str) -> str:
    escaped = text.replace("'", "''")
    return f"'{escaped}'"


if __name__ == "__main__":
    SOURCES_FILE.write_text(sources_yaml(), encoding="utf-8")
