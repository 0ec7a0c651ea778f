"""Pages of one resource, handed to dlt as few tables.

dlt derives a table's schema anew from each Arrow table that it is given, whatever it knows already: 8 ms for each, which is more
than reading a list of some hundred rows takes. With a thousand members that was half of a sync in which nothing had changed.
"""

from typing import Final

import pyarrow as pa

from analytics_assets.source.columns import ResourceName
from analytics_assets.source.page import Page
from analytics_assets.source.reading import ReadingRecorder

BUNDLE_BYTES: Final = 16 * 2**20
"""What is held back at most, of Arrow's memory; some 100,000 time entries."""


class Bundles:
    """A step behind a resource of dlt's: holds pages back until they are worth a table, or until the last list has ended.

    Args:
        resource: whose pages come; no other resource may be read per row of it, for it would have to wait.
        recorder: knows how many lists there are.
    """

    def __init__(self, resource: ResourceName, recorder: ReadingRecorder) -> None:
        self._lists = recorder.resources[resource]
        self._ended = 0
        self._held: list[pa.Table] = []
        self._bytes = 0

    def __call__(self, pages: list[Page], meta: object = None) -> list[pa.Table] | None:
        """Take pages in; a table per schema when they are handed on, None until then."""
        tables = [page.rows for page in pages if not page.is_refused]
        self._held += tables
        self._bytes += sum(table.get_total_buffer_size() for table in tables)
        self._ended += sum(page.ends_list for page in pages)
        is_whole = self._ended >= self._lists.expected
        return self._handed_on() if is_whole or self._bytes >= BUNDLE_BYTES else None

    def _handed_on(self) -> list[pa.Table] | None:
        alike: dict[pa.Schema, list[pa.Table]] = {}
        for table in self._held:
            alike.setdefault(table.schema, []).append(table)
        self._held, self._bytes = [], 0
        return [pa.concat_tables(tables) for tables in alike.values()] or None
