"""One sync without any orchestration: the API is read into a landing, and one transaction publishes it.

The way the data takes stands here in full; what is believed is decided in `source/`, what is written in
`warehouse/`. Dagster joins in `orchestration/raw_assets.py`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dlt import Pipeline
from dlt.extract.source import DltSource

from analytics_assets.pipeline.api import Api
from analytics_assets.source.arrow import UndeclaredColumns
from analytics_assets.source.columns import DataType, ResourceName
from analytics_assets.source.journal import Journal
from analytics_assets.source.window import Window
from analytics_assets.warehouse.connection import connection
from analytics_assets.warehouse.identity import claim_workspace
from analytics_assets.warehouse.landing import landing
from analytics_assets.warehouse.publish import Published, publish
from analytics_assets.warehouse.tables import undeclared_columns
from analytics_assets.warehouse.writer_lock import writing

Load = Callable[[Pipeline, DltSource], Sequence[ResourceName]]
"""Runs the dlt pipeline on the source, and says which of its resources were loaded."""

LOADER_FILE_FORMAT: Final = "parquet"
"""dlt's default for DuckDB, INSERT statements, loads 2,000 rows/s; `jsonl` changes texts that look like times."""


def load_with_dlt(resources: Sequence[ResourceName]) -> Load:
    """dlt's own run of some of the resources, for those who need no orchestration."""

    def load(pipeline: Pipeline, source: DltSource) -> Sequence[ResourceName]:
        pipeline.run(source.with_resources(*resources), loader_file_format=LOADER_FILE_FORMAT, write_disposition="append")
        return resources

    return load


@dataclass(frozen=True)
class SyncReport:
    """What a sync did: per resource, and the columns that the tables have for fields nobody declared."""

    published: dict[ResourceName, Published]
    undeclared: dict[ResourceName, dict[str, DataType]]


def sync(*, api: Api, warehouse: Path, window: Window, journal: Journal, load: Load, name: str) -> SyncReport:
    """Read the API and make the raw tables equal to it, or leave them as they are.

    The warehouse is held from the first request on, so that no older reading is published after a newer one.

    Args:
        api: what to read.
        warehouse: path of the warehouse file.
        window: the time entries that are read.
        journal: filled with what happens.
        load: runs dlt.
        name: what those are told who have to wait for this sync.

    Raises:
        SourceError: somewhere among the causes, when the API can't be read exactly.
        WarehouseError: the warehouse can't be opened, holds another workspace, or its disk is full.
    """
    with writing(warehouse, name):
        with connection(warehouse) as con:
            access = api.access
            claim_workspace(con, warehouse, workspace_id=access.workspace_id, api_url=access.api_url)
            known = undeclared_columns(con)
        source = api.source(journal, window, UndeclaredColumns(known, on_new=journal.column_found))
        with landing(warehouse, concurrency=api.limits.concurrency) as landed:
            loaded = load(landed.pipeline, source)
            journal.check_some_list_was_readable()
            landed.close()
            published = publish(warehouse, landed.file, loaded, journal, window)
    # not asked of the warehouse: whoever opens it in this moment would make a failure of what is published
    undeclared = {name: {**known[name], **journal.resources[name].new_columns} for name in published}
    return SyncReport(published, undeclared)
