"""More memory for what can't be done with the usual bound of a connection.

DuckDB puts on disk what does not fit, but not everything can go there: with 288 MB, and in some runs with 512, models of
10,000,000 time entries ended in an error, and so do texts of many megabytes.
"""

import logging
from collections.abc import Callable
from typing import Final, TypeVar

import duckdb

logger = logging.getLogger(__name__)

NEXT_BYTES: Final = 2**30


_Given = TypeVar("_Given")


def with_more_memory(con: duckdb.DuckDBPyConnection, attempt: Callable[[], _Given]) -> _Given:
    """What an attempt gives; where DuckDB has not enough memory for it, it is made again with more.

    After the usual bound comes a gigabyte, and then what DuckDB takes by itself: four fifths of what the machine or the
    container has. A bound that was raised holds for all that follows on the database.

    Args:
        con: a connection to the database, or a cursor of one.
        attempt: what needs the memory; it leaves nothing behind where it fails.

    Raises:
        duckdb.OutOfMemoryException: what the machine has was not enough.
    """
    for bound in (NEXT_BYTES, None):
        try:
            return attempt()
        except duckdb.OutOfMemoryException as error:
            _raise_bound(con, bound)
            logger.info("%s; once more with %d MB", str(error).splitlines()[0], _bytes(con) // 10**6)
    return attempt()


def _raise_bound(con: duckdb.DuckDBPyConnection, bound: int | None) -> None:
    """Raise the bound to so many bytes, or to what DuckDB takes by itself where that is less or None is asked for."""
    now = _bytes(con)
    con.execute("RESET memory_limit")
    if bound is not None and now < bound < _bytes(con):
        con.execute(f"SET memory_limit = '{bound}B'")


def _bytes(con: duckdb.DuckDBPyConnection) -> int:
    ((bound,),) = con.execute("SELECT parse_formatted_bytes(current_setting('memory_limit'))").fetchall()
    return int(bound)
