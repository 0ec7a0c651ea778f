"""What was read against what the warehouse holds: the rows that count, those that differ, those that are gone.

The comparison is made once, here: a sync publishes its outcome, `verify` only counts it. Everything happens in
temporary tables of a connection that has the warehouse open and the landing attached.
"""

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa

from analytics_assets.source.columns import ANSWER, TABLES, ResourceName, Table
from analytics_assets.source.reading import Reading
from analytics_assets.source.window import START_COLUMN, Window
from analytics_assets.warehouse.counting import counts
from analytics_assets.warehouse.descriptions import LOADED_AT
from analytics_assets.warehouse.errors import WarehouseError
from analytics_assets.warehouse.given import keep_columns, keep_values
from analytics_assets.warehouse.landing import DATASET
from analytics_assets.warehouse.tables import RAW, columns_of, data_columns, declared_types, literal, missing_columns, quoted

logger = logging.getLogger(__name__)

LANDED: Final = "landed"
INCOMING: Final = "incoming"
CHANGED: Final = "changed"
GONE: Final = "gone"
COVERED: Final = "covered"
NAMES_ITS_PARENT: Final = "_names_its_parent"


@contextmanager
def attached(con: duckdb.DuckDBPyConnection, landing: Path) -> Iterator[None]:
    """Attach the landing as `landed` while the block runs.

    The connections of a process to one file share what is attached, so that it would stay for the next one where a reader
    keeps the file open.
    """
    con.execute(f"ATTACH {literal(str(landing))} AS {LANDED} (READ_ONLY)")
    try:
        yield
    finally:
        with suppress(duckdb.Error):  # after an error that ended the connection, it is that one which counts
            con.execute(f"DETACH {LANDED}")


@dataclass(frozen=True)
class Columns:
    """The columns of one resource on both sides, asked for once."""

    kinds: Mapping[str, str]
    """All of the raw table, with their types; declared ones with the type that they should have."""
    data: Sequence[str]
    """Those of the raw table that hold what the API said."""
    landed: Collection[str]
    """Empty where no page of the resource was read."""

    @classmethod
    def of(cls, con: duckdb.DuckDBPyConnection, table: Table) -> "Columns":
        """The columns as they are now; the landing is attached."""
        kinds = columns_of(con, RAW, table.name)
        declared = {column: kind for column, kind in declared_types(table).items() if column in kinds}
        return cls(kinds | declared, data_columns(con, table.name, kinds), columns_of_landed(con, table.name))

    @property
    def own(self) -> list[str]:
        """The columns that the owner has added to the raw table."""
        return [column for column in self.kinds if column not in self.data and column != LOADED_AT]

    @property
    def unpublished(self) -> list[str]:
        """Columns that the landing has and the warehouse does not, because nothing was published from them yet."""
        return sorted(column for column in self.landed if column not in self.kinds and not column.startswith("_"))


def compare(con: duckdb.DuckDBPyConnection, table: Table, reading: Reading, columns: Columns) -> None:
    """Make the temporary tables of one resource.

    `incoming` holds the rows that were read and count, `changed` the ids of raw rows that differ from them, `covered`
    the ids of raw rows that the reading can speak of, and `gone` those of them that were not read.

    Args:
        con: has the warehouse open and the landing attached as `landed`.
        table: the resource; its raw table exists.
        reading: what was read.
        columns: those of the resource.

    Raises:
        WarehouseError: rows that were read have not arrived in the landing.
    """
    raw = f"{RAW}.{table.name}"
    _stage_incoming(con, table, reading, columns)
    # in this order, because DuckDB prepares the right side for the join also where the left one turns out to be empty
    _keep(con, CHANGED, f"SELECT raw.id FROM {INCOMING} AS incoming JOIN {raw} AS raw USING (id) WHERE {_differs(columns)}")
    _keep(con, COVERED, f"SELECT raw.id FROM {raw} AS raw WHERE {_is_covered(con, table, reading)}")
    _keep(con, GONE, f"SELECT id FROM {COVERED} WHERE id IS NULL OR id NOT IN (SELECT id FROM {INCOMING})")


def _stage_incoming(con: duckdb.DuckDBPyConnection, table: Table, reading: Reading, columns: Columns) -> None:
    """The rows of lists that were read to their end, of the answers that hold them, and each id once.

    Of a row that the API shows in several lists, the one counts that names its list's parent itself, then the one of the
    smallest parent: what the rows say decides, and not which list was read last, so that every reading decides alike.
    One that the warehouse has of a list that was refused now stays as it is while the other list still names that parent.
    """
    read = sum(each.rows for each in reading.lists_that_count(table.name).values())
    if not columns.landed:
        _assert_all_arrived(table, read, arrived=0)
        nothing = ", ".join(quoted(column) for column in columns.data)
        _keep(con, INCOMING, f"SELECT {nothing} FROM {RAW}.{table.name} LIMIT 0")
        return
    rows_read = rows_that_count(con, table, reading)
    selected = [
        f"CAST({f'landed.{quoted(column)}' if column in columns.landed else 'NULL'} AS {columns.kinds[column]}) "
        f"AS {quoted(column)}"
        for column in columns.data
    ] + [f"landed.{quoted(column)}" for column in columns.unpublished]
    _keep(con, INCOMING, f"SELECT {', '.join(selected)}, {_names_its_parent(table)} AS {NAMES_ITS_PARENT} FROM {rows_read}")
    ids, arrived = _distinct_ids(con, INCOMING)
    _assert_all_arrived(table, read, arrived=arrived)
    if arrived != ids:
        first = f"{NAMES_ITS_PARENT} DESC, {quoted(table.parent_column)}" if table.parent_column else NAMES_ITS_PARENT
        _keep(con, INCOMING, f"SELECT * FROM {INCOMING} QUALIFY row_number() OVER (PARTITION BY id ORDER BY {first}) = 1")
    if not table.parent_column or not table.named_parent_column or table.named_parent_column not in columns.kinds:
        return  # the owner may have dropped the column, which `verify` must not mend
    if refused := reading.refused_now(table.name):
        keep_values(con, "refused", refused)
        con.execute(
            f"DELETE FROM {INCOMING} AS incoming USING {RAW}.{table.name} AS raw WHERE raw.id = incoming.id "
            f"AND NOT incoming.{NAMES_ITS_PARENT} AND raw.{quoted(table.parent_column)} IN (SELECT value FROM refused) "
            f"AND raw.{quoted(table.parent_column)} = incoming.{quoted(table.named_parent_column)}"
        )


def _assert_all_arrived(table: Table, read: int, *, arrived: int) -> None:
    """Raise if rows were read that are not in the landing: they would count as deleted."""
    if arrived != read:
        raise WarehouseError(
            f"{read} rows of {table.name} were read and {arrived} arrived in the landing; nothing was published. "
            "This is a defect: please report it."
        )


def count_repeats(con: duckdb.DuckDBPyConnection, table: Table) -> int:
    """How many rows of the raw table stand there beside another row of the same id."""
    ids, rows = _distinct_ids(con, f"{RAW}.{table.name}")
    return rows - ids


def remove_repeats(con: duckdb.DuckDBPyConnection, table: Table) -> None:
    """Leave one row per id in the raw table, and none without; no sync makes others, but a person with SQL may."""
    raw = f"{RAW}.{table.name}"
    ids, with_id, rows = counts(con, f"(SELECT DISTINCT id FROM {raw} WHERE id IS NOT NULL)", f"{raw} WHERE id IS NOT NULL", raw)
    if rows > with_id:
        logger.warning("%s: %d rows stood in %s without an id and were removed", table.name, rows - with_id, raw)
        con.execute(f"DELETE FROM {raw} WHERE id IS NULL")
    if with_id > ids:
        logger.warning("%s: %d rows stood in %s a second time and were removed", table.name, with_id - ids, raw)
        # not by `rowid`, which a field of the API or a column of the owner may be called too
        _keep(
            con,
            "repeated",
            f"SELECT * FROM {raw} WHERE id IN (SELECT id FROM {raw} GROUP BY id HAVING count(*) > 1) "
            "QUALIFY row_number() OVER (PARTITION BY id) = 1",
        )
        con.execute(f"DELETE FROM {raw} WHERE id IN (SELECT id FROM repeated)")
        con.execute(f"INSERT INTO {raw} SELECT * FROM repeated")


def missing_rows(con: duckdb.DuckDBPyConnection, table: Table, reading: Reading) -> dict[str, str]:
    """The raw rows that the reading can speak of and that none of its lists holds: id → parent whose list had it.

    The same as `gone`, without staging what was read; asked before anything is declared gone.
    """
    held = "SELECT id FROM (SELECT NULL::VARCHAR AS id) WHERE false"
    if columns_of_landed(con, table.name):
        held = f"SELECT landed.id FROM {rows_that_count(con, table, reading)}"
    parent = quoted(str(table.parent_column))
    rows = con.execute(
        f"SELECT raw.id, raw.{parent} FROM {RAW}.{table.name} AS raw WHERE {_is_covered(con, table, reading)} "
        f"AND raw.id IS NOT NULL AND NOT EXISTS (FROM ({held}) AS held WHERE held.id = raw.id)"
    ).fetchall()
    return dict(rows)


def shared_rows(con: duckdb.DuckDBPyConnection, table: Table, reading: Reading) -> dict[str, list[str]]:
    """The rows that several lists hold, and that may have moved from one to the other while both were read: id → parents.

    Those that name one and the same of these parents everywhere have not moved: the API shows them in other lists as well.
    """
    if not columns_of_landed(con, table.name):
        return {}
    rows_read = rows_that_count(con, table, reading)
    if con.execute(f"SELECT count(DISTINCT landed.id) = count(*) FROM {rows_read}").fetchone() == (True,):
        return {}  # asked first, because it takes half as long as the groups, and is so nearly always
    named = f"landed.{quoted(str(table.named_parent_column))}"
    shared = con.execute(
        f"SELECT landed.id, list(landed.{quoted(str(table.parent_column))}) FROM {rows_read} GROUP BY landed.id "
        f"HAVING count(*) > 1 AND NOT (count_if({_names_its_parent(table)}) = 1 AND count(DISTINCT {named}) = 1 "
        f"AND count({named}) = count(*))"
    ).fetchall()
    return dict(shared)


def lists_with_rows(con: duckdb.DuckDBPyConnection, window: Window) -> dict[ResourceName, frozenset[str]]:
    """The lists of which the raw tables have rows, of time entries those in the window: the parents' ids, '' for none."""
    found: dict[ResourceName, frozenset[str]] = {}
    for name, table in TABLES.items():
        if missing_columns(con, table):
            continue
        parent = "''" if table.parent_column is None else quoted(table.parent_column)
        inside = is_inside(window) if table.is_windowed else "true"
        rows = con.execute(
            f"SELECT DISTINCT {parent} FROM {RAW}.{name} AS raw WHERE {parent} IS NOT NULL AND ({inside})"
        ).fetchall()
        found[name] = frozenset(value for (value,) in rows)
    return found


def rows_that_count(con: duckdb.DuckDBPyConnection, table: Table, reading: Reading) -> str:
    """What follows `FROM` in a query for the rows `landed` that count: of answers that hold the rows of a finished list."""
    counted = reading.lists_that_count(table.name)
    answers = [(parent, number) for parent, each in counted.items() for number in each.answers]
    keep_columns(
        con,
        "finished",
        parent_id=pa.array([parent for parent, _ in answers], pa.string()),
        answer=pa.array([number for _, number in answers], pa.int64()),
    )
    parent = f"landed.{quoted(table.parent_column)}" if table.parent_column else "''"
    return (
        f"{LANDED}.{DATASET}.{table.name} AS landed "
        f"JOIN finished ON finished.parent_id = {parent} AND finished.answer = landed.{ANSWER}"
    )


def _names_its_parent(table: Table) -> str:
    """The SQL condition that a row `landed` names the parent itself in whose list it was found."""
    if not table.parent_column or not table.named_parent_column:
        return "true"
    return f"landed.{quoted(table.named_parent_column)} IS NOT DISTINCT FROM landed.{quoted(table.parent_column)}"


def columns_of_landed(con: duckdb.DuckDBPyConnection, name: ResourceName) -> set[str]:
    """The columns that dlt gave the table in the landing; empty where no page of it was read."""
    return set(columns_of(con, f"{LANDED}.{DATASET}", name))


def _differs(columns: Columns) -> str:
    tests = [f"raw.{quoted(column)} IS DISTINCT FROM incoming.{quoted(column)}" for column in columns.data]
    return " OR ".join(tests + [f"incoming.{quoted(column)} IS NOT NULL" for column in columns.unpublished])


def _is_covered(con: duckdb.DuckDBPyConnection, table: Table, reading: Reading) -> str:
    """The rows of the raw table whose absence from what was read means that the API no longer has them."""
    if table.parent_column is None:
        return "true"
    parent = f"raw.{quoted(table.parent_column)}"
    if table.outlives_parent:  # a member who is gone keeps the hours that were worked and billed
        keep_values(con, "readable", reading.lists[table.name].settled)
        covered = f"{parent} IN (SELECT value FROM readable)"
    else:  # a project that is gone takes its tasks with it; one that could not be read keeps them
        keep_values(con, "refused", reading.refused_now(table.name))
        covered = f"{parent} NOT IN (SELECT value FROM refused)"
    if not table.is_windowed:
        return covered
    inside = f"({is_inside(reading.window)})"
    if reading.history is not None:
        keep_values(con, "whole", reading.whole_lists)
        inside = f"({inside} OR {parent} IN (SELECT value FROM whole) AND ({is_inside(reading.history)}))"
    return f"{covered} AND {inside}"


def is_inside(window: Window) -> str:
    """The SQL condition that a row `raw` of time entries starts in the window."""
    start = f"raw.{quoted(START_COLUMN)}"
    inside = f"{start} >= {literal(window.start.isoformat())}::TIMESTAMPTZ"
    if window.end is not None:
        inside += f" AND {start} < {literal(window.end.isoformat())}::TIMESTAMPTZ"
    return f"({inside}) OR {start} IS NULL" if window.undated else inside


def _keep(con: duckdb.DuckDBPyConnection, name: str, query: str) -> None:
    con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {query}")


def _distinct_ids(con: duckdb.DuckDBPyConnection, source: str) -> tuple[int, int]:
    """How many different ids a table has, and how many rows."""
    ids, rows = counts(con, f"(SELECT DISTINCT id FROM {source})", source)
    return ids, rows
