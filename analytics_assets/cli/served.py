"""Who serves the Dagster UI of an instance: one `dev` at most, which holds a lock in the instance's folder."""

from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

HOST: Final = "127.0.0.1"
USUAL_PORT: Final = 3000


def serving_lock(home: Path) -> FileLock:
    """The lock of the instance in this folder; the operating system ends it with its process."""
    return FileLock(home / "dev.lock", thread_local=False, fallback_to_soft=False)


def is_served(home: Path) -> bool:
    """Whether a `dev` runs on the instance; nothing is written."""
    lock = serving_lock(home)
    if not Path(lock.lock_file).exists():
        return False
    try:
        with lock.acquire(timeout=0):
            return False
    except Timeout:
        return True
