"""What was read of the API: which lists, to which end, and when; it decides which absences mean a deletion.

A `ReadingRecorder` is filled by the source from several threads while it reads; a `Reading` is what remains, and
never changes. Neither keeps rows, and what the reading cost stands in `meter.py`.
"""

import logging
import threading
import time
from collections.abc import Collection, Mapping, Set
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Self

from analytics_assets.source.columns import PARENTS, RESOURCE_NAMES, TABLES, DataType, ResourceName
from analytics_assets.source.errors import SourceError
from analytics_assets.source.window import Window

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class SettledList:
    """A list that was read to its end.

    `answers` are the numbers of the answers that hold the rows that count (see `paging.py`); `rows` is how many rows those
    are. `began` and `ended` are when the last pass was begun and over, on the clock of `time.monotonic`.
    """

    answers: frozenset[int]
    rows: int
    began: float
    ended: float


@dataclass(frozen=True)
class ListsRead:
    """The lists of one resource.

    `settled` maps the parent's id ('' where there is none) to what was read to its end, `refused` the parent's id to
    what the server said. `listed` holds the ids of a list that another resource is read per row of.
    """

    settled: Mapping[str, SettledList]
    refused: Mapping[str, str]
    listed: frozenset[str]
    new_columns: Mapping[str, DataType]


@dataclass(frozen=True)
class Reading:
    """One reading of the API that came to its end.

    Of time entries it holds those in `window`, and of the members in `whole_lists` those in `history`: their lists had not been
    read for the months before the window.
    """

    began_at: datetime
    window: Window
    lists: Mapping[ResourceName, ListsRead]
    history: Window | None = None
    whole_lists: frozenset[str] = frozenset()

    def refused_now(self, resource: ResourceName) -> Mapping[str, str]:
        """The refusals of parents that are still listed; one that went while it was read was refused for that."""
        parent = TABLES[resource].parent
        listed = self.lists[parent].listed if parent else frozenset()
        return {row: reason for row, reason in self.lists[resource].refused.items() if row in listed}

    def lists_that_count(self, resource: ResourceName) -> Mapping[str, SettledList]:
        """The lists whose rows are published.

        A parent that went while the parents were read takes along the rows that were read before, where its rows go
        with it; the hours of a member who left meanwhile stay, as those of all who left do.
        """
        table, settled = TABLES[resource], self.lists[resource].settled
        if table.parent is None or table.outlives_parent:
            return settled
        listed = self.lists[table.parent].listed
        return {parent_id: of_list for parent_id, of_list in settled.items() if parent_id in listed}


@dataclass
class ListsSoFar:
    """The lists of one resource while they are read."""

    finished_lists: dict[str, frozenset[int]] = field(default_factory=dict)
    """Parent id ('' where there is none) → the numbers of the answers whose rows count."""
    answers_of_list: dict[str, int] = field(default_factory=dict)
    """Parent id → how many answers were numbered."""
    times_of_list: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Parent id → when the pass that settled it was begun and over."""
    rows_of_list: dict[str, int] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    listed: frozenset[str] = frozenset()
    new_columns: dict[str, DataType] = field(default_factory=dict)
    expected: int = 0
    """Lists that there are as far as is known; more come with each page of the parents."""
    rows_seen: int = 0
    """Rows read so far; unlike `rows` it never goes back when a list is read once more."""
    ended: float | None = None
    """When the last list so far came to its end, on the clock of `time.monotonic`."""

    @property
    def rows(self) -> int:
        """Rows read that count, over all lists."""
        return sum(self.rows_of_list.values())

    @property
    def done(self) -> int:
        """Lists that were read to their end or refused."""
        return len(self.finished_lists) + len(self.refused)


class ReadingRecorder:
    """Thread-safe record of one reading while it goes on."""

    def __init__(self) -> None:
        self.resources: dict[ResourceName, ListsSoFar] = {name: ListsSoFar() for name in RESOURCE_NAMES}
        for name, table in TABLES.items():
            self.resources[name].expected = 1 if table.parent is None else 0
        self._lock = threading.Lock()

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """dlt copies a REST configuration to validate it; all copies share this one object."""
        return self

    def page_read(self, resource: ResourceName, parent_id: str, rows: int, *, answer: int) -> None:
        """A page of a list has been read, with so many rows that count, which are those of the answer of this number."""
        with self._lock:
            lists = self.resources[resource]
            lists.answers_of_list[parent_id] = max(lists.answers_of_list.get(parent_id, 0), answer)
            lists.rows_of_list[parent_id] = lists.rows_of_list.get(parent_id, 0) + rows
            lists.rows_seen = max(lists.rows_seen, lists.rows)

    def list_started_over(self, resource: ResourceName, parent_id: str) -> None:
        """A list is read again from its first page; the rows read so far will come again."""
        with self._lock:
            self.resources[resource].rows_of_list[parent_id] = 0

    def list_finished(
        self, resource: ResourceName, parent_id: str, answers: Set[int], ids: Set[str], *, began: float, ended: float
    ) -> None:
        """A list has been read to its end, and the rows of these answers, with these ids, are what it holds."""
        with self._lock:
            lists = self.resources[resource]
            lists.finished_lists[parent_id] = frozenset(answers)
            lists.ended = time.monotonic()
            lists.times_of_list[parent_id] = (began, ended)
            if resource in PARENTS:
                lists.listed = frozenset(ids)

    def list_opened_again(self, resource: ResourceName, parent_id: str) -> int:
        """A list that was read to its end is about to be read anew; the number of the next answer."""
        with self._lock:
            lists = self.resources[resource]
            lists.rows_of_list[parent_id] = 0
            del lists.finished_lists[parent_id]
            return lists.answers_of_list[parent_id] + 1

    def parents_found(self, resource: ResourceName, count: int) -> None:
        """A page of the parents named `count` more lists of this child resource."""
        with self._lock:
            self.resources[resource].expected += count

    def list_refused(self, resource: ResourceName, parent_id: str, reason: str) -> None:
        """The list of one parent can't be read; what the warehouse has of it stays as it is."""
        with self._lock:
            lists = self.resources[resource]
            lists.refused[parent_id] = reason
            lists.ended = time.monotonic()
            lists.rows_of_list.pop(parent_id, None)
        logger.warning(
            "%s of %s %s can't be read (%s): skipped, its rows in the warehouse stay as they are",
            resource,
            TABLES[resource].parent,
            parent_id,
            reason,
        )

    def column_found(self, resource: ResourceName, column: str, data_type: DataType) -> None:
        """A field that no declaration names has been given a column."""
        with self._lock:
            self.resources[resource].new_columns[column] = data_type
        logger.warning("%s: the API sends a field that is not declared; new column %s (%s)", resource, column, data_type)

    def lists_left(self) -> int:
        """How many lists of child resources are known and not read to their end yet."""
        with self._lock:
            return sum(of.expected - of.done for name, of in self.resources.items() if TABLES[name].parent is not None)

    def is_read(self, resource: ResourceName) -> bool:
        """Whether every list of the resource was read to its end or refused, and no more lists can come."""
        parent = TABLES[resource].parent
        lists = self.resources[resource]
        return lists.done >= lists.expected and (parent is None or bool(self.resources[parent].finished_lists))

    def finished(self, resources: Collection[ResourceName], *, began_at: datetime, window: Window) -> Reading:
        """The reading as it ended.

        Args:
            resources: those that were asked for; the parents of a child asked for alone are not among them.
            began_at: when it began, UTC.
            window: the time entries that were asked for.

        Raises:
            SourceError: a list was not read to its end, or every list of a child resource was refused.
        """
        with self._lock:
            reading = Reading(began_at, window, MappingProxyType({name: _ended(of) for name, of in self.resources.items()}))
        for name in resources:
            lists = self.resources[name]
            if lists.done != lists.expected:
                raise SourceError(
                    f"{lists.expected - lists.done} of the lists of {name} were not read to their end; nothing was published. "
                    "This is a defect: please report it."
                )
            refused = reading.refused_now(name)
            if refused and not lists.finished_lists:
                reasons = sorted(set(refused.values()))
                raise SourceError(
                    f"The {name} of all {len(refused)} {TABLES[name].parent} were refused "
                    f"({'; '.join(reasons[:3])}): check that the key of ANALYTICS_API_KEY may read them."
                )
        return reading


def _ended(lists: ListsSoFar) -> ListsRead:
    settled = {
        parent_id: SettledList(answers, lists.rows_of_list.get(parent_id, 0), *lists.times_of_list[parent_id])
        for parent_id, answers in lists.finished_lists.items()
    }
    return ListsRead(settled, dict(lists.refused), lists.listed, dict(lists.new_columns))
