"""The two resources that a run is given: what reaches the API, and the warehouse file.

Both are plain values until a run asks them for something; nothing is opened or asked for when they are made.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dagster import ConfigurableResource, InitResourceContext, ResourceDefinition, ResourceParam
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


@dataclass(frozen=True)
class WarehouseFile:
    """The DuckDB file that everything is loaded into."""

    path: Path

    @property
    def name(self) -> str:
        """What DuckDB calls the database: the file's name without its ending."""
        return self.path.stem

    @contextmanager
    def writing(self, what: str) -> Iterator[None]:
        """Hold the file for writing; other writers wait, and log it."""
        with writing(self.path, what):
            yield


Warehouse = ResourceParam[WarehouseFile]
"""The parameter by which a step is given the file."""


def warehouse_resource(path: Path) -> ResourceDefinition:
    """The warehouse of a run, which its launchpad can't change.

    A run that loaded another file, to try something out, would put that one's tables into the copy for BI tools and into the
    team's database, and what the UI says of each asset would be of it.

    Args:
        path: the file.
    """

    def warehouse_file(context: InitResourceContext) -> WarehouseFile:  # its name is the resource's type in the UI
        return WarehouseFile(path)

    description = f"The warehouse file {path}, see ANALYTICS_DUCKDB_PATH."
    return ResourceDefinition(warehouse_file, config_schema={}, description=description)
