"""The landing: a folder and a DuckDB file that belong to one run. dlt loads into it, and it is deleted afterwards.

A half-loaded package therefore never reaches the warehouse. dlt writes table by table, so a run that is killed between
two tables would leave a mixed warehouse if it loaded there directly (seen with kill -9 in the load step).
"""

import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import dlt
import duckdb
import pyarrow as pa

from analytics_assets.source.columns import ResourceName
from analytics_assets.source.configured import dlt_configured
from analytics_assets.warehouse.connection import MEMORY_LIMIT
from analytics_assets.warehouse.disk import full_disk_as_one_sentence
from analytics_assets.warehouse.places import landing_folder
from analytics_assets.warehouse.tables import columns_of, quoted

DATASET: Final = "raw"
CONFIG: Final[dict[str, str | bool | int | float | list[str]]] = {"memory_limit": MEMORY_LIMIT, "threads": 2}
PIPELINE_NAME: Final = "analytics_landing"


@dataclass(frozen=True)
class Landing:
    """The scratch file of one run and the dlt pipeline that loads it."""

    file: Path
    pipeline: dlt.Pipeline
    _connection: duckdb.DuckDBPyConnection

    def add(self, pages: Mapping[ResourceName, Iterable[pa.Table]]) -> None:
        """Add pages that were not read under dlt; the landing is closed before and after."""
        with duckdb.connect(str(self.file), config=CONFIG) as con:
            add_pages(con, pages)

    def close(self) -> None:
        """Close the file, so that the warehouse can attach it; nothing can be loaded afterwards."""
        self._connection.close()


def add_pages(con: duckdb.DuckDBPyConnection, pages: Mapping[ResourceName, Iterable[pa.Table]]) -> None:
    """Add pages to a landing that is open."""
    con.execute(f"CREATE SCHEMA IF NOT EXISTS {DATASET}")
    for name, of_resource in pages.items():
        for page in of_resource:
            _add_page(con, name, page)


def _add_page(con: duckdb.DuckDBPyConnection, name: ResourceName, page: pa.Table) -> None:
    con.register("page", page)
    present = columns_of(con, DATASET, name)
    if not present:
        con.execute(f"CREATE TABLE {DATASET}.{name} AS FROM page LIMIT 0")
    elif not present.keys() >= set(page.column_names):
        for column, kind, *_ in con.execute("DESCRIBE page").fetchall():
            if column not in present:
                con.execute(f"ALTER TABLE {DATASET}.{name} ADD COLUMN {quoted(column)} {kind}")
    con.execute(f"INSERT INTO {DATASET}.{name} BY NAME FROM page")
    con.unregister("page")


@contextmanager
def landing(warehouse: Path, *, concurrency: int) -> Iterator[Landing]:
    """A new landing beside the warehouse, which is removed at the end; the caller holds the writer's lock.

    Landings of killed runs are removed first. Those runs can't be alive, because the caller holds the lock.

    Args:
        warehouse: path of the warehouse file.
        concurrency: how many lists dlt may read in parallel.

    Raises:
        WarehouseError: the disk is full, for the landing or for the warehouse that is published from it.
    """
    folder = landing_folder(warehouse)
    shutil.rmtree(folder, ignore_errors=True)
    try:
        with full_disk_as_one_sentence(warehouse.parent), _loaded_into(folder, concurrency) as landed:
            yield landed
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _loaded_into(folder: Path, concurrency: int) -> Iterator[Landing]:
    folder.mkdir(parents=True, exist_ok=True)
    place = Path(tempfile.mkdtemp(dir=folder))
    file = place / "landing.duckdb"
    con = duckdb.connect(str(file), config=CONFIG)
    try:
        with dlt_configured(concurrency):
            pipeline = dlt.pipeline(
                PIPELINE_NAME, pipelines_dir=str(place), destination=dlt.destinations.duckdb(con), dataset_name=DATASET
            )
            yield Landing(file, pipeline, con)
    finally:
        con.close()
