"""What a reading can't be sure of: rows that may have moved between two of its lists while both were read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import duckdb

from analytics_assets.source.columns import TABLES, ResourceName, Table
from analytics_assets.source.reading import Reading
from analytics_assets.warehouse.comparison import attached, missing_rows, shared_rows
from analytics_assets.warehouse.connection import connection
from analytics_assets.warehouse.lost_rows import lost_rows
from analytics_assets.warehouse.more_memory import with_more_memory
from analytics_assets.warehouse.tables import RAW, columns_of


@dataclass(frozen=True)
class Doubts:
    """Rows of a child resource that may have moved from one list to another while both were read.

    `missing` are rows of the warehouse, or of an earlier answer, that no list holds, with the parent whose list had them,
    `shared` rows that several lists hold, with the parents of those.
    """

    missing: Mapping[str, str]
    shared: Mapping[str, Sequence[str]]

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self.missing or self.shared)


def doubts_of(names: Sequence[ResourceName], reading: Reading, *, warehouse: Path, landed: Path) -> dict[ResourceName, Doubts]:
    """What is doubtful of each child resource.

    Args:
        names: the resources.
        reading: what was read.
        warehouse: path of the warehouse file, which has the rows of before.
        landed: the file that the reading was loaded into.

    Raises:
        WarehouseError: a file can't be opened.
    """
    if not names:
        return {}
    with connection(warehouse, read_only=True) as con, attached(con, landed):
        return {name: with_more_memory(con, partial(_doubts, con, TABLES[name], reading)) for name in names}


def _doubts(con: duckdb.DuckDBPyConnection, table: Table, reading: Reading) -> Doubts:
    missing = dict(lost_rows(con, table, reading))
    if table.parent_column in columns_of(con, RAW, table.name):  # where it was dropped nobody knows which list a row was in
        missing |= missing_rows(con, table, reading)
    return Doubts(missing, shared_rows(con, table, reading))
