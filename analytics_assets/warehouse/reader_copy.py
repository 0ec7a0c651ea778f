"""The copy of the warehouse for BI tools, which keep their file open for as long as they run.

How it is copied belongs here; after which checks, in `orchestration/reader_copy.py`. It is a copy of the file: at a
million time entries that took 0.13 s, and `COPY FROM DATABASE` 7.5 s and 500 MB of memory (0.03 s and 1.9 s at 60,000).
"""

import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from analytics_assets.warehouse.connection import NO_DOWNLOADS, connection, is_duckdb_file
from analytics_assets.warehouse.counting import count, counts
from analytics_assets.warehouse.disk import full_disk_as_one_sentence
from analytics_assets.warehouse.errors import WarehouseError
from analytics_assets.warehouse.places import log_file
from analytics_assets.warehouse.replacing import replacing
from analytics_assets.warehouse.tables import RAW, quoted

CHOSEN_WITH: Final = "ANALYTICS_READER_PATH"
ATTEMPTS: Final = 5


@dataclass(frozen=True)
class ReaderCopy:
    """A copy that was made: where, and how large."""

    path: Path
    size_bytes: int


def copy_for_readers(warehouse: Path, to: Path) -> ReaderCopy:
    """Replace the copy by the warehouse as it is; the caller holds the writer's lock.

    The file is open for reading until it is copied, which keeps out writers that do not know that lock, and lets readers
    in. A program that has the old copy open keeps reading that one.

    Args:
        warehouse: the file to copy.
        to: the copy; the old one stays until the new one is whole.

    Raises:
        WarehouseError: there is no warehouse, other programs wrote it all the time, the disk of the copy is full, or in its place
            lies something else.
        OSError: the copy can't be written.
    """
    if not warehouse.exists():
        raise WarehouseError(f"{warehouse} does not exist, so there is nothing to copy; `analytics-assets sync` makes it.")
    refuse_what_is_no_copy(to)
    with full_disk_as_one_sentence(to.parent, chosen_with=CHOSEN_WITH), replacing(to) as place:
        copy_whole(warehouse, place, chosen_with=CHOSEN_WITH)
        size_bytes = place.stat().st_size
        # of the old copy, if somebody has opened that for writing and was killed
        log_file(to).unlink(missing_ok=True)
    return ReaderCopy(to, size_bytes)


def copy_whole(database: Path, place: Path, *, chosen_with: str) -> None:
    """Copy a database with what a killed program has left beside it; the caller holds the writer's lock.

    Args:
        database: the file; it is open for reading until it is copied, and closed at once afterwards, because a process that
            closes a file gives back all its locks on it, DuckDB's too.
        place: where nothing lies yet.
        chosen_with: the variable that chooses it.

    Raises:
        WarehouseError: other programs wrote it all the time, or the disk of the place is full.
        OSError: the place can't be written.
    """
    for _ in range(ATTEMPTS):
        with connection(database, read_only=True):
            if not log_file(database).exists():
                with full_disk_as_one_sentence(place.parent, chosen_with=chosen_with):
                    shutil.copyfile(database, place)
                return
        with connection(database) as con:  # a killed program has left a log, which is not in the file yet
            con.execute("CHECKPOINT")
    raise WarehouseError(f"{database} was written by other programs whenever it was to be copied; the next sync copies it.")


def rows_that_differ(warehouse: Path, copy: Path) -> dict[str, tuple[int | None, int | None]]:
    """The tables whose number of rows is not the same in both: how many rows each has, None for no table.

    Args:
        warehouse: the file that was copied; the caller holds the writer's lock.
        copy: its copy.

    Raises:
        WarehouseError: one of them can't be opened.
    """
    there, copied = _row_counts(warehouse), _row_counts(copy)
    names = sorted({*there, *copied})
    return {name: (there.get(name), copied.get(name)) for name in names if there.get(name) != copied.get(name)}


def _row_counts(file: Path) -> dict[str, int]:
    with connection(file, read_only=True) as con:
        tables = con.execute("SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = current_database()")
        places = {f"{schema}.{name}": f"{quoted(schema)}.{quoted(name)}" for schema, name in tables.fetchall()}
        return dict(zip(places, counts(con, *places.values()), strict=True))


def refuse_what_is_no_copy(to: Path) -> None:
    """Raise if in the place of the copy lies a file that this project has not made; it would be gone.

    One that DuckDB can't open now, because a program has it open for writing or was killed, counts as a copy.

    Raises:
        WarehouseError: it is another file, or a folder.
        OSError: it can't be read.
    """
    if not to.exists() or (to.is_file() and to.stat().st_size == 0):
        return
    is_copy = to.is_file() and is_duckdb_file(to)
    if is_copy:
        with suppress(duckdb.Error), duckdb.connect(str(to), read_only=True, config=NO_DOWNLOADS) as con:
            is_copy = count(con, f"duckdb_schemas() WHERE database_name = current_database() AND schema_name = '{RAW}'") > 0
    if not is_copy:
        raise WarehouseError(f"{to} is no copy of a warehouse and stays as it is; set {CHOSEN_WITH} to another file.")
