"""What a materialization of a `raw/*` asset shows in the UI: counts, cost, columns, and where the rows are.

Only the wording of metadata belongs here; the figures come from the reading and its publication.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import duckdb
from dagster import MetadataValue, TableColumn, TableColumnConstraints, TableConstraints, TableSchema

from analytics_assets.orchestration.dbt_events import PREVIEW, as_table, sample_of
from analytics_assets.orchestration.resources import Warehouse
from analytics_assets.pipeline.sync import SyncReport
from analytics_assets.source.columns import TABLES, DataType, ResourceName
from analytics_assets.source.meter import Traffic
from analytics_assets.warehouse.descriptions import LOADED_AT
from analytics_assets.warehouse.month_figures import MonthFigures
from analytics_assets.warehouse.tables import DUCKDB_TYPES, RAW

COLUMN_SCHEMA: Final = "dagster/column_schema"
REFUSALS_NAMED: Final = 20


def column_schema(name: ResourceName, undeclared: Mapping[str, DataType]) -> TableSchema:
    """The columns of a raw table, with type, nullability and description."""
    table = TABLES[name]
    columns = [
        TableColumn(
            column.name,
            DUCKDB_TYPES[column.data_type],
            description=column.description,
            constraints=TableColumnConstraints(nullable=column.nullable, unique=column.name == "id"),
        )
        for column in table.columns
    ]
    columns += [
        TableColumn(column, DUCKDB_TYPES[data_type], description="Sent by the API, not declared by this project.")
        for column, data_type in undeclared.items()
    ]
    if table.parent_column is not None:
        columns.append(
            TableColumn(table.parent_column, "VARCHAR", description=f"Under whose list of {table.parent} the row stood.")
        )
    columns.append(TableColumn(LOADED_AT, DUCKDB_TYPES["timestamp"], description="When this version of the row was loaded, UTC."))
    return TableSchema(columns, constraints=TableConstraints(other=["primary key: id"]))


def endpoint_of(name: ResourceName) -> str:
    """The address of a resource's lists, as the API's documents write it."""
    table = TABLES[name]
    parent = f"{{{table.parent.removesuffix('s')}_id}}" if table.parent else ""
    return f"GET /v1/workspaces/{{workspace_id}}/{table.path.format(parent_id=parent)}"


def month_metadata(figures: MonthFigures) -> dict[str, Any]:
    """The figures of one month of time entries, for its partition."""
    return {
        "dagster/partition_row_count": figures.total,
        "rows new": figures.new,
        "rows changed": figures.changed,
        "rows deleted": figures.deleted,
    }


def newest_rows(
    con: duckdb.DuckDBPyConnection, names: Sequence[ResourceName], rows: int
) -> dict[ResourceName, list[dict[str, str]]]:
    """Those rows of each table that were loaded last, as text.

    Args:
        con: a connection to the warehouse.
        names: the tables.
        rows: how many of each; 0 for none.
    """
    if not rows:
        return {}
    newest = f"ORDER BY {LOADED_AT} DESC, id LIMIT {rows}"
    return {name: sample_of(con, f"FROM {RAW}.{name} {newest}", rows) for name in names}


def materialization_metadata(
    name: ResourceName, report: SyncReport, traffic: Traffic, warehouse: Warehouse, newest: Sequence[Mapping[str, str]] | None
) -> dict[str, Any]:
    """The figures of one resource in one run, and the rows of it that were loaded last."""
    published, lists, undeclared = report.published[name], report.reading.lists[name], report.undeclared[name]
    window = report.reading.window
    metadata: dict[str, Any] = {
        "dagster/row_count": published.total,
        "dagster/table_name": f"{warehouse.name}.{RAW}.{name}",
        COLUMN_SCHEMA: column_schema(name, undeclared),
        "rows loaded": published.read,
        "rows new": published.new,
        "rows changed": published.changed,
        "rows deleted": published.deleted,
        "requests": traffic.requests,
        "retries": traffic.retries,
        "bytes": traffic.bytes,
        "seconds waiting for the API": round(traffic.seconds, 2),
        "lists read": len(lists.settled),
        "warehouse": MetadataValue.path(str(warehouse.path)),
    }
    if TABLES[name].is_windowed:
        metadata["months"] = str(report.span)
        metadata["from"] = window.start.strftime("%Y-%m-%d")
        metadata["until"] = window.end.strftime("%Y-%m-%d") if window.end else "open"
    if newest:
        metadata[PREVIEW] = as_table(newest)
    if lists.new_columns:
        metadata["new columns"] = MetadataValue.md("\n".join(f"- `{c}` {kind}" for c, kind in sorted(lists.new_columns.items())))
    if lists.refused:
        named = [f"- `{parent}`: {reason}" for parent, reason in sorted(lists.refused.items())[:REFUSALS_NAMED]]
        more = [f"- and {len(lists.refused) - REFUSALS_NAMED} more"] if len(lists.refused) > REFUSALS_NAMED else []
        metadata["lists refused"] = len(lists.refused)
        metadata[f"refused {TABLES[name].parent}"] = MetadataValue.md("\n".join(named + more))
    return metadata
