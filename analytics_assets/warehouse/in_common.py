"""What the file of all workspaces has of one of them, compared with the warehouse of that workspace.

Only looking belongs here; how the rows come there stands in `together.py`.
"""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Final

import duckdb

from analytics_assets.warehouse.connection import connection
from analytics_assets.warehouse.counting import count
from analytics_assets.warehouse.tables import columns_of, literal, quoted
from analytics_assets.warehouse.team.delivered_tables import DeliveredTable, delivered_tables, rows_of_delivered

WORKSPACE_COLUMN: Final = "workspace_id"
ANY_TYPE: Final = "VARCHAR"
"""The type of a column that has another one in each workspace; every value has a text that loses nothing."""


def rows_not_together(warehouse: Path, together: Path, workspace_id: str) -> dict[str, tuple[int | None, int | None]]:
    """The tables of which the common file has another number of rows of a workspace than its own file.

    Returns:
        How many there are in both; None for no table.

    Raises:
        WarehouseError: one of the files can't be opened.
    """
    with connection(warehouse, read_only=True) as con:
        rows = rows_of_delivered(con)
    found = _rows_there(together, rows, workspace_id)
    return {label: (rows[label], found.get(label)) for label in rows if rows[label] != found.get(label)}


def tables_not_together(
    warehouse: Path, together: Path, workspace_id: str, tables: Sequence[DeliveredTable] | None = None
) -> list[str]:
    """The tables of which the common file has other rows of a workspace than its own file, value by value.

    Args:
        warehouse: the file of the workspace.
        together: the common file.
        workspace_id: the workspace.
        tables: those that are compared; None for all.

    Raises:
        WarehouseError: one of the files can't be opened.
    """
    if tables is not None and not tables:
        return []
    with connection(warehouse, read_only=True) as con, connection(together, read_only=True) as common:
        compared = delivered_tables(con) if tables is None else tables
        return [table.label for table in compared if not _has_rows_of(common, con, table, workspace_id)]


def _has_rows_of(
    common: duckdb.DuckDBPyConnection, own: duckdb.DuckDBPyConnection, table: DeliveredTable, workspace_id: str
) -> bool:
    """Whether both have the same rows, by their number and the sum of their hashes; a column of others is empty there."""
    columns = columns_there(common, table.label)
    there = {name: kind for name, kind in columns.items() if name != WORKSPACE_COLUMN}
    # what the API says under the name of that column stands in the own file alone
    here = {each.name.casefold(): each for each in table.columns if each.name.casefold() != WORKSPACE_COLUMN}
    kinds = {name.casefold(): kind for name, kind in there.items()}
    if any(kinds.get(name) not in (each.duckdb_type, ANY_TYPE) for name, each in here.items()) or not columns:
        return False
    values = {name: quoted(here[name.casefold()].name) if name.casefold() in here else "NULL" for name in there}
    sums = "SELECT count(*), sum(hash({})::HUGEINT) FROM {}"
    of_own = ", ".join(f"({values[name]})::{kind}" for name, kind in there.items()) or "0"
    of_common = ", ".join(map(quoted, there)) or "0"
    place = place_of(table.label)
    found = common.execute(f"{sums.format(of_common, place)} WHERE {WORKSPACE_COLUMN} = {literal(workspace_id)}").fetchone()
    return found == own.execute(sums.format(of_own, place)).fetchone()


def _rows_there(together: Path, labels: Collection[str], workspace_id: str) -> dict[str, int]:
    """How many rows of a workspace each of these tables of the common file has; those that it lacks are left out."""
    if not labels:
        return {}
    with connection(together, read_only=True) as con:
        of_it = f"WHERE {WORKSPACE_COLUMN} = {literal(workspace_id)}"
        return {label: count(con, f"{place_of(label)} {of_it}") for label in labels if columns_there(con, label)}


def columns_there(con: duckdb.DuckDBPyConnection, label: str) -> dict[str, str]:
    """The columns of a table of the common file with their types; none where somebody has removed it, or whose a row is."""
    schema, _, name = label.partition(".")
    columns = columns_of(con, schema, name)
    return columns if WORKSPACE_COLUMN in columns else {}


def place_of(label: str) -> str:
    """A table of this schema and name as SQL names it."""
    schema, _, name = label.partition(".")
    return f"{quoted(schema)}.{quoted(name)}"
