"""One writer at a time, across processes: a process that wants to write the warehouse waits for its turn and logs it.

The lock is an operating system lock on a file beside the warehouse. It ends with the process that holds it, however that
process ends, so nothing has to be cleaned up by hand. Dagster's pools would need configuration of the instance, and keep
their slot when a run is killed.
"""

import json
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from analytics_assets.warehouse.errors import WarehouseError
from analytics_assets.warehouse.places import lock_file, lost_link

logger = logging.getLogger(__name__)

SAY_AGAIN_SECONDS: Final = 15.0
POLL_SECONDS: Final = 0.2
GIVE_UP_SECONDS: Final = 6 * 3600.0


@contextmanager
def writing(warehouse: Path, what: str) -> Iterator[None]:
    """Hold the warehouse for writing; wait while another process holds it, and log that.

    Args:
        warehouse: path of the warehouse file.
        what: what the holder does; shown to processes that wait for it.

    Raises:
        WarehouseError: the other holder did not release it within six hours, the folder can't be written, or the file is a link
            that leads to none.
    """
    if (lost := lost_link(warehouse)) is not None:
        raise WarehouseError(lost)
    path = lock_file(warehouse)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # the fallback for file systems without locks is a marker file, which would outlive a killed process
        lock = FileLock(path, thread_local=False, fallback_to_soft=False)
        _acquire(lock, path, what)
    except OSError as error:
        raise WarehouseError(_in_words(error, path)) from error
    try:
        _note_holder(path, what)
        yield
    finally:
        lock.release()


def holder_of(warehouse: Path) -> str | None:
    """A description of the process that holds the warehouse for writing now; None if none is known."""
    path = lock_file(warehouse)
    try:
        _try(path)
    except Timeout:
        return _holder(path)
    except OSError:
        return None  # whoever wants to hold it is told why
    return None


def why_it_can_not_be_held(warehouse: Path) -> str | None:
    """Why no process of this user can hold the warehouse for writing, in a sentence; None where one can."""
    path = lock_file(warehouse)
    try:
        _try(path)
    except Timeout:
        return None
    except OSError as error:
        return _in_words(error, path)
    return None


def _try(path: Path) -> None:
    """Take a lock that was made before, and release it at once.

    Raises:
        Timeout: another process holds it.
        OSError: it can't be written.
    """
    if path.exists():
        with FileLock(path, timeout=0, thread_local=False, fallback_to_soft=False):
            pass


def _acquire(lock: FileLock, path: Path, what: str) -> None:
    started = time.monotonic()
    patience = POLL_SECONDS
    while True:
        try:
            lock.acquire(timeout=patience, poll_interval=POLL_SECONDS)
        except Timeout:
            waited = time.monotonic() - started
            if waited > GIVE_UP_SECONDS:
                raise WarehouseError(f"{what} waited six hours for {_holder(path)} to release the warehouse.") from None
            logger.warning("Waiting for the warehouse: %s holds it (%.0f s so far)", _holder(path), waited)
            patience = SAY_AGAIN_SECONDS
        else:
            if patience > POLL_SECONDS:
                logger.warning("The warehouse is free; %s continues", what)
            return


def _in_words(error: OSError, path: Path) -> str:
    """What hinders the lock: a file of another user's in a folder of one's own is no reason to begin a new warehouse."""
    reason = error.strerror or error
    if os.path.lexists(path) and os.access(path.parent, os.W_OK):
        return f"{path} can't be written ({reason}); look at its owner: whoever syncs this warehouse must be able to write it."
    return f"{path.parent} can't be written ({reason}); choose another place with ANALYTICS_DUCKDB_PATH."


def _note_holder(lock_path: Path, what: str) -> None:
    """Write down who holds the lock, for the log of those who wait; a full disk only makes that log less precise."""
    since = datetime.now(UTC).strftime("%H:%M:%S UTC")
    with suppress(OSError):
        _holder_file(lock_path).write_text(json.dumps({"pid": os.getpid(), "what": what, "since": since}))


def _holder_file(lock_path: Path) -> Path:
    return lock_path.with_suffix(".holder")


def _holder(lock_path: Path) -> str:
    try:
        holder = json.loads(_holder_file(lock_path).read_text())
        return f"{holder['what']} (process {holder['pid']}, since {holder['since']})"
    except (OSError, ValueError, KeyError):
        return "another process"
