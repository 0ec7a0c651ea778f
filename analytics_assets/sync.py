"""One sync without any orchestration: the API is read into a landing, and one transaction publishes it.

The way the data takes stands here in full; what is believed is decided in `source/`, what is written in
`warehouse/`. Dagster joins in `raw_assets.py`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from dlt import Pipeline
from dlt.extract.source import DltSource

from analytics_assets.settings import ApiAccess, Settings
from analytics_assets.source import Reading, analytics_source
from analytics_assets.source.arrow import UndeclaredColumns
from analytics_assets.source.columns import DataType, ResourceName
from analytics_assets.source.errors import SourceError
from analytics_assets.source.http import HttpLimits
from analytics_assets.source.journal import Journal
from analytics_assets.source.rest_config import DEFAULT_PAGE_SIZE, ExtraParams
from analytics_assets.source.window import Window
from analytics_assets.warehouse.connection import connection
from analytics_assets.warehouse.identity import claim_workspace
from analytics_assets.warehouse.landing import landing
from analytics_assets.warehouse.publish import Published, publish
from analytics_assets.warehouse.tables import undeclared_columns
from analytics_assets.warehouse.writer_lock import writing

Load = Callable[[Pipeline, DltSource], Sequence[ResourceName]]
"""Runs the dlt pipeline on the source, and says which of its resources were loaded."""

LEDGER: Final = ".requests.sqlite"
"""Where the requests of the last hour are kept, beside the warehouse."""

LOADER_FILE_FORMAT: Final = "parquet"
"""dlt's default for DuckDB, INSERT statements, loads 2,000 rows/s; `jsonl` changes texts that look like times."""


def load_with_dlt(resources: Sequence[ResourceName]) -> Load:
    """dlt's own run of some of the resources, for those who need no orchestration."""

    def load(pipeline: Pipeline, source: DltSource) -> Sequence[ResourceName]:
        pipeline.run(source.with_resources(*resources), loader_file_format=LOADER_FILE_FORMAT, write_disposition="append")
        return resources

    return load


@dataclass(frozen=True)
class Api:
    """The API to read: the way in, how gently it is asked, and what is asked besides."""

    access: ApiAccess
    page_size: int = DEFAULT_PAGE_SIZE
    limits: HttpLimits = field(default_factory=HttpLimits)
    extra_params: ExtraParams = field(default_factory=dict)

    @classmethod
    def of(cls, settings: Settings) -> "Api":
        """The API that the settings name.

        Raises:
            SettingsError: key, address or workspace is missing.
        """
        limits = HttpLimits(
            requests_per_second=settings.requests_per_second,
            concurrency=settings.concurrency,
            backoff_factor=settings.retry_backoff_factor,
            read_timeout_seconds=settings.request_timeout_seconds,
            requests_per_hour=settings.requests_per_hour,
            ledger=settings.data_dir / LEDGER,
        )
        return cls(settings.check_api(), settings.page_size, limits, settings.extra_params)

    def source(self, journal: Journal, window: Window | None, undeclared: UndeclaredColumns) -> DltSource:
        """The keyed source for one reading; dlt wants a fresh one each time.

        Raises:
            SourceError: no HTTP header can carry the key. `requests` would say so too, and show the key.
        """
        key = self.access.api_key.get_secret_value()
        if not (key.isascii() and key.isprintable()):
            raise SourceError(
                "ANALYTICS_API_KEY holds characters that no key has, such as a line break or an accented letter; copy it anew."
            )
        reading = Reading(
            page_size=self.page_size,
            window=window,
            limits=self.limits,
            extra_params=self.extra_params,
            journal=journal,
            undeclared=undeclared,
            column_hints=False,
        )
        return analytics_source(key, self.access.api_url, self.access.workspace_id, reading)


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
