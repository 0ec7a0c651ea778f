"""One file with the tables of several workspaces, in which each row says which workspace it is of.

Each workspace is read, compared and built in a file of its own, so that none can hold up another or delete its rows. What
stands in those files is put together here, table by table, where it has changed. The file is replaced in one step, as the
copy for BI tools is: a tool may keep it open for as long as it likes.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

import duckdb

from analytics_assets.warehouse.connection import CHOSEN_WITH, connection
from analytics_assets.warehouse.counting import count
from analytics_assets.warehouse.disk import full_disk_as_one_sentence
from analytics_assets.warehouse.errors import DamagedFileError, WarehouseError, WarehouseInUseError
from analytics_assets.warehouse.identity import TOGETHER, WORKSPACE, held_workspace, workspaces_together
from analytics_assets.warehouse.in_common import ANY_TYPE, WORKSPACE_COLUMN, columns_there, place_of, tables_not_together
from analytics_assets.warehouse.loaded_alone import held_alone, holds_rows, is_there
from analytics_assets.warehouse.places import log_file
from analytics_assets.warehouse.reader_copy import copy_whole
from analytics_assets.warehouse.replacing import replacing
from analytics_assets.warehouse.tables import RAW, columns_of, literal, quoted
from analytics_assets.warehouse.team.delivered_tables import DeliveredTable, delivered_tables

OWN: Final = "own_workspace"
"""What the file of the workspace is called while it is attached."""


@dataclass(frozen=True)
class PutTogether:
    """What is there afterwards: how large the file is, the workspaces in it, and the tables that were replaced."""

    path: Path
    size_bytes: int
    workspaces: Sequence[str]
    replaced: Sequence[str]


def put_together(together: Path, *, workspace_id: str, warehouses: Mapping[str, Path]) -> PutTogether:
    """Replace the rows of one workspace in the common file by those of its own file.

    Args:
        together: the common file, made if it does not exist; the caller holds its writer's lock and that of the workspace's.
        workspace_id: the workspace.
        warehouses: the file of each workspace that belongs into the common one; rows of others are taken out.

    Raises:
        WarehouseError: in the place of the common file lies something else, a file can't be opened, or the disk is full.
        OSError: the common file can't be written.
    """
    warehouse, known = warehouses[workspace_id], _known(together, warehouses)
    with connection(warehouse, read_only=True) as con:
        tables = delivered_tables(con)
    before = known.get(workspace_id, {})
    now = {table.label: sha256(table.content.encode()).hexdigest() for table in tables}
    as_before = [each for each in tables if before.get(each.label) == now[each.label]]
    # the values too, because somebody with SQL may have written to the common file
    differ = tables_not_together(warehouse, together, workspace_id, as_before)
    replaced = [each for each in tables if before.get(each.label) != now[each.label] or each.label in differ]
    gone = sorted(before.keys() - now.keys())
    strangers = sorted(known.keys() - warehouses.keys())
    if replaced or gone or strangers:
        with full_disk_as_one_sentence(together.parent), replacing(together) as place:
            if known:
                copy_whole(together, place, chosen_with=CHOSEN_WITH)
            with connection(place) as con:
                _make_mark(con)
                _remove(con, strangers)
                con.execute(f"ATTACH {literal(str(warehouse))} AS {OWN} (READ_ONLY)")
                for label in gone:
                    _delete_rows(con, label, workspace_id)
                for table in replaced:
                    _replace_rows(con, table, workspace_id)
                con.execute(f"DETACH {OWN}")
                con.execute(f"DELETE FROM {TOGETHER} WHERE workspace_id = ?", [workspace_id])
                noted = [[workspace_id, table.label, now[table.label], json.dumps(_own_columns(table))] for table in tables]
                con.executemany(f"INSERT INTO {TOGETHER} (workspace_id, label, content, columns) VALUES (?, ?, ?, ?)", noted)
            log_file(together).unlink(missing_ok=True)  # all that it says was copied
    there = sorted({*known, workspace_id} & warehouses.keys())
    return PutTogether(together, together.stat().st_size, there, [table.label for table in replaced])


def examine_common_file(together: Path, warehouses: Mapping[str, Path]) -> list[str]:
    """The workspaces whose tables are in the common file; nothing is written.

    Args:
        together: the common file.
        warehouses: the workspaces that are loaded, and the file of each.

    Raises:
        WarehouseError: the file can't be opened, or is one of another kind and can't be made anew.
    """
    alone = held_alone(together)
    if alone is not None and alone in warehouses and not holds_rows(warehouses[alone]):
        return []  # the first sync carries it over
    return sorted(_known(together, warehouses))


def _known(together: Path, warehouses: Mapping[str, Path]) -> dict[str, dict[str, str]]:
    """What each table of each workspace was when it was put into the common file.

    Raises:
        WarehouseError: it is a file of another kind, or can't be opened.
    """
    if not is_there(together):
        return {}
    with _reading(together) as con:
        if workspaces_together(con) is None:
            _refuse_what_would_be_lost(con, together, warehouses)
            return {}
        known: dict[str, dict[str, str]] = {}
        for workspace, label, content in con.execute(f"SELECT workspace_id, label, content FROM {TOGETHER}").fetchall():
            known.setdefault(workspace, {})[label] = content
        return known


@contextmanager
def _reading(together: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The common file opened for reading; of one that is damaged it is said how it can be had anew."""
    with ExitStack() as stack:
        try:
            con = stack.enter_context(connection(together, read_only=True))
        except WarehouseInUseError:
            raise
        except WarehouseError as error:
            told = error.damage if isinstance(error, DamagedFileError) else str(error).removesuffix(".")
            raise WarehouseError(
                f"{told}. If it was the file with the tables of all workspaces, move it away: each sync "
                "of everything puts those of its workspace into a new one."
            ) from error
        yield con


def _refuse_what_would_be_lost(con: duckdb.DuckDBPyConnection, together: Path, warehouses: Mapping[str, Path]) -> None:
    """Raise if the file is not one of this project, or holds a workspace that could not be carried over."""
    if (held := held_workspace(con)) is not None:
        own = warehouses.get(held[0])
        why = "ANALYTICS_WORKSPACE_ID does not name" if own is None else f"has another warehouse in {own}"
        holds = f"holds workspace {held[0]}, which {why}"
    elif not columns_of(con, *WORKSPACE.split(".")) and count(con, "duckdb_tables() WHERE database_name = current_database()"):
        holds = "holds tables that this project has not made"
    else:
        return
    raise WarehouseError(
        f"{together} {holds}, and it stays as it is: several workspaces need a file of their own, so set ANALYTICS_DUCKDB_PATH "
        "to another one."
    )


def _make_mark(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(f"CREATE SCHEMA IF NOT EXISTS {RAW}")
    con.execute(
        f"CREATE TABLE IF NOT EXISTS {TOGETHER} (workspace_id VARCHAR NOT NULL, label VARCHAR NOT NULL, content VARCHAR NOT NULL)"
    )
    con.execute(f"ALTER TABLE {TOGETHER} ADD COLUMN IF NOT EXISTS columns VARCHAR")  # an earlier version made it without


def _remove(con: duckdb.DuckDBPyConnection, strangers: Sequence[str]) -> None:
    """Take out the rows of workspaces that are not loaded any more."""
    for workspace in strangers:
        labels = con.execute(f"SELECT label FROM {TOGETHER} WHERE workspace_id = ?", [workspace]).fetchall()
        for (label,) in labels:
            _delete_rows(con, label, workspace)
        con.execute(f"DELETE FROM {TOGETHER} WHERE workspace_id = ?", [workspace])


def _replace_rows(con: duckdb.DuckDBPyConnection, table: DeliveredTable, workspace_id: str) -> None:
    """Make a table anew from the rows of the other workspaces and those of this one."""
    place = place_of(table.label)
    there = columns_there(con, table.label)
    own = _own_columns(table)
    of_others = f"{place} WHERE {WORKSPACE_COLUMN} <> {literal(workspace_id)}"
    types = {
        name: ANY_TYPE if there.get(name) == ANY_TYPE and not _can_become(con, of_others, name, kind) else kind
        for name, kind in _types(there, own, _columns_of_others(con, table.label, workspace_id))
    }
    of_this = {**{name: quoted(name) for name in own}, WORKSPACE_COLUMN: literal(workspace_id)}
    con.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(table.schema)}")
    parts = [f"SELECT {_selected(types, of_this)} FROM {OWN}.{place}"]
    if there:
        parts.insert(0, f"SELECT {_selected(types, {name: quoted(name) for name in there})} FROM {of_others}")
    con.execute(f"CREATE OR REPLACE TABLE {place} AS {' UNION ALL '.join(parts)}")
    _comment(con, table)


def _own_columns(table: DeliveredTable) -> dict[str, str]:
    return {column.name: column.duckdb_type for column in table.columns}


def _columns_of_others(con: duckdb.DuckDBPyConnection, label: str, workspace_id: str) -> list[dict[str, str]] | None:
    """The columns that a table has in the file of each other workspace; None where an earlier version did not note them."""
    found = con.execute(f"SELECT columns FROM {TOGETHER} WHERE label = ? AND workspace_id <> ?", [label, workspace_id]).fetchall()
    return None if any(columns is None for (columns,) in found) else [json.loads(columns) for (columns,) in found]


def _can_become(con: duckdb.DuckDBPyConnection, rows: str, name: str, kind: str) -> bool:
    """Whether a column of texts can be one of another type again, so that each value has the same text as before."""
    return kind == ANY_TYPE or not count(
        con, f"{rows} AND TRY_CAST({quoted(name)} AS {kind})::VARCHAR IS DISTINCT FROM {quoted(name)}"
    )


def _types(
    there: Mapping[str, str], own: Mapping[str, str], of_others: Sequence[Mapping[str, str]] | None
) -> Iterator[tuple[str, str]]:
    """The columns of a table of all workspaces, the workspace first where no table has a place for it, with their types."""
    kinds: dict[str, set[str]] = {}
    for columns in (own, *([there] if of_others is None else of_others)):
        for name, kind in columns.items():
            kinds.setdefault(name.casefold(), set()).add(kind)
    names: dict[str, str] = {}
    for name in (*there, *own):  # those that are there keep their order and spelling
        if name.casefold() in kinds:
            names.setdefault(name.casefold(), name)
    if WORKSPACE_COLUMN not in names:
        yield WORKSPACE_COLUMN, "VARCHAR"
    for key, name in names.items():
        if key == WORKSPACE_COLUMN:
            yield WORKSPACE_COLUMN, "VARCHAR"
        else:
            yield name, next(iter(kinds[key])) if len(kinds[key]) == 1 else ANY_TYPE


def _selected(types: Mapping[str, str], values: Mapping[str, str]) -> str:
    folded = {name.casefold(): value for name, value in values.items()}
    return ", ".join(f"({folded.get(name.casefold(), 'NULL')})::{kind} AS {quoted(name)}" for name, kind in types.items())


def _comment(con: duckdb.DuckDBPyConnection, table: DeliveredTable) -> None:
    place = place_of(table.label)
    con.execute(f"COMMENT ON TABLE {place} IS {literal(table.comment or '')}")
    for column in table.columns:
        if column.comment and column.name.casefold() != WORKSPACE_COLUMN:
            con.execute(f"COMMENT ON COLUMN {place}.{quoted(column.name)} IS {literal(column.comment)}")
    con.execute(f"COMMENT ON COLUMN {place}.{WORKSPACE_COLUMN} IS 'The workspace that the row was read from.'")


def _delete_rows(con: duckdb.DuckDBPyConnection, label: str, workspace_id: str) -> None:
    if columns_there(con, label):
        con.execute(f"DELETE FROM {place_of(label)} WHERE {WORKSPACE_COLUMN} = ?", [workspace_id])
