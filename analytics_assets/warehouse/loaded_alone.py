"""The warehouse of a workspace that was loaded alone and is one of several from now on: it lies where the common file belongs.

It is moved to the place of its own, with its history, before anything is put into that place or the common one.
"""

import logging
from collections.abc import Mapping
from pathlib import Path

from analytics_assets.warehouse.connection import connection
from analytics_assets.warehouse.errors import WarehouseError
from analytics_assets.warehouse.identity import held_workspace, workspaces_together
from analytics_assets.warehouse.places import log_file
from analytics_assets.warehouse.writer_lock import writing

logger = logging.getLogger(__name__)


def carry_over(together: Path, warehouses: Mapping[str, Path]) -> str | None:
    """Move the file of a workspace that was loaded alone to where it belongs now that several are loaded.

    Args:
        together: where its file lies, if one was loaded alone before.
        warehouses: the workspaces, and where the file of each belongs.

    Returns:
        The workspace whose file was moved; None where nothing had to be.

    Raises:
        WarehouseError: the file can't be opened.
        OSError: it can't be moved.
    """
    workspace_id = _held_alone_if_known(together, warehouses)
    warehouse = warehouses.get(workspace_id or "")
    if warehouse is None or holds_rows(warehouse):
        return None
    what = f"move of the warehouse of workspace {workspace_id}"
    with writing(warehouse, what), writing(together, what):  # in the order of those who put tables together
        if held_alone(together) != workspace_id or holds_rows(warehouse):
            return None
        with connection(together) as con:
            con.execute("CHECKPOINT")  # what a killed program has left beside the file
        log_file(warehouse).unlink(missing_ok=True)  # of the file without rows that is replaced
        together.replace(warehouse)
    logger.warning("Workspace %s was loaded alone until now; its warehouse was moved to %s", workspace_id, warehouse)
    return workspace_id


def _held_alone_if_known(together: Path, warehouses: Mapping[str, Path]) -> str | None:
    """The same as `held_alone`; a common file that can't be opened holds up nobody who has a warehouse already."""
    try:
        return held_alone(together)
    except WarehouseError:
        if all(each.exists() for each in warehouses.values()):
            return None
        raise


def holds_rows(warehouse: Path) -> bool:
    """Whether something was published into the warehouse of a workspace; a sync that failed has left one without rows."""
    if not warehouse.exists():
        return False
    with connection(warehouse, read_only=True) as con:
        return held_workspace(con) is not None


def held_alone(together: Path) -> str | None:
    """The workspace whose warehouse lies in the place of the common file; None where none does."""
    if not is_there(together):
        return None
    with connection(together, read_only=True) as con:
        held = None if workspaces_together(con) is not None else held_workspace(con)
    return held and held[0]


def is_there(together: Path) -> bool:
    """Whether the common file exists; an empty one is nothing yet."""
    return together.exists() and together.stat().st_size > 0
