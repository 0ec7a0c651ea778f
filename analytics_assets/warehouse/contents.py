"""What the warehouse holds, in figures: whose workspace it is, when it was loaded last, and how many rows each table has."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from analytics_assets.source.columns import RESOURCE_NAMES, ResourceName
from analytics_assets.warehouse.connection import connection
from analytics_assets.warehouse.counting import count
from analytics_assets.warehouse.identity import held_workspace, refuse_several_workspaces
from analytics_assets.warehouse.tables import PUBLICATIONS, RAW, columns_of


@dataclass(frozen=True)
class WarehouseContents:
    """Whose workspace is held and which host it was read from, when it was loaded first and last, and each table's rows."""

    workspace_id: str
    api_host: str
    first_published_at: datetime
    published_at: datetime
    rows: Mapping[ResourceName, int]


def warehouse_contents(path: Path) -> WarehouseContents | None:
    """What the warehouse holds; None where nothing was published yet. Does not wait for another program.

    Raises:
        WarehouseError: the file can't be opened, another program has it open, or it holds several workspaces.
    """
    with connection(path, read_only=True, patience_seconds=0) as con:
        refuse_several_workspaces(con, path)
        held = held_workspace(con)
        if held is None:
            return None
        published = con.execute(f"SELECT min(published_at), max(published_at) FROM {PUBLICATIONS}").fetchone()
        assert published is not None  # `held_workspace` answers only where something was published
        rows = {name: count(con, f"{RAW}.{name}") for name in RESOURCE_NAMES if columns_of(con, RAW, name)}
    return WarehouseContents(held[0], held[1], published[0], published[1], rows)
