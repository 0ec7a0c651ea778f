"""What lies beside a warehouse file: names that belong to that one file, so that two warehouses share a folder in peace.

Only names belong here. All of it is scratch or can be lost: the warehouse is the file alone.
"""

from pathlib import Path


def landing_folder(warehouse: Path) -> Path:
    """Where a run's landing is made, gone when the run ends."""
    return warehouse.with_name(f".{warehouse.name}.landing")


def compiled_file(warehouse: Path) -> Path:
    """Where the queries of the models are kept that were compiled for variables of this warehouse."""
    return warehouse.with_name(f".{warehouse.name}.queries.json")


def lock_file(warehouse: Path) -> Path:
    """The file whose lock the writer holds."""
    return warehouse.with_name(f"{warehouse.name}.lock")


def ledger_file(warehouse: Path) -> Path:
    """Where the requests of the last hour are kept, for a ceiling per hour."""
    return warehouse.with_name(f".{warehouse.name}.requests.sqlite")


def answers_folder(warehouse: Path) -> Path:
    """Where answers are kept while the API is read, for the next sync if this one does not come to its end."""
    return warehouse.with_name(f".{warehouse.name}.answers")


def page_size_file(warehouse: Path) -> Path:
    """Where it is kept which page size the API honours, while that is not the largest."""
    return warehouse.with_name(f".{warehouse.name}.page-size.json")
