"""A sync without dlt's own files: what the source yields goes straight into the landing.

For the many tests that are about the reading or the publishing. dlt's extract, normalize and load cost a second for
seven tables of a few rows, most of it configuration; they are in the syncs of `Rig(..., through_dlt=True)`, in every
run of Dagster and in every command. What is left out here decides nothing: the landing is created by the types of the
pages, as for lists that are read again.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from unittest import mock

import pyarrow as pa
from dlt.extract.pipe_iterator import PipeIterator

from analytics_assets.pipeline.reading import OpenReading
from analytics_assets.source.columns import ResourceName


@contextmanager
def quick_loading() -> Iterator[None]:
    """Have each sync and each verification of this process load without dlt."""
    with mock.patch.object(OpenReading, "load", load_quickly):
        yield


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
    opened.landing.close()
    opened.landing.add({name: pages.get(name, []) for name in resources})
