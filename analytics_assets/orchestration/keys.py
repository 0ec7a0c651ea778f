"""What the assets are called: schema and name, and before them the workspace where several are loaded.

Dagster knows an asset by its key wherever it is defined, so two workspaces need keys of their own. Everybody who makes or
reads a key does it here.
"""

from dataclasses import dataclass
from typing import Final

from dagster import AssetCheckKey, AssetKey

from analytics_assets.setting_values import DELIVERED_TO
from analytics_assets.settings import Settings
from analytics_assets.warehouse.export import MARTS
from analytics_assets.warehouse.tables import RAW

REPORT: Final = "report"
"""The layer of what is made from the marts."""
PROOF: Final = "raw_matches_api"
"""The check that reads the API again, see `checks.py`."""
REPORT_STEP: Final = "report__overview"
READER_COPY_STEP: Final = "report__reader_copy"
DELIVERY_STEPS: Final = {f"report__{destination}": engine for destination, engine in DELIVERED_TO.items()}
"""What Dagster calls the steps that make these, see `Keys.plain_step`."""


@dataclass(frozen=True)
class Keys:
    """The keys of one workspace's assets.

    Attributes:
        workspace_name: what stands before schema and name; None where one workspace is loaded alone.
    """

    workspace_name: str | None = None

    @classmethod
    def of(cls, settings: Settings) -> "Keys":
        """Those of the workspace that the settings are of."""
        return cls(settings.workspace_name)

    def key(self, *path: str) -> AssetKey:
        """The asset of this path, such as `raw` and `users`."""
        return AssetKey([*self._before, *path])

    def raw(self, name: str) -> AssetKey:
        """The asset of a raw table."""
        return self.key(RAW, name)

    def mart(self, name: str) -> AssetKey:
        """The asset of a mart."""
        return self.key(MARTS, name)

    def path(self, key: AssetKey) -> tuple[str, ...]:
        """Schema and name of an asset."""
        return tuple(key.path[len(self._before) :])

    def group(self, layer: str) -> str:
        """The group of the assets of a layer; the layer comes first, because Dagster cuts long names at their end."""
        return "_".join((layer, *self._before))

    def plain_step(self, step: str) -> str:
        """A step as it is called where one workspace is loaded alone."""
        return step.removeprefix("".join(f"{part}__" for part in self._before))

    @property
    def workspace(self) -> AssetKey:
        """The workspace behind the API."""
        return self.key("api", "workspace")

    @property
    def proof(self) -> AssetCheckKey:
        """The check that the raw tables equal the API."""
        return AssetCheckKey(self.workspace, PROOF)

    @property
    def report(self) -> AssetKey:
        """The page for the owner."""
        return self.key(REPORT, "overview")

    @property
    def reader_copy(self) -> AssetKey:
        """The copy for BI tools."""
        return self.key(REPORT, "reader_copy")

    def delivery(self, destination: str) -> AssetKey:
        """What is delivered to a team's warehouse."""
        return self.key(REPORT, destination)

    @property
    def deliveries(self) -> set[AssetKey]:
        """Of each engine what would be delivered to it."""
        return {self.delivery(destination) for destination in DELIVERED_TO}

    @property
    def _before(self) -> tuple[str, ...]:
        return () if self.workspace_name is None else (self.workspace_name,)


def layer(key: AssetKey) -> str:
    """The schema or group that an asset is of, such as `raw` or `marts`."""
    return key.path[-2]
