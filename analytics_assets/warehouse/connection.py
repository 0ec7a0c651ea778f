"""Connections to the warehouse file: bounded memory, UTC, and patience with readers that hold it open.

DuckDB lets one process write a file, or several read it, and refuses everyone else at once; here the refused wait.
"""

import logging
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import duckdb

from analytics_assets.warehouse.errors import WarehouseError

logger = logging.getLogger(__name__)

MEMORY_LIMIT: Final = "384MB"
POLL_SECONDS: Final = 0.25
SAY_AGAIN_SECONDS: Final = 15.0
WRITER_PATIENCE_SECONDS: Final = 3600.0
READER_PATIENCE_SECONDS: Final = 300.0


@contextmanager
def connection(
    path: Path, *, read_only: bool = False, patience_seconds: float | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to the warehouse; waits, aloud, while another program has it open.

    Args:
        path: the file; made with its folder when it is to be written and does not exist.
        read_only: several readers may share the file, as long as nobody writes.
        patience_seconds: how long to wait; by default an hour, and five minutes for a reader.

    Raises:
        WarehouseError: the file can't be opened, or stayed occupied for longer than that.
    """
    if not read_only:
        path.parent.mkdir(parents=True, exist_ok=True)
    usual_patience = READER_PATIENCE_SECONDS if read_only else WRITER_PATIENCE_SECONDS
    con = _open(path, read_only, usual_patience if patience_seconds is None else patience_seconds)
    try:
        con.execute("SET TimeZone = 'UTC'")
        yield con
    finally:
        con.close()


def _open(path: Path, read_only: bool, patience: float) -> duckdb.DuckDBPyConnection:
    started = time.monotonic()
    next_word = 0.0
    while True:
        try:
            return duckdb.connect(
                str(path),
                read_only=read_only,
                config={"memory_limit": MEMORY_LIMIT, "threads": 2, "preserve_insertion_order": False},
            )
        except duckdb.ConnectionException as error:
            raise WarehouseError(f"{path} is open in this very process with other settings; close that connection.") from error
        except duckdb.IOException as error:
            if "lock" not in str(error).lower():
                raise WarehouseError(f"{path} can't be opened: {str(error).splitlines()[0]}") from error
            waited = time.monotonic() - started
            if waited > patience:
                raise WarehouseError(
                    f"{path} has been open in {_occupant(error)} for {patience:.0f} s; close it there. "
                    "Programs that only read should open the reader copy."
                ) from error
            if waited >= next_word:
                logger.warning("Waiting for the warehouse: %s has it open (%.0f s so far)", _occupant(error), waited)
                next_word += SAY_AGAIN_SECONDS
            time.sleep(POLL_SECONDS)
        except duckdb.Error as error:
            raise WarehouseError(f"{path} is no DuckDB file that this version can open: {str(error).splitlines()[0]}") from error


def _occupant(error: duckdb.IOException) -> str:
    match = re.search(r"held in (\S+) \(PID (\d+)\)", str(error))
    return f"{Path(match[1]).name} (process {match[2]})" if match else "another program"
