"""Two workspaces of one server, each with its warehouse, and the file of both."""

from collections.abc import Mapping
from pathlib import Path

import duckdb

from analytics_assets.demo.serving import DemoServer
from analytics_assets.demo.workspace import Workspace
from analytics_assets.warehouse.together import PutTogether, put_together
from analytics_assets_tests.rig import Rig
from analytics_assets_tests.tiny import tiny_workspace

SECOND = "second"


class Both:
    """Two workspaces of one server, each with its warehouse, and the common file."""

    def __init__(self, server: DemoServer, folder: Path) -> None:
        self.together = folder / "analytics.duckdb"
        self.first, self.second = Rig(server, folder / "workspaces" / "first"), Rig(server, folder / "workspaces" / SECOND)
        self.second.workspace = server.neighbours[0]
        self.second.workspace_id = SECOND
        self.ids = (self.first.workspace_id, SECOND)
        self.warehouses = {self.first.workspace_id: self.first.path, SECOND: self.second.path}
        self.of_others = {"third": folder / "workspaces" / "third" / "analytics.duckdb"}

    def put(self, rig: Rig, warehouses: Mapping[str, Path] | None = None) -> PutTogether:
        """Put the tables of one workspace into the common file."""
        return put_together(self.together, workspace_id=rig.workspace_id, warehouses=warehouses or self.warehouses)

    def query(self, sql: str) -> list[tuple[object, ...]]:
        """Rows of the common file."""
        with duckdb.connect(str(self.together), read_only=True) as con:
            return con.execute(sql).fetchall()

    def counts(self, table: str) -> dict[object, object]:
        """How many rows of each workspace a table of the common file has."""
        return {row[0]: row[1] for row in self.query(f"SELECT workspace_id, count(*) FROM {table} GROUP BY ALL")}


def second_workspace() -> Workspace:
    """The same members and entries under another id; a member of both workspaces has one id."""
    workspace = tiny_workspace()
    workspace.id = SECOND
    return workspace
