"""What happened while the API was read: requests, bytes, rows, lists read to their end, lists that were refused.

The journal is filled by the source from several threads and read by whoever ran it: to decide which absences mean
a deletion, to show progress and to write metadata. It keeps facts of one run and no rows.
"""

import logging
import threading
import time
from collections.abc import Callable, Set
from dataclasses import dataclass, field
from typing import Any, Self

from analytics_assets.source.columns import RESOURCE_NAMES, TABLES, DataType, ResourceName
from analytics_assets.source.errors import SourceError

logger = logging.getLogger(__name__)

REFUSALS_NAMED = 20
OnProgress = Callable[["Journal"], None]
"""Called for each step of a read, from whatever thread made it."""
_PARENTS = frozenset(table.parent for table in TABLES.values())


@dataclass
class ResourceCounts:
    """Counters of one resource in one run; bytes are as they came over the wire."""

    requests: int = 0
    retries: int = 0
    bytes: int = 0
    seconds: float = 0.0
    new_columns: dict[str, DataType] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    finished_lists: dict[str, int] = field(default_factory=dict)
    """Parent id ('' where there is none) → number of the pass whose rows count, see `paging.py`."""
    rows_of_list: dict[str, int] = field(default_factory=dict)
    listed: frozenset[str] = frozenset()
    """Ids of the list as it was settled; kept where another resource is read per row of it."""

    @property
    def rows(self) -> int:
        """Rows read that count, over all lists."""
        return sum(self.rows_of_list.values())


class Journal:
    """Thread-safe facts of one read of the API."""

    def __init__(self, on_change: OnProgress | None = None) -> None:
        self.resources: dict[ResourceName, ResourceCounts] = {name: ResourceCounts() for name in RESOURCE_NAMES}
        self.started = time.monotonic()
        self.lists_expected: dict[ResourceName, int] = {}
        self._lock = threading.Lock()
        self._on_change = on_change
        self._full_pages: set[ResourceName] = set()

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """dlt copies a REST configuration to validate it; all copies share this one object."""
        return self

    def answered(self, resource: ResourceName, *, size: int, seconds: float) -> None:
        """An answer has been received, whatever it says; `size` in bytes."""
        with self._lock:
            counts = self.resources[resource]
            counts.requests += 1
            counts.bytes += size
            counts.seconds += seconds

    def retried(self, resource: ResourceName, reason: str, *, wait_seconds: float) -> None:
        """An attempt failed and another one follows after `wait_seconds`."""
        with self._lock:
            self.resources[resource].retries += 1
        logger.warning("%s: %s; trying again in %.0f s", resource, reason, wait_seconds)

    def page_read(self, resource: ResourceName, parent_id: str, rows: int) -> None:
        """A page of a list has been read, with so many rows that count."""
        with self._lock:
            of_list = self.resources[resource].rows_of_list
            of_list[parent_id] = of_list.get(parent_id, 0) + rows
        self._changed()

    def list_started_over(self, resource: ResourceName, parent_id: str) -> None:
        """A list is read again from its first page; the rows read so far will come again."""
        with self._lock:
            self.resources[resource].rows_of_list[parent_id] = 0

    def list_finished(self, resource: ResourceName, parent_id: str, final_pass: int, ids: Set[str]) -> None:
        """A list has been read to its end, and its rows of pass `final_pass`, with these ids, are what it holds."""
        with self._lock:
            self.resources[resource].finished_lists[parent_id] = final_pass
            if resource in _PARENTS:
                self.resources[resource].listed = frozenset(ids)
        self._changed()

    def parents_found(self, resource: ResourceName, count: int) -> None:
        """A page of the parents named `count` more lists of this child resource."""
        with self._lock:
            self.lists_expected[resource] = self.lists_expected.get(resource, 0) + count

    def list_refused(self, resource: ResourceName, parent_id: str, reason: str) -> None:
        """The list of one parent can't be read; what the warehouse has of it stays as it is."""
        with self._lock:
            self.resources[resource].refused[parent_id] = reason
            self.resources[resource].rows_of_list.pop(parent_id, None)
        logger.warning(
            "%s of %s %s can't be read (%s): skipped, its rows in the warehouse stay as they are",
            resource,
            TABLES[resource].parent,
            parent_id,
            reason,
        )

    def unread_lists(self, resource: ResourceName) -> int:
        """How many lists were neither read to their end nor refused, which a reading that succeeded does not leave."""
        counts = self.resources[resource]
        expected = 1 if TABLES[resource].parent is None else self.lists_expected.get(resource, 0)
        return expected - len(counts.finished_lists) - len(counts.refused)

    def refused_now(self, resource: ResourceName) -> dict[str, str]:
        """The refusals of parents that are still listed; one that went while it was read was refused for that."""
        parent = TABLES[resource].parent
        listed = self.resources[parent].listed if parent else frozenset()
        return {row: reason for row, reason in self.resources[resource].refused.items() if row in listed}

    def column_found(self, resource: ResourceName, column: str, data_type: DataType) -> None:
        """A field that no declaration names has been given a column."""
        with self._lock:
            self.resources[resource].new_columns[column] = data_type
        logger.warning("%s: the API sends a field that is not declared; new column %s (%s)", resource, column, data_type)

    def full_page_seen(self, resource: ResourceName) -> None:
        """The server has answered as many rows as asked, so that it honours the page size."""
        with self._lock:
            self._full_pages.add(resource)

    def honours_page_size(self, resource: ResourceName) -> bool:
        """Whether the server has shown, for this resource, that it honours the page size asked for."""
        with self._lock:
            return resource in self._full_pages

    @property
    def requests(self) -> int:
        """Answers received in all."""
        return sum(counts.requests for counts in self.resources.values())

    @property
    def retries(self) -> int:
        """Attempts repeated in all."""
        return sum(counts.retries for counts in self.resources.values())

    @property
    def elapsed_seconds(self) -> float:
        """Seconds since the read began."""
        return time.monotonic() - self.started

    def check_some_list_was_readable(self) -> None:
        """Refuse a read in which every list of a child resource was refused.

        Raises:
            SourceError: that names the resource and what the server said.
        """
        for resource, counts in self.resources.items():
            refused = self.refused_now(resource)
            if refused and not counts.finished_lists:
                reasons = sorted(set(refused.values()))
                raise SourceError(
                    f"The {resource} of all {len(refused)} {TABLES[resource].parent} were refused "
                    f"({'; '.join(reasons[:3])}): check that the key of ANALYTICS_API_KEY may read them."
                )

    def _changed(self) -> None:
        if self._on_change is not None:
            self._on_change(self)
