"""The two resources that a run is given: the API with its key, and the warehouse file.

Both are plain values until a run asks them for something; nothing is opened or asked for when they are made.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
from dagster import ConfigurableResource
from pydantic import Field

from analytics_assets.pipeline.api import Api
from analytics_assets.pipeline.months import Month
from analytics_assets.settings import checked_access
from analytics_assets.source.http import HttpLimits
from analytics_assets.warehouse.connection import READER_PATIENCE_SECONDS, connection
from analytics_assets.warehouse.publications import last_covered_moment
from analytics_assets.warehouse.writer_lock import writing


class AnalyticsApi(ConfigurableResource):  # type: ignore[type-arg]
    """The workspace behind the REST API: where it is, the key to it, and how gently it is asked."""

    api_key: str = Field(description="The key, from ANALYTICS_API_KEY; sent in the header X-Api-Key and kept nowhere.")
    api_url: str = Field(description="Root of the API, from ANALYTICS_API_URL; /v1/... follows.")
    workspace_id: str = Field(description="The workspace, from ANALYTICS_WORKSPACE_ID.")
    page_size: int = Field(50, description="Rows asked per page.")
    requests_per_second: int = Field(10, description="Ceiling over all threads of a run.")
    requests_per_hour: int | None = Field(None, description="Second ceiling, over processes, for metered plans.")
    ledger_path: str = Field("data/.requests.sqlite", description="Where the requests of the last hour are kept.")
    concurrency: int = Field(8, description="Requests in flight at most.")
    retry_backoff_factor: float = Field(2.0, description="Seconds; the waits between attempts are 1, 2, 4 times as long.")
    request_timeout_seconds: float = Field(60.0, description="Longest silence of the server.")
    extra_params: dict[str, dict[str, Any]] = Field(default_factory=dict, description="Further query parameters per resource.")

    def checked(self) -> Api:
        """The API to read, once key, address and workspace have passed the checks of `settings.py`.

        Raises:
            SettingsError: names every variable that is missing or wrong.
        """
        limits = HttpLimits(
            requests_per_second=self.requests_per_second,
            concurrency=self.concurrency,
            backoff_factor=self.retry_backoff_factor,
            read_timeout_seconds=self.request_timeout_seconds,
            requests_per_hour=self.requests_per_hour,
            ledger=Path(self.ledger_path),
        )
        access = checked_access(api_key=self.api_key, api_url=self.api_url, workspace_id=self.workspace_id)
        return Api(access, self.page_size, limits, self.extra_params)


class Warehouse(ConfigurableResource):  # type: ignore[type-arg]
    """The DuckDB file that everything is loaded into."""

    duckdb_path: str = Field(description="The warehouse file, from ANALYTICS_DUCKDB_PATH.")

    @property
    def path(self) -> Path:
        """Where the file is."""
        return Path(self.duckdb_path)

    @property
    def name(self) -> str:
        """What DuckDB calls the database: the file's name without its ending."""
        return self.path.stem

    @contextmanager
    def writing(self, what: str) -> Iterator[None]:
        """Hold the file for writing; other writers wait, aloud."""
        with writing(self.path, what):
            yield

    @contextmanager
    def reading(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection that reads; waits while another program writes."""
        with connection(self.path, read_only=True) as con:
            yield con

    def last_covered(self, start_date: date, *, patience_seconds: float = READER_PATIENCE_SECONDS) -> Month | None:
        """The month in which a sync last read up to its own present, None where no sync has read all history.

        Raises:
            WarehouseError: another program held the file for longer than `patience_seconds`.
        """
        covered = last_covered_moment(self.path, start_date, patience_seconds=patience_seconds)
        return None if covered is None else Month.of(covered)
