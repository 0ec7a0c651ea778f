"""Renders `models/staging/sources.yml` from the declared columns, so that the two can't differ.

Run `python -m analytics_assets.orchestration.dbt_sources` after a change of `analytics_assets/source/columns.py`.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import analytics_assets
from analytics_assets.source.columns import TABLES, Table
from analytics_assets.warehouse.tables import CHANGE, DUCKDB_TYPES, HISTORY, LOADED_AT, PUBLICATIONS, RAW, VALID_TO

SOURCES_FILE = Path(analytics_assets.__file__).parent / "dbt_project" / "models" / "staging" / "sources.yml"

TIMESTAMP = DUCKDB_TYPES["timestamp"]
TEXT = DUCKDB_TYPES["text"]
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
            table.description if schema == RAW else f"One row per superseded version of a row of raw.{table.name}.",
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
    columns = [SourceColumn(column.name, DUCKDB_TYPES[column.data_type], column.description) for column in table.columns]
    if table.parent_column:
        parent = (table.parent or "").removesuffix("s")
        columns.append(SourceColumn(table.parent_column, TEXT, f"Id of the {parent} under which the row was listed."))
    loaded_at = "When this version of the row was published to the warehouse, UTC; the same for all rows of one sync."
    columns.append(SourceColumn(LOADED_AT, TIMESTAMP, loaded_at))
    if history:
        valid_to = "When the sync was published that no longer met this version, UTC."
        change = "What ended this version: edited (a newer one took its place) or deleted (the record left the API)."
        columns += [SourceColumn(VALID_TO, TIMESTAMP, valid_to), SourceColumn(CHANGE, TEXT, change)]
    return columns


def _publications() -> SourceTable:
    return SourceTable(
        PUBLICATIONS.split(".")[1],
        "time_entries",
        "One row per sync and resource: what was read when, whether or not it changed anything.",
        [
            SourceColumn("published_at", TIMESTAMP, "When the sync was published, UTC."),
            SourceColumn("resource", TEXT, "The resource that was read."),
            SourceColumn(
                "window_start", TIMESTAMP, "Time entries that start from here on were read, UTC; null for other resources."
            ),
            SourceColumn(
                "window_end", TIMESTAMP, "Time entries that start before this were read, UTC; null when no end was set."
            ),
            SourceColumn("rows_read", WHOLE, "Rows that the API listed."),
            SourceColumn("rows_new", WHOLE, "Rows among them that the warehouse did not have."),
            SourceColumn("rows_changed", WHOLE, "Rows among them that differed from the warehouse."),
            SourceColumn("rows_deleted", WHOLE, "Rows of the warehouse that the API no longer had."),
            SourceColumn("read_began_at", TIMESTAMP, "When the reading began, UTC; what it covers ends there."),
            SourceColumn(
                "voided_at",
                TIMESTAMP,
                "When the table was made anew or got another declared column, so that this reading covers it no more, UTC.",
            ),
        ],
    )


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
