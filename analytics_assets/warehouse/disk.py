"""Recognizes a full disk and reports it in one sentence, whichever library met it and however it wrapped the error.

Only the recognition belongs here. dlt reports a full disk in a traceback inside a message, DuckDB in a failed ROLLBACK.
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
def full_disk_as_one_sentence(folder: Path, *, chosen_with: str = "ANALYTICS_DUCKDB_PATH") -> Iterator[None]:
    """Turn any error that a full disk causes into one sentence; other errors pass unchanged.

    Args:
        folder: where the block writes.
        chosen_with: the setting or option that names another place.

    Raises:
        WarehouseError: the disk is full.
    """
    try:
        yield
    except Exception as error:
        reason = next((reason for link in _chain(error) if (reason := _no_room(link)) is not None), None)
        if reason is None or isinstance(error, WarehouseError):
            raise
        raise WarehouseError(
            f"The disk of {folder} is full ({reason}): free some space, or choose another place with {chosen_with}."
        ) from error


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _no_room(error: BaseException) -> str | None:
    """What the error says about a full disk; None if it is about something else."""
    if isinstance(error, OSError) and error.errno in NO_ROOM:
        return os.strerror(error.errno)
    if isinstance(error, duckdb.Error):
        said = str(error).splitlines()[0]
        return next((os.strerror(code) for code in NO_ROOM if os.strerror(code) in said), None)
    return None
