"""What becomes of a full disk: one sentence, whoever met it and however it was wrapped.

Only the recognition belongs here. dlt tells of it in a traceback inside a message, DuckDB in a failed ROLLBACK.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import duckdb

from analytics_assets.warehouse.errors import WarehouseError

NO_ROOM: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""A full disk, a quota, and a limit on the size of files."""


@contextmanager
def full_disk_told(folder: Path) -> Iterator[None]:
    """Turn whatever comes of a full disk into one sentence; other errors pass.

    Args:
        folder: where the block writes.

    Raises:
        WarehouseError: there was no room left.
    """
    try:
        yield
    except Exception as error:
        reason = next((reason for link in _chain(error) if (reason := _no_room(link)) is not None), None)
        if reason is None or isinstance(error, WarehouseError):
            raise
        raise WarehouseError(
            f"The disk of {folder} has no room left ({reason}): make some, or choose another place with ANALYTICS_DUCKDB_PATH."
        ) from error


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _no_room(error: BaseException) -> str | None:
    """What the error says of a disk without room; None where it speaks of something else."""
    if isinstance(error, OSError) and error.errno in NO_ROOM:
        return os.strerror(error.errno)
    if isinstance(error, duckdb.Error):
        said = str(error).splitlines()[0]
        return next((os.strerror(code) for code in NO_ROOM if os.strerror(code) in said), None)
    return None
