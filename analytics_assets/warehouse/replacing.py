"""Replaces a file in one step: written beside its place under a name of its own, flushed, then renamed.

Only files that are made anew as a whole belong here. What a killed process left behind goes with the next writing.
"""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a place to write a new version of a file to, and move it in place when the block ends well.

    A program that has the old version open keeps reading that. A link stays, and what it points at is replaced.

    Args:
        path: the file that is replaced or made; its folder is made too.

    Yields:
        The place, at which nothing lies yet. If the block fails, the file stays as it was and the place is removed.

    Raises:
        OSError: the folder can't be written, or the file can't be replaced; it names that, and not the place, which is gone.
    """
    path = Path(os.path.realpath(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(path)
    beside = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        _remove(beside)
        yield beside
        with beside.open("rb") as written:
            os.fsync(written.fileno())
        beside.replace(path)
    except BaseException as error:
        with suppress(OSError):  # a disk that is read only refuses that too
            _remove(beside)
        if isinstance(error, OSError) and str(error.filename) == str(beside):
            raise OSError(error.errno, error.strerror, str(path if error.filename2 else path.parent)) from error
        raise


def _remove_leftovers(path: Path) -> None:
    """Remove what processes left beside the file that were killed while they wrote it; not in a folder that hides its files."""
    pattern = re.compile(rf"(\.{re.escape(path.name)}\.([0-9]+)\.new)(\.wal|\.tmp)?")
    files: list[Path] = []
    with suppress(PermissionError):
        files = list(path.parent.iterdir())
    for place in files:
        if (found := pattern.fullmatch(place.name)) and not _is_running(int(found[2])):
            _remove(place.with_name(found[1]))


def _remove(place: Path) -> None:
    """Remove a file, and what DuckDB keeps beside it while it writes: a log, and a folder of what did not fit into memory."""
    for file in (place, place.with_name(f"{place.name}.wal")):
        file.unlink(missing_ok=True)
    shutil.rmtree(place.with_name(f"{place.name}.tmp"), ignore_errors=True)


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
