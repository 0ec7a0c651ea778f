"""The two resources that a run is given: what reaches the API, and the warehouse file.

Both are plain values until a run asks them for something; nothing is opened or asked for when they are made.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dagster import ConfigurableResource
from pydantic import Field

from analytics_assets.pipeline.api import Api
from analytics_assets.settings import Settings
from analytics_assets.warehouse.writer_lock import writing
from analytics_assets.workspace_access import checked_access


class WorkspaceAccessResource(ConfigurableResource):  # type: ignore[type-arg]
    """What reaches the workspace behind the REST API; a value that is not given here comes from the settings."""

    api_key: str | None = Field(
        default=None,
        description="The key, ANALYTICS_API_KEY by default. Name the variable that holds another one, {env: NAME}: Dagster keeps "
        "with each run what is typed into its launchpad, a key in plain text too.",
    )
    api_url: str | None = Field(default=None, description="Root of the API, by default ANALYTICS_API_URL; /v1/... follows.")
    workspace_id: str | None = Field(default=None, description="The workspace, by default ANALYTICS_WORKSPACE_ID.")

    def api(self, settings: Settings) -> Api:
        """The API to read.

        Raises:
            SettingsError: names every variable that is missing or wrong.
        """
        key = settings.api_key.get_secret_value() if settings.api_key is not None else None
        access = checked_access(
            api_key=self.api_key or key,
            api_url=self.api_url or settings.api_url,
            workspace_id=self.workspace_id or settings.workspace_id,
        )
        return Api.of(settings, access)


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
        """Hold the file for writing; other writers wait, and log it."""
        with writing(self.path, what):
            yield
