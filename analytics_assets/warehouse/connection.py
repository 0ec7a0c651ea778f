"""Connections to the warehouse file, with bounded memory and UTC, that wait while another program has it open.

DuckDB lets one process write a file, or several processes read it, and refuses all others at once. These connections
wait and log it instead.
"""

import logging
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import duckdb

from analytics_assets.warehouse.disk import full_disk_as_one_sentence
from analytics_assets.warehouse.errors import DamagedFileError, WarehouseError, WarehouseInUseError
from analytics_assets.warehouse.places import lost_link

logger = logging.getLogger(__name__)

MEMORY_LIMIT: Final = "288MB"
"""What does not fit goes to disk: all models of 1,000,000 entries take 14 s with it and 13 s with 512 MB."""
POLL_SECONDS: Final = 0.25
SAY_AGAIN_SECONDS: Final = 15.0
WRITER_PATIENCE_SECONDS: Final = 3600.0
READER_PATIENCE_SECONDS: Final = 3600.0
"""As long as for a writer: dbt may write for many minutes, and a run that begins meanwhile has to wait, not to fail."""

_Config = dict[str, str | bool | int | float | list[str]]
NO_DOWNLOADS: Final[_Config] = {"autoinstall_known_extensions": False, "autoload_known_extensions": False}
"""DuckDB would fetch an extension from the internet and run it, only because a file begins like one of SQLite."""
SETTINGS: Final[_Config] = {"memory_limit": MEMORY_LIMIT, "threads": 2, "preserve_insertion_order": False, **NO_DOWNLOADS}
MAGIC: Final = b"DUCK"
MAGIC_STARTS_AT: Final = 8
MAGIC_ENDS_AT: Final = 12
CHOSEN_WITH: Final = "ANALYTICS_DUCKDB_PATH"
SIGNS_OF_DAMAGE: Final = ("Corrupt database file", "Could not read enough bytes")


@contextmanager
def connection(
    path: Path, *, read_only: bool = False, patience_seconds: float | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to the warehouse; waits while another program has it open, and logs that it waits.

    Args:
        path: the file; it is created with its folder if it is opened for writing and does not exist.
        read_only: several readers may share the file while no one writes.
        patience_seconds: how long to wait; by default an hour.

    Raises:
        WarehouseInUseError: the file was in use for longer than that.
        WarehouseError: the file can't be opened or is damaged, or its disk is full.
    """
    if not read_only:
        path.parent.mkdir(parents=True, exist_ok=True)
    usual_patience = READER_PATIENCE_SECONDS if read_only else WRITER_PATIENCE_SECONDS
    con = _open(path, read_only, usual_patience if patience_seconds is None else patience_seconds, SETTINGS)
    try:
        con.execute("SET GLOBAL TimeZone = 'UTC'")  # of all cursors too
        with full_disk_as_one_sentence(path.parent), _damage_as_one_sentence(path):
            yield con
    finally:
        con.close()


def _open(path: Path, read_only: bool, patience: float, settings: _Config) -> duckdb.DuckDBPyConnection:
    started = time.monotonic()
    next_word = 0.0
    while True:
        try:
            return duckdb.connect(str(path), read_only=read_only, config=settings)
        except duckdb.Error as error:
            occupant = _occupant(error)
            if occupant is None:
                raise _refusal(path, error, read_only=read_only) from error
            waited = time.monotonic() - started
            if waited > patience:
                raise WarehouseInUseError(f"{path} has been open in {occupant} for {patience:.0f} s; close it there.") from error
            if waited >= next_word:
                logger.warning("Waiting for the warehouse: %s has it open (%.0f s so far)", occupant, waited)
                next_word += SAY_AGAIN_SECONDS
            time.sleep(POLL_SECONDS)


@contextmanager
def _damage_as_one_sentence(path: Path) -> Iterator[None]:
    """A block that can't be read shows only when its rows are asked for."""
    try:
        yield
    except duckdb.Error as error:
        if not _is_damage(error):
            raise
        raise _damaged(path, error) from error


def _is_damage(error: duckdb.Error) -> bool:
    return any(sign in str(error) for sign in SIGNS_OF_DAMAGE)


def _damaged(path: Path, error: duckdb.Error) -> DamagedFileError:
    return DamagedFileError(f"{path} is damaged: {str(error).splitlines()[0]}")


def is_duckdb_file(path: Path) -> bool:
    """Whether a file begins as those of DuckDB do; of an empty one DuckDB makes a database.

    Raises:
        OSError: it can't be read.
    """
    with path.open("rb") as opened:
        beginning = opened.read(MAGIC_ENDS_AT)
    return not beginning or beginning[MAGIC_STARTS_AT:] == MAGIC


def _refusal(path: Path, error: duckdb.Error, *, read_only: bool) -> WarehouseError:
    """Why the file can't be opened, and what to do."""
    if (lost := lost_link(path)) is not None:
        return WarehouseError(lost)
    if read_only and "does not exist" in str(error):
        return WarehouseError(
            f"{path} does not exist; a sync of everything makes it, or set {CHOSEN_WITH} to where the warehouse is."
        )
    if path.is_dir():
        return WarehouseError(f"{path} is a folder; set {CHOSEN_WITH} to a file, such as {path / 'analytics.duckdb'}.")
    with suppress(OSError):
        if path.stat().st_size == 0:
            return DamagedFileError(f"{path} is empty")
        if not is_duckdb_file(path):
            return WarehouseError(
                f"{path} is not a DuckDB file and stays as it is; set {CHOSEN_WITH} to another file, or move this one away if it "
                "was the warehouse."
            )
    if _is_damage(error):
        return _damaged(path, error)
    trouble = "can't be opened" if isinstance(error, duckdb.IOException) else "is not a file that this DuckDB can open"
    return WarehouseError(f"{path} {trouble}: {str(error).splitlines()[0]}")


def _occupant(error: duckdb.Error) -> str | None:
    """Which program has the file open; None if it can't be opened for another reason."""
    is_other_configuration = isinstance(error, duckdb.ConnectionException) and "different configuration" in str(error)
    # two threads that open the file in the same moment
    is_opening = isinstance(error, duckdb.BinderException) and "Unique file handle conflict" in str(error)
    if is_other_configuration or is_opening:
        return "another task of this process"
    if not isinstance(error, duckdb.IOException) or "Could not set lock on file" not in str(error):
        return None
    match = re.search(r"held in (\S+) \(PID (\d+)\)", str(error))
    return f"{Path(match[1]).name} (process {match[2]})" if match else "another program"
