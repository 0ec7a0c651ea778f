"""A sync without dlt's own files: what the source yields goes straight into the landing.

For the many tests that are about the reading or the publishing. dlt's extract, normalize and load cost a second for
seven tables of a few rows, most of it configuration; they are in the syncs of `Rig(..., through_dlt=True)`, in every
run of Dagster and in every command. What is left out here decides nothing: the landing is created by the types of the
pages, as for lists that are read again.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib.abc import MetaPathFinder
from unittest import mock

import dlt
import pyarrow as pa
from dlt.common.configuration.resolve import resolve_configuration
from dlt.common.configuration.specs import RuntimeConfiguration
from dlt.extract.pipe_iterator import PipeIterator
from dlt.sources import rest_api
from dlt.sources.helpers.rest_client import client as rest_client

from analytics_assets.pipeline.reading import OpenReading
from analytics_assets.source.columns import ResourceName
from analytics_assets.warehouse.landing import add_pages


class _NoPandas(MetaPathFinder):
    """Says at once that pandas is not installed: DuckDB looks for it on the whole path with each query."""

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> None:
        if fullname == "pandas":
            raise ModuleNotFoundError(name=fullname)


@contextmanager
def quick_loading() -> Iterator[None]:
    """Have each sync and each verification of this process load without dlt."""
    # dlt looks its runtime up for each resource (10 ms each), and looks at the whole configuration of the source each time
    runtime = _runtime()
    with (
        mock.patch.object(OpenReading, "load", load_quickly),
        mock.patch.object(sys, "meta_path", [_NoPandas(), *sys.meta_path]),
        mock.patch.object(rest_client, "resolve_configuration", return_value=runtime),
        mock.patch.object(rest_api, "_validate_config"),
        mock.patch.object(dlt, "pipeline"),
    ):
        yield


@cache
def _runtime() -> RuntimeConfiguration:
    return resolve_configuration(RuntimeConfiguration())


def load_quickly(opened: OpenReading, resources: Sequence[ResourceName]) -> None:
    """Do what `opened.load(resources)` does, in a third of the time.

    Args:
        opened: the reading that is about to begin.
        resources: those that are landed; their parents are read as well, as under dlt.
    """
    source = opened.source.with_resources(*resources)
    pages: dict[str, list[pa.Table]] = {}
    with PipeIterator.from_pipes(source.resources.selected_pipes) as items:
        for item in items:
            pages.setdefault(item.pipe.name, []).extend(item.item if isinstance(item.item, list) else [item.item])
    add_pages(opened.landing._connection, {name: _joined(pages.get(name, [])) for name in resources})


def _joined(pages: Sequence[pa.Table]) -> list[pa.Table]:
    """The pages, as one where all have the same columns."""
    return [pa.concat_tables(pages)] if pages and all(page.schema == pages[0].schema for page in pages) else list(pages)
