"""One reading of the API into a landing, while the warehouse is held: what `sync` and `verify` have in common.

The order of the steps stands here: hold the warehouse, look at what it has, read, land, check. What becomes of what
was read is decided by the caller.
"""

import logging
import math
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Final

import duckdb
from dlt import Pipeline
from dlt.extract.source import DltSource

from analytics_assets.pipeline.api import Api
from analytics_assets.pipeline.doubts import Doubts, doubts_of
from analytics_assets.pipeline.memory import give_memory_back, keep_no_free_memory
from analytics_assets.pipeline.months import AskedMonths, Span
from analytics_assets.pipeline.progress import ReadingProgress
from analytics_assets.source.arrow import UndeclaredColumns
from analytics_assets.source.columns import TABLES, DataType, ResourceName
from analytics_assets.source.ending import Ending
from analytics_assets.source.errors import SourceError, causes
from analytics_assets.source.reading import Reading, SettledList
from analytics_assets.source.rest_config import ReadingOptions
from analytics_assets.source.window import WiderWindow, Window
from analytics_assets.warehouse.comparison import lists_with_rows
from analytics_assets.warehouse.connection import connection
from analytics_assets.warehouse.landing import Landing, landing
from analytics_assets.warehouse.places import answers_folder
from analytics_assets.warehouse.publications import covered_until, last_published_at, lists_behind
from analytics_assets.warehouse.tables import refuse_tables_without_ids, undeclared_columns
from analytics_assets.warehouse.writer_lock import writing

logger = logging.getLogger(__name__)

MAX_SECOND_READINGS: Final = 4

ENTRIES: Final = "time_entries"

LOADER_FILE_FORMAT: Final = "parquet"
"""dlt's default for DuckDB, INSERT statements, loads 2,000 rows/s; `jsonl` changes texts that look like times."""

LANDING_DISPOSITION: Final = "append"
"""A landing is empty. The merge that the resources promise is made by `warehouse/publish.py`, in one transaction with
deletions and history; dlt's own merge writes table by table."""


@dataclass(frozen=True)
class OpenReading:
    """A reading that is about to begin; `source` and `pipeline` are dlt's, for the caller to run."""

    warehouse: Path
    span: Span
    source: DltSource
    pipeline: Pipeline
    landing: Landing
    known_columns: dict[ResourceName, dict[str, DataType]]
    _api: Api
    _options: ReadingOptions
    _ending: Ending
    _window: Window
    _history_start: datetime
    _is_routine: bool
    _began_at: datetime

    @property
    def landed(self) -> Path:
        """The file that was loaded."""
        return self.landing.file

    def load(self, resources: Sequence[ResourceName]) -> None:
        """Run dlt on some of the resources, without any orchestration.

        Raises:
            KeyboardInterrupt: the process was told to end; dlt wraps it like an error of the pipeline.
        """
        try:
            self.pipeline.run(
                self.source.with_resources(*resources),
                loader_file_format=LOADER_FILE_FORMAT,
                write_disposition=LANDING_DISPOSITION,
            )
        except Exception as error:
            if any(isinstance(cause, KeyboardInterrupt) for cause in causes(error)):
                raise KeyboardInterrupt from None
            raise

    def finish(self, resources: Sequence[ResourceName]) -> Reading:
        """What was read, once dlt has loaded it; the landing can be attached from then on.

        Lists whose history is not covered are read as a whole before that, and rows that are missing are looked for.

        Raises:
            SourceError: a list was not read to its end, or every list of a child resource was refused.
        """
        reading = self._result(resources)
        self.landing.close()
        give_memory_back()
        if behind := self._lists_behind(resources, reading):
            reading = self._with_whole_lists(behind, reading, resources)
        children = [name for name in resources if TABLES[name].parent is not None]
        for name, doubts in self._doubts(children, reading).items():
            if doubts:
                reading = self._without_doubts(name, doubts, reading, resources)
        self._ending.pass_signals_on()  # what is done with the reading has no threads of its own, and may take long
        return reading

    def forget_kept_answers(self) -> None:
        """Forget what was kept for a reading after this one: from now on something newer may be published."""
        if self._options.kept_answers is not None:
            self._options.kept_answers.forget()

    def _result(self, resources: Sequence[ResourceName]) -> Reading:
        kept = self._options.kept_answers
        earliest = None if kept is None else kept.earliest
        began_at = self._began_at if earliest is None else min(self._began_at, earliest)
        return self._options.recorder.finished(resources, began_at=began_at, window=self._window)

    def _lists_behind(self, resources: Sequence[ResourceName], reading: Reading) -> set[str]:
        """The members whose lists a routine reading has to read from the beginning, because nobody has done so yet."""
        if not self._is_routine or ENTRIES not in resources or self._window.start <= self._history_start:
            return set()
        with connection(self.warehouse, read_only=True) as con:
            return lists_behind(con, reading.lists[ENTRIES].settled.keys(), self._window, self._history)

    def _with_whole_lists(self, members: Set[str], reading: Reading, resources: Sequence[ResourceName]) -> Reading:
        """The reading, with all history of some members, and not its window alone.

        Raises:
            SourceError: a list can't be read exactly.
        """
        logger.info("Months before %s were not read of %d lists of %s; reading them now", self.span.first, len(members), ENTRIES)
        reading = replace(reading, history=self._history, whole_lists=frozenset(members))
        with connection(self.warehouse, read_only=True) as con:
            with_rows = lists_with_rows(con, self._history)
        self._read_again(ENTRIES, members, reading, replace(self._options, lists_with_rows=with_rows))
        return self._read_by_now(reading, resources)

    def _read_again(self, name: ResourceName, parents: Set[str], reading: Reading, options: ReadingOptions) -> None:
        """Read some lists again: for all history where the reading holds that of the list, else for its months."""
        self._ending.pause(0)
        in_history = parents & reading.whole_lists if name == ENTRIES else frozenset[str]()
        for some, window in ((parents - in_history, options.window), (in_history, reading.history)):
            if some:
                again = self._api.lists_again(replace(options, window=window), TABLES[name], sorted(some))
                self.landing.add({name: again})

    def _read_by_now(self, reading: Reading, resources: Sequence[ResourceName]) -> Reading:
        """The reading after some lists were read again."""
        return replace(self._result(resources), history=reading.history, whole_lists=reading.whole_lists)

    def _without_doubts(self, name: ResourceName, doubts: Doubts, reading: Reading, resources: Sequence[ResourceName]) -> Reading:
        """The reading, with lists read anew that a row may have moved into, or out of, after they were read.

        An entry that goes from one member to another while both lists are read may be in neither: it was not yet in
        the one, and no longer in the other. Before it is taken for deleted, the lists that were read before the one
        that lost it are read again. Rows that go missing by that are looked for in the same way. The list that lost an
        entry is read again as a whole, because the entry may have been moved to a month that was not asked for.

        A row that was moved the other way is in both lists, and both are read again. Of one that both hold even then, the
        API shows two; `warehouse/comparison.py` says which one counts.

        Raises:
            SourceError: rows keep moving, or a list can't be read exactly.
        """
        looked_for: set[str] = set()
        compared: set[str] = set()
        whole: set[str] = set()
        """Lists that are read as a whole from now on: what was found in them outside the window counts as long as they do."""
        for _ in range(MAX_SECOND_READINGS):
            lists = reading.lists[name].settled
            sharers = {parent for parents in doubts.shared.values() for parent in parents}
            to_read = set(sharers)
            if losers := {*doubts.missing.values()}:
                lost_at = _ended(lists, losers)
                if self._may_be_in_other_months(name):
                    whole |= losers & lists.keys()
                to_read |= {parent for parent, each in lists.items() if each.began < lost_at and {parent} != losers}
                to_read |= whole & losers
            looked_for |= doubts.missing.keys()
            compared |= doubts.shared.keys()
            if to_read:
                logger.info(
                    "%d rows of %s are missing and %d are in several lists; reading %d lists again",
                    len(doubts.missing),
                    name,
                    len(doubts.shared),
                    len(to_read),
                )
                if self._options.kept_answers is not None:
                    self._options.kept_answers.give_none_from_before(_ended(lists, losers | sharers))
                everywhere = replace(self._options, window=self._wider_window(looked_for))
                self._read_again(name, to_read - whole, reading, self._options)
                self._read_again(name, to_read & whole, reading, everywhere)
                reading = self._read_by_now(reading, resources)
            left = self._doubts([name], reading)[name]
            doubts = Doubts(
                {row: parent for row, parent in left.missing.items() if row not in looked_for},
                {row: parents for row, parents in left.shared.items() if row not in compared},
            )
            if not doubts:
                return reading
        raise SourceError(
            f"Rows of {name} moved between lists each of the {MAX_SECOND_READINGS} times they were looked for, so that no "
            "reading is sure to be complete; try again at a quieter time."
        )

    def _may_be_in_other_months(self, name: ResourceName) -> bool:
        """Whether a missing row may be outside of what was asked for; a plan of few requests an hour can't pay the search."""
        if self._api.limits.requests_per_hour or not TABLES[name].is_windowed:
            return False
        return self._window.end is not None or self._window.start > self._history_start

    @property
    def _history(self) -> Window:
        return Window(self._history_start, undated=True)

    def _wider_window(self, looked_for: Set[str]) -> WiderWindow:
        window = self._window
        return WiderWindow(
            window.start, window.end, window.undated, history_start=self._history_start, looked_for=frozenset(looked_for)
        )

    def _doubts(self, names: Sequence[ResourceName], reading: Reading) -> dict[ResourceName, Doubts]:
        return doubts_of(names, reading, warehouse=self.warehouse, landed=self.landed)


def _ended(lists: Mapping[str, SettledList], parents: Set[str]) -> float:
    """When the last of the lists of some parents was read to its end; of a list that was not, nobody knows."""
    return max(lists[parent].ended if parent in lists else math.inf for parent in parents)


@contextmanager
def open_reading(
    *,
    api: Api,
    warehouse: Path,
    months: AskedMonths,
    progress: ReadingProgress,
    holder: str,
    prepare: Callable[[duckdb.DuckDBPyConnection], None],
    is_read_only: bool = False,
) -> Iterator[OpenReading]:
    """Hold the warehouse, decide what is read, and make a landing for it.

    The warehouse is held from before the first request on, so that no older reading is published after a newer one,
    and the months of a routine sync follow from what the warehouse covers then.

    Args:
        api: what to read.
        warehouse: path of the warehouse file.
        months: the months of time entries that are asked for.
        progress: filled while the API is read.
        holder: what those are told who have to wait for this reading.
        prepare: looks at the warehouse, and may refuse it.
        is_read_only: whether the warehouse is only looked at.

    Raises:
        WarehouseError: the warehouse can't be opened, or its disk is full.
    """
    keep_no_free_memory()
    with writing(warehouse, holder):
        with connection(warehouse, read_only=is_read_only) as con:
            prepare(con)
            refuse_tables_without_ids(con)
            known = undeclared_columns(con)
            span = months.span_given(covered_until(con, months.start_date))
            window = span.window(months.start_date, now=months.now)
            with_rows = lists_with_rows(con, window)
            published_at = last_published_at(con)
        history_start = datetime.combine(months.start_date, time(), UTC)
        began_at = datetime.now(UTC)
        undeclared = UndeclaredColumns(known, on_new=progress.recorder.column_found)
        progress.meter.lists = progress.lists
        ending = progress.meter.ending
        with (
            nullcontext()
            if is_read_only
            else api.answers_kept(answers_folder(warehouse), progress.recorder, published_at) as kept,
            landing(warehouse, concurrency=api.limits.concurrency) as landed,
            ending.at_exit_or_signal(),
        ):
            options = api.options(progress, window, undeclared, with_rows, kept)
            source = api.source(options)
            ending.pause(0)
            yield OpenReading(
                warehouse,
                span,
                source,
                landed.pipeline,
                landed,
                known,
                api,
                options,
                ending,
                window,
                history_start,
                months.span is None,
                began_at,
            )
