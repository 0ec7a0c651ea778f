"""What Dagster is told of where each column comes from: of models as it was computed, of raw tables as they are declared.

Computing it belongs to `build_backend/column_lineage.py`, whose file is read here; loading the definitions needs neither dbt
nor a parser of SQL. It is part of what an asset is, not of a run, so it costs no event.
"""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

from dagster import AssetKey, MetadataValue, TableColumn, TableColumnDep, TableColumnLineage, TableRecord, TableSchema

from analytics_assets.orchestration.keys import Keys
from analytics_assets.source.columns import TABLES, ResourceName
from analytics_assets.warehouse.descriptions import LOADED_AT

COLUMN_LINEAGE_FILE: Final = Path(__file__).parents[1] / "dbt_project" / "column_lineage.json"
COLUMN_LINEAGE: Final = "dagster/column_lineage"
"""For programs; the UI draws it in Dagster+ alone."""
IN_WORDS: Final = "where columns come from"
"""The same as a table, which every UI shows."""
COMPUTED: Final = "computed"
"""Stands for the parents of a column that has none, such as a count or the time of a load."""

Parents = Sequence[tuple[str, str]]
"""Asset and column of each parent; the "columns" of the API are the fields of its records."""
WITHOUT_WORKSPACE: Final = Keys()
TABLE: Final = TableSchema([TableColumn("column"), TableColumn("from")])


def lineage_of_model(key: AssetKey, keys: Keys = WITHOUT_WORKSPACE) -> dict[str, Any]:
    """The metadata of a model; none of one that is younger than the file.

    Args:
        key: the asset of the model.
        keys: the keys of its workspace.
    """
    columns = _computed().get("/".join(keys.path(key)))
    return {} if columns is None else _metadata(columns, keys)


def lineage_of_raw_table(name: ResourceName, keys: Keys = WITHOUT_WORKSPACE) -> dict[str, Any]:
    """The metadata of a raw table: each column with the field of the API that it is filled from.

    Args:
        name: the table.
        keys: the keys of its workspace.
    """
    table, workspace = TABLES[name], "/".join(keys.path(keys.workspace))
    columns: dict[str, Parents] = {column.name: [(workspace, ".".join((table.name, *column.path)))] for column in table.columns}
    if table.parent_column is not None:
        columns[table.parent_column] = [(workspace, f"{table.parent}.id")]
    return _metadata({**columns, LOADED_AT: []}, keys)


@cache
def _computed() -> dict[str, dict[str, Parents]]:
    """The parents of each column of each model."""
    assets: dict[str, dict[str, Parents]] = json.loads(COLUMN_LINEAGE_FILE.read_text(encoding="utf-8"))["assets"]
    return assets


def _metadata(columns: Mapping[str, Parents], keys: Keys) -> dict[str, Any]:
    deps = {
        column: [TableColumnDep(keys.key(*asset.split("/")), parent) for asset, parent in parents]
        for column, parents in columns.items()
    }
    records = [
        TableRecord({"column": column, "from": ", ".join(f"{asset}.{parent}" for asset, parent in parents) or COMPUTED})
        for column, parents in columns.items()
    ]
    return {
        COLUMN_LINEAGE: MetadataValue.column_lineage(TableColumnLineage(deps)),
        IN_WORDS: MetadataValue.table(records, TABLE),
    }
