"""One sync without any orchestration: the API is read into a landing, and one transaction publishes it.

The way the data takes stands here and in `reading.py` in full; what is believed is decided in `source/`, what is
written in `warehouse/`. Dagster joins in `orchestration/raw_assets.py`.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from analytics_assets.pipeline.api import Api
from analytics_assets.pipeline.months import AskedMonths, Span
from analytics_assets.pipeline.progress import ReadingProgress
from analytics_assets.pipeline.reading import OpenReading, open_reading
from analytics_assets.source.columns import RESOURCE_NAMES, DataType, ResourceName
from analytics_assets.source.reading import Reading
from analytics_assets.warehouse.identity import claim_workspace
from analytics_assets.warehouse.publications import Published
from analytics_assets.warehouse.publish import publish


@dataclass(frozen=True)
class SyncReport:
    """What a sync did: the months and lists that were read, what was published, and the columns that nobody declared."""

    span: Span
    reading: Reading
    published: dict[ResourceName, Published]
    undeclared: dict[ResourceName, dict[str, DataType]]


@contextmanager
def open_sync(*, api: Api, warehouse: Path, months: AskedMonths, progress: ReadingProgress, holder: str) -> Iterator[OpenReading]:
    """A reading that is to be published; the caller runs dlt and then calls `publish_reading`.

    Raises:
        WarehouseError: the warehouse can't be opened, holds another workspace, or its disk is full.
    """

    def claim(con: duckdb.DuckDBPyConnection) -> None:
        claim_workspace(con, warehouse, workspace_id=api.access.workspace_id, api_url=api.access.api_url)

    with open_reading(api=api, warehouse=warehouse, months=months, progress=progress, holder=holder, prepare=claim) as reading:
        yield reading


def publish_reading(opened: OpenReading, resources: Sequence[ResourceName]) -> SyncReport:
    """Make the raw tables equal to what was read, in one transaction.

    Args:
        opened: the reading; dlt has loaded it.
        resources: those that were asked for.

    Raises:
        SourceError: the API was not read as it must be.
        WarehouseError: rows that were read have not arrived, or the disk is full.
    """
    reading = opened.finish(resources)
    opened.forget_kept_answers()
    published = publish(opened.warehouse, opened.landed, resources, reading)
    # not read from the warehouse: a program that has it open now would turn a sync that is published into a failure
    undeclared = {name: {**opened.known_columns[name], **reading.lists[name].new_columns} for name in published}
    return SyncReport(opened.span, reading, published, undeclared)


def sync(
    *,
    api: Api,
    warehouse: Path,
    months: AskedMonths,
    progress: ReadingProgress,
    holder: str,
    resources: Sequence[ResourceName] = RESOURCE_NAMES,
) -> SyncReport:
    """Read the API and make the raw tables equal to it, or leave them as they are.

    Args:
        api: what to read.
        warehouse: path of the warehouse file.
        months: the months of time entries that are read.
        progress: filled with what happens.
        holder: what those are told who have to wait for this sync.
        resources: the tables to make equal.

    Raises:
        SourceError: somewhere among the causes, when the API can't be read exactly.
        WarehouseError: the warehouse can't be opened, holds another workspace, or its disk is full.
    """
    with open_sync(api=api, warehouse=warehouse, months=months, progress=progress, holder=holder) as opened:
        opened.load(resources)
        return publish_reading(opened, resources)
