"""What can go wrong with the warehouse, as one sentence for the person who runs it."""

from pathlib import Path

import duckdb


class WarehouseError(Exception):
    """The warehouse can't be written or read as it must be; the message says what to do."""


class WarehouseInUseError(WarehouseError):
    """Another program has the file open for longer than was to be waited for."""


class DamagedFileError(WarehouseError):
    """A file of DuckDB's can't be read; `damage` says that alone, for files that another way leads out of."""

    def __init__(self, damage: str) -> None:
        super().__init__(f"{damage}; put a backup in its place, or move it away, and the next sync reads all history anew.")
        self.damage = damage


def without_memory(error: duckdb.OutOfMemoryException) -> str:
    """What to tell the person where DuckDB has not enough memory."""
    return (
        f"DuckDB has not enough memory for what was read ({str(error).splitlines()[0]}), which very long texts can need: take "
        "fewer months at a time with --from and --to, or shorten such texts in the workspace."
    )


def hindrance(error: OSError) -> str:
    """What is in the way of a file, and what to do where the words of the operating system say too little."""
    reason = error.strerror or str(error)
    if isinstance(error, PermissionError):
        return f"{reason}; look at its owner and its permissions"
    if isinstance(error, FileExistsError) and Path(error.filename or "").is_file():
        return "it is a file, and a folder belongs there; move it away"
    if isinstance(error, IsADirectoryError):
        return "it is a folder, and a file belongs there; move it away"
    return reason
