"""Replaces a file in one step: written beside its place under a name of its own, flushed, then renamed.

Only files that are made anew as a whole belong here. What a killed process left behind goes with the next writing.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
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
        OSError: the folder can't be written.
    """
    path = Path(os.path.realpath(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(path)
    beside = path.with_name(f".{path.name}.{os.getpid()}.new")
    beside.unlink(missing_ok=True)
    try:
        yield beside
        with beside.open("rb") as written:
            os.fsync(written.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def _remove_leftovers(path: Path) -> None:
    """Remove what processes left beside the file that were killed while they wrote it."""
    pattern = re.compile(rf"\.{re.escape(path.name)}\.([0-9]+)\.new")
    for place in path.parent.iterdir():
        if (found := pattern.fullmatch(place.name)) and not _is_running(int(found[1])):
            place.unlink(missing_ok=True)


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
