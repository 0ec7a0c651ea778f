"""Who wants to watch a read of the API while it runs in this very process, and is told of each of its steps.

The raw assets tell, the command line watches. Runs of the UI have no watcher, and telling nobody costs nothing.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from analytics_assets.source.journal import Journal

Watcher = Callable[[Journal], None]

_watchers: list[Watcher] = []


@contextmanager
def watching(watcher: Watcher) -> Iterator[None]:
    """Have `watcher` called for each step of a read, from whatever thread made it, as long as the block runs."""
    _watchers.append(watcher)
    try:
        yield
    finally:
        _watchers.remove(watcher)


def tell_watchers(journal: Journal) -> None:
    """A read has made a step; the journal says how far it is."""
    for watcher in tuple(_watchers):
        watcher(journal)
