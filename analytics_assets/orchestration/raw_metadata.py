"""What a materialization of a `raw/*` asset shows in the UI: counts, cost, columns, and where the rows are.

Only the wording of metadata belongs here; the figures come from the journal of the read and from the publication.
"""

from collections.abc import Mapping
from typing import Any, Final

from dagster import MetadataValue, TableColumn, TableColumnConstraints, TableConstraints, TableSchema

from analytics_assets.orchestration.resources import Warehouse
from analytics_assets.source.columns import TABLES, DataType, ResourceName
from analytics_assets.source.journal import ResourceCounts
from analytics_assets.source.routes import PATHS
from analytics_assets.source.window import Window
from analytics_assets.warehouse.publish import Published
from analytics_assets.warehouse.tables import DUCKDB_TYPES, LOADED_AT, RAW

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
    return f"GET /v1/workspaces/{{workspace_id}}/{PATHS[name].replace('resources.', '').replace('s.id}', '_id}')}"


def materialization_metadata(
    name: ResourceName,
    counts: ResourceCounts,
    published: Published,
    warehouse: Warehouse,
    window: Window,
    undeclared: Mapping[str, DataType],
) -> dict[str, Any]:
    """The figures of one resource in one run."""
    metadata: dict[str, Any] = {
        "dagster/row_count": published.total,
        "dagster/table_name": f"{warehouse.name}.{RAW}.{name}",
        "dagster/column_schema": column_schema(name, undeclared),
        "rows loaded": published.read,
        "rows new": published.new,
        "rows changed": published.changed,
        "rows deleted": published.deleted,
        "requests": counts.requests,
        "retries": counts.retries,
        "bytes": counts.bytes,
        "seconds waiting for the API": round(counts.seconds, 2),
        "lists read": len(counts.finished_lists),
        "warehouse": MetadataValue.path(str(warehouse.path)),
    }
    if name == "time_entries":
        metadata["from"] = window.start.strftime("%Y-%m-%d")
        metadata["until"] = window.end.strftime("%Y-%m-%d") if window.end else "open"
    if counts.new_columns:
        metadata["new columns"] = MetadataValue.md("\n".join(f"- `{c}` {kind}" for c, kind in sorted(counts.new_columns.items())))
    if counts.refused:
        named = [f"- `{parent}`: {reason}" for parent, reason in sorted(counts.refused.items())[:REFUSALS_NAMED]]
        more = [f"- and {len(counts.refused) - REFUSALS_NAMED} more"] if len(counts.refused) > REFUSALS_NAMED else []
        metadata["lists refused"] = len(counts.refused)
        metadata[f"refused {TABLES[name].parent}"] = MetadataValue.md("\n".join(named + more))
    return metadata
