"""What lies beside a warehouse file: names that belong to that one file, so that two warehouses share a folder in peace.

Only names belong here. All of it is scratch or can be lost: the warehouse is the file alone. A link is one more name of the
same file, so what lies beside is what lies beside the file itself, whichever name leads there.
"""

import os
from pathlib import Path


def landing_folder(warehouse: Path) -> Path:
    """Where a run's landing is made, gone when the run ends; dlt is told this path, so it is the one that was checked."""
    return warehouse.with_name(f".{warehouse.name}.landing")


def compiled_file(warehouse: Path) -> Path:
    """Where the queries of the models are kept that were compiled for variables of this warehouse."""
    return _beside(warehouse, ".{}.queries.json")


def lock_file(warehouse: Path) -> Path:
    """The file whose lock the writer holds."""
    return _beside(warehouse, "{}.lock")


def ledger_file(warehouse: Path) -> Path:
    """Where the requests of the last hour are kept, for a ceiling per hour."""
    return _beside(warehouse, ".{}.requests.sqlite")


def answers_folder(warehouse: Path) -> Path:
    """Where answers are kept while the API is read, for the next sync if this one does not come to its end."""
    return _beside(warehouse, ".{}.answers")


def page_size_file(warehouse: Path) -> Path:
    """Where it is kept which page size the API honours, while that is not the largest."""
    return _beside(warehouse, ".{}.page-size.json")


def log_file(database: Path) -> Path:
    """Where DuckDB keeps what it has not moved into a database yet."""
    return _beside(database, "{}.wal")


def lost_link(file: Path) -> str | None:
    """What is wrong with a link that leads to no folder in which a file could be, as of a disk that is not there; else None."""
    if not file.is_symlink():
        return None
    itself = Path(os.path.realpath(file))
    if itself.parent.is_dir() and not itself.is_symlink():
        return None
    return f"{file} is a link to {itself}, where no file can be; let it lead to one, as by mounting a disk, or remove it."


def _beside(file: Path, name: str) -> Path:
    """A place in the folder of a file, called after it."""
    itself = Path(os.path.realpath(file)) if file.is_symlink() else file
    return itself.with_name(name.format(itself.name))
