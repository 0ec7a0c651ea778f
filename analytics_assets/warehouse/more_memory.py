"""More memory for what can't be done with the usual bound of a connection.

DuckDB puts on disk what does not fit, but not everything can go there: with 288 MB, and in some runs with 512, models of
10,000,000 time entries ended in an error, and so do texts of many megabytes.
"""

import logging
from collections.abc import Callable
from typing import TypeVar

import duckdb

logger = logging.getLogger(__name__)

_Given = TypeVar("_Given")


def with_more_memory(con: duckdb.DuckDBPyConnection, attempt: Callable[[], _Given]) -> _Given:
    """What an attempt gives; where DuckDB has not enough memory for it, it is made again with more.

    The bound is doubled each time, up to what DuckDB takes by itself: four fifths of what the machine or the container has. One
    that was raised holds for all that follows on the database.

    Args:
        con: a connection to the database, or a cursor of one.
        attempt: what needs the memory; it leaves nothing behind where it fails.

    Raises:
        duckdb.OutOfMemoryException: what the machine has was not enough.
    """
    while True:
        try:
            return attempt()
        except duckdb.OutOfMemoryException as error:
            if not _double_bound(con):
                raise
            logger.info("%s; once more with %d MB", str(error).splitlines()[0], _bytes(con) // 10**6)


def _double_bound(con: duckdb.DuckDBPyConnection) -> bool:
    """Double the bound, or set none where that is more than DuckDB takes by itself; False where none was set before."""
    now = _bytes(con)
    con.execute("RESET memory_limit")
    most = _bytes(con)
    if 2 * now < most:
        con.execute(f"SET memory_limit = '{2 * now}B'")
    return now < most


def _bytes(con: duckdb.DuckDBPyConnection) -> int:
    ((bound,),) = con.execute("SELECT parse_formatted_bytes(current_setting('memory_limit'))").fetchall()
    return int(bound)
