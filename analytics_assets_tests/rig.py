"""A warehouse and the demo API side by side, with the comparison that the law asks for.

Only what several tests need belongs here. The comparison is written independently of the pipeline: it walks the
records that the API serves and looks each value up in the warehouse.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
from pydantic import SecretStr

from analytics_assets.demo.behaviour import RequestSeen
from analytics_assets.demo.serving import DemoServer
from analytics_assets.pipeline.api import Api
from analytics_assets.pipeline.months import AskedMonths, Month, Span, current_month
from analytics_assets.pipeline.progress import ReadingProgress
from analytics_assets.pipeline.sync import SyncReport, sync
from analytics_assets.pipeline.verification import Verification, verify
from analytics_assets.source.arrow import UndeclaredColumns
from analytics_assets.source.columns import RESOURCE_NAMES, TABLES, ResourceName
from analytics_assets.source.errors import find_source_error
from analytics_assets.source.http import HttpLimits
from analytics_assets.source.meter import Meter
from analytics_assets.source.page_size import AskedPageSize
from analytics_assets.source.reading import ReadingRecorder
from analytics_assets.source.window import Window
from analytics_assets.warehouse.errors import WarehouseError
from analytics_assets.workspace_access import WorkspaceAccess
from analytics_assets_tests.quick_load import quick_loading

Row = dict[str, Any]
START = date(2025, 1, 1)


class Rig:
    """One warehouse, fed from one demo server."""

    def __init__(
        self, server: DemoServer, folder: Path, *, page_size: AskedPageSize = 50, start: date = START, through_dlt: bool = False
    ) -> None:
        self.server = server
        self.workspace = server.workspace
        self.path = folder / "analytics.duckdb"
        self.page_size: AskedPageSize = page_size
        self.page_size_memory: Path | None = None
        self.start = start
        self.through_dlt = through_dlt
        self.progress = ReadingProgress()
        self.limits = HttpLimits(requests_per_second=10_000, backoff_factor=0, read_timeout_seconds=5)
        self.extra_params: dict[str, dict[str, Any]] = {}
        self.api_key = server.api_key
        self.api_url = server.url
        self.workspace_id = server.workspace.id

    @property
    def api(self) -> Api:
        """The demo API as the pipeline is told of it."""
        access = WorkspaceAccess(SecretStr(self.api_key), self.api_url, self.workspace_id)
        return Api(access, self.page_size, self.limits, self.extra_params, self.page_size_memory)

    def sync(
        self, first: str | None = None, last: str | None = None, resources: Sequence[ResourceName] = RESOURCE_NAMES
    ) -> SyncReport:
        """A sync of the months from `first` to `last`, by default all of history."""
        return self.sync_of(AskedMonths(self.start, span=self.span(first, last)), resources)

    def routine_sync(self, lookback_months: int = 2, resources: Sequence[ResourceName] = RESOURCE_NAMES) -> SyncReport:
        """A sync without months: what the warehouse lacks, and the lookback."""
        return self.sync_of(AskedMonths(self.start, lookback_months), resources)

    def sync_of(self, months: AskedMonths, resources: Sequence[ResourceName]) -> SyncReport:
        """A sync that is asked for months in any way."""
        self.progress = ReadingProgress()
        with self._loading():
            return sync(
                api=self.api,
                warehouse=self.path,
                months=months,
                progress=self.progress,
                holder="test",
                resources=resources,
            )

    def verify(self) -> Verification:
        """All of history compared with the API."""
        self.progress = ReadingProgress()
        months = AskedMonths(self.start, span=self.span())
        with self._loading():
            return verify(api=self.api, warehouse=self.path, months=months, progress=self.progress)

    def _loading(self) -> AbstractContextManager[None]:
        return nullcontext() if self.through_dlt else quick_loading()

    @property
    def recorder(self) -> ReadingRecorder:
        """What the last reading has recorded."""
        return self.progress.recorder

    @property
    def meter(self) -> Meter:
        """What the last reading has cost."""
        return self.progress.meter

    def failing_sync(
        self, first: str | None = None, last: str | None = None, resources: Sequence[ResourceName] = RESOURCE_NAMES
    ) -> str:
        """The one sentence of a sync that must fail and must leave everything in the warehouse as it was."""
        return self.failing_sync_of(AskedMonths(self.start, span=self.span(first, last)), resources)

    def failing_sync_of(self, months: AskedMonths, resources: Sequence[ResourceName]) -> str:
        """The same of a sync that is asked for months in any way."""
        before = self.contents() if self.path.exists() else None
        sentence = self._sentence_of(lambda: self.sync_of(months, resources))
        if before is not None:
            assert self.contents() == before, f"a failed sync changed the warehouse: {sentence}"
        return sentence

    def read(self, resource: ResourceName, first: str | None = None, last: str | None = None) -> dict[str, Row]:
        """What the source alone brings home of a resource, by id, without a warehouse: a fifth of a sync's time."""
        self.progress = ReadingProgress()
        undeclared = UndeclaredColumns(on_new=self.recorder.column_found)
        source = self.api.source(self.api.options(self.progress, self.window(first, last), undeclared))
        tables = list(source.with_resources(resource))
        finished, parent = self.recorder.resources[resource].finished_lists, TABLES[resource].parent_column
        read = [row for table in tables for row in table.to_pylist()]
        rows = [row for row in read if row["_answer"] in finished.get(row[parent] if parent else "", {})]
        by_id = {row["id"]: row for row in rows}
        assert len(by_id) == len(rows), f"{resource} were read with an id twice"
        assert self.recorder.resources[resource].rows == len(rows)
        return by_id

    def assert_reads_the_api(self, resource: ResourceName, first: str | None = None, last: str | None = None) -> None:
        """The law, for what the source alone brings home."""
        rows = self.read(resource, first, last)
        records = served_records(self.server, resource)
        if resource == "time_entries":
            window = self.window(first, last)
            records = [record for record in records if is_in(window, start_of(record))]
        assert_rows_equal(resource, records, rows)

    def failing_read(self, resource: ResourceName) -> str:
        """The one sentence of a reading that must fail."""
        return self._sentence_of(lambda: self.read(resource))

    def _sentence_of(self, action: Callable[[], object]) -> str:
        try:
            action()
        except Exception as error:
            found = find_source_error(error) or (error if isinstance(error, WarehouseError) else None)
            if found is None:
                raise
            sentence = str(found)
        else:
            raise AssertionError("what had to fail ended green")
        assert "\n" not in sentence and sentence[-1] == ".", f"no sentence: {sentence!r}"
        assert self.api_key not in sentence
        return sentence

    def asked(self, resource: ResourceName, parent_id: str | None = None, page: int | None = None) -> list[RequestSeen]:
        """The requests for a resource that the server has seen, in their order."""
        return [
            request
            for request in self.server.requests
            if request.resource == resource
            and (parent_id is None or request.parent_id == parent_id)
            and (page is None or request.page == page)
        ]

    def window(self, first: str | None = None, last: str | None = None) -> Window:
        """The window of the months from `first` to `last`."""
        return self.span(first, last).window(self.start, now=current_month())

    def span(self, first: str | None = None, last: str | None = None) -> Span:
        """The months from `first` to `last`, by default all of history."""
        return Span(Month.parse(first) if first else Month.of(self.start), Month.parse(last) if last else current_month())

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of a query on the warehouse."""
        with duckdb.connect(str(self.path), read_only=True) as con:
            con.execute("SET TimeZone = 'UTC'")
            return con.execute(sql).fetchall()

    def held_open(self) -> AbstractContextManager[object]:
        """The warehouse held open for reading, so that the queries of one test do not each open the file anew."""
        return duckdb.connect(str(self.path), read_only=True)

    def rows(self, resource: ResourceName) -> dict[str, Row]:
        """The rows of a raw table by id; fails where an id stands twice."""
        rows = self._rows_of(f"SELECT * FROM raw.{resource}")
        by_id = {row["id"]: row for row in rows}
        assert len(by_id) == len(rows), f"an id stands twice in raw.{resource}"
        return by_id

    def history(self, resource: ResourceName) -> list[Row]:
        """The rows of a history table, oldest first."""
        return self._rows_of(f"SELECT * FROM raw_history.{resource} ORDER BY _valid_to, id")

    def changes(self, resource: ResourceName) -> dict[str, list[str]]:
        """What the history tells: id → its changes, oldest first."""
        changes: dict[str, list[str]] = {}
        for row in self.history(resource):
            changes.setdefault(row["id"], []).append(row["_change"])
        return changes

    def _rows_of(self, sql: str) -> list[Row]:
        with duckdb.connect(str(self.path), read_only=True) as con:
            con.execute("SET TimeZone = 'UTC'")
            cursor = con.execute(sql)
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, values, strict=True)) for values in cursor.fetchall()]

    def contents(self) -> dict[str, list[str]]:
        """Everything in the raw tables and their history, comparable."""
        with duckdb.connect(str(self.path), read_only=True) as con:
            return {
                f"{schema}.{resource}": sorted(map(repr, con.execute(f"FROM {schema}.{resource}").fetchall()))
                for schema in ("raw", "raw_history")
                for resource in RESOURCE_NAMES
            }

    def assert_equals_api(
        self,
        first: str | None = None,
        last: str | None = None,
        *,
        resources: Iterable[ResourceName] = RESOURCE_NAMES,
        keep_entries_of: Iterable[str] = (),
    ) -> None:
        """The law: each table holds what the API serves, value by value, and nothing else.

        Args:
            first: first month whose entries are compared.
            last: last month.
            resources: tables to compare.
            keep_entries_of: members whose entries are left out of the comparison, because the API refuses them.
        """
        with self.held_open():
            rows_of = {resource: self.rows(resource) for resource in resources}
        for resource, rows in rows_of.items():
            records = served_records(self.server, resource)
            if resource == "time_entries":
                window, kept = self.window(first, last), set(keep_entries_of)
                records = [r for r in records if r["userId"] not in kept and is_in(window, start_of(r))]
                rows = {
                    key: row
                    for key, row in rows.items()
                    if row["user_id"] not in kept and is_in(window, row["time_interval__start"])
                }
            assert_rows_equal(resource, records, rows)


def served_records(server: DemoServer, resource: ResourceName) -> list[Row]:
    """What the demo API lists of a resource when it is asked as the pipeline asks it."""
    workspace = server.workspace
    hidden = {user["id"] for user in workspace.records("users") if user["status"] in ("LIMITED", "LIMITED_DELETED")}
    records = list(workspace.records(resource))
    if resource == "users":
        return [record for record in records if record["id"] not in hidden]
    if resource == "time_entries":
        listed = {user["id"] for user in workspace.records("users")} - hidden
        return [record for record in records if record["userId"] in listed]
    return records


def start_of(entry: Row) -> str | None:
    """The start of a time entry as the API writes it."""
    start: str | None = (entry["timeInterval"] or {}).get("start")
    return start


def is_in(window: Window, start: str | datetime | None) -> bool:
    """Whether a start lies in the window."""
    if start is None:
        return window.undated
    moment = datetime.fromisoformat(start) if isinstance(start, str) else start
    return window.start <= moment and (window.end is None or moment < window.end)


def assert_rows_equal(resource: ResourceName, records: list[Row], rows: dict[str, Row]) -> None:
    """Each record is a row with the same values, and each row a record."""
    expected = {record["id"]: record for record in records}
    assert sorted(rows) == sorted(expected), f"raw.{resource} holds other ids than the API"
    for record_id, record in expected.items():
        row = rows[record_id]
        for column in TABLES[resource].columns:
            value: Any = record
            for part in column.path:
                value = value.get(part) if value is not None else None
            got = row[column.name]
            if column.data_type == "json":
                got = None if got is None else json.loads(got)
            elif column.data_type == "timestamp" and value is not None:
                value = datetime.fromisoformat(value).astimezone(UTC)
            assert got == value, f"raw.{resource} {record_id} {column.name}: {got!r} is not the API's {value!r}"
