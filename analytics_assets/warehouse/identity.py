"""Which workspace a warehouse holds, so that a second one is never mixed into it.

Two workspaces in one file would delete each other's rows, because a row that a sync does not find in its API counts as
deleted. Only the id of the workspace counts; its host may change.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import duckdb

from analytics_assets.setting_values import WORKSPACES_FOLDER
from analytics_assets.source.columns import RESOURCE_NAMES
from analytics_assets.warehouse.errors import WarehouseError
from analytics_assets.warehouse.tables import PUBLICATIONS, RAW, columns_of

WORKSPACE: Final = f"{RAW}._workspace"
TOGETHER: Final = f"{RAW}._put_together"
"""Which tables of which workspaces a common file holds, see `together.py`; no other file has it."""


def claim_workspace(con: duckdb.DuckDBPyConnection, path: Path, *, workspace_id: str, api_url: str) -> None:
    """Record which workspace this warehouse holds; the caller holds the writer's lock.

    The record is binding once something was published, so a mistyped id that the API refuses has no effect.

    Args:
        con: a connection that may write.
        path: the warehouse file, for the message.
        workspace_id: the workspace that will be read.
        api_url: the root of the API that it is read from.

    Raises:
        WarehouseError: the warehouse holds another workspace, or tables of another program.
    """
    refuse_another_workspace(con, path, workspace_id)
    if not columns_of(con, *_split(WORKSPACE)) and not columns_of(con, *_split(PUBLICATIONS)):
        _refuse_tables_of_others(con, path)
    claimed = (workspace_id, urlsplit(api_url).hostname)
    if held_workspace(con) == claimed:
        return
    con.execute(f"CREATE SCHEMA IF NOT EXISTS {RAW}")
    con.execute(
        f"CREATE OR REPLACE TABLE {WORKSPACE} AS SELECT ?::VARCHAR AS workspace_id, ?::VARCHAR AS api_host", list(claimed)
    )


def _refuse_tables_of_others(con: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Raise if a file that was never claimed has a table of a name that a sync writes; its rows would count as deleted."""
    for name in RESOURCE_NAMES:
        if columns_of(con, RAW, name):
            raise WarehouseError(
                f"{path} has a table {RAW}.{name} that this project has not made, and it stays as it is: set "
                "ANALYTICS_DUCKDB_PATH to another file."
            )


def refuse_another_workspace(con: duckdb.DuckDBPyConnection, path: Path, workspace_id: str) -> None:
    """Raise if the warehouse holds another workspace than this one.

    Args:
        con: a connection to the warehouse.
        path: its file, for the message.
        workspace_id: the workspace that is to be read.

    Raises:
        WarehouseError: it does.
    """
    refuse_several_workspaces(con, path)
    held = held_workspace(con)
    if held is not None and held[0] != workspace_id:
        raise WarehouseError(another_workspace(path, held, workspace_id))


def refuse_several_workspaces(con: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Raise if the file holds the tables of several workspaces, of which `held_workspace` would name one.

    Args:
        con: a connection to the file.
        path: the file, for the message.

    Raises:
        WarehouseError: it does.
    """
    if (several := workspaces_together(con)) is not None:
        raise WarehouseError(several_workspaces(path, several))


def another_workspace(path: Path, held: tuple[str, str], workspace_id: str) -> str:
    """The message about a workspace that is not the one that the warehouse holds."""
    return (
        f"{path} holds workspace {held[0]} (read from {held[1]}), not workspace {workspace_id}: set ANALYTICS_DUCKDB_PATH "
        "to another file, or remove this one to start over."
    )


def several_workspaces(path: Path, held: Sequence[str]) -> str:
    """The message about a file of several workspaces where the warehouse of one is expected."""
    return (
        f"{path} holds the tables of several workspaces ({', '.join(held)}), not the warehouse of one: name all of them in "
        f"ANALYTICS_WORKSPACE_ID again, or set ANALYTICS_DUCKDB_PATH to another file. The warehouse of each lies in "
        f"{path.parent / WORKSPACES_FOLDER}, and can be set too."
    )


def workspaces_together(con: duckdb.DuckDBPyConnection) -> list[str] | None:
    """The workspaces of a common file; None where it is the warehouse of one."""
    if not columns_of(con, *_split(TOGETHER)):
        return None
    return [row[0] for row in con.execute(f"SELECT DISTINCT workspace_id FROM {TOGETHER} ORDER BY ALL").fetchall()]


def held_workspace(con: duckdb.DuckDBPyConnection) -> tuple[str, str] | None:
    """The id of the workspace that the warehouse holds and the host it was read from; None if nothing was published yet."""
    if not columns_of(con, *_split(WORKSPACE)) or not columns_of(con, *_split(PUBLICATIONS)):
        return None
    row = con.execute(f"SELECT workspace_id, api_host FROM {WORKSPACE} WHERE EXISTS (FROM {PUBLICATIONS})").fetchone()
    return None if row is None else (row[0], row[1])


def _split(table: str) -> tuple[str, str]:
    schema, _, name = table.partition(".")
    return schema, name
