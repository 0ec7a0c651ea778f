"""A warehouse and the demo API side by side, with the comparison that the law asks for.

Only what several tests need belongs here. The comparison is written independently of the pipeline: it walks the
records that the API serves and looks each value up in the warehouse.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
from pydantic import SecretStr

from analytics_assets.demo.serving import DemoServer
from analytics_assets.months import Month, Span
from analytics_assets.settings import ApiAccess
from analytics_assets.source.columns import RESOURCE_NAMES, TABLES, ResourceName
from analytics_assets.source.http import HttpLimits
from analytics_assets.source.journal import Journal
from analytics_assets.source.window import Window
from analytics_assets.sync import Api, SyncReport, load_with_dlt, sync

Row = dict[str, Any]
START = date(2025, 1, 1)


class Rig:
    """One warehouse, fed from one demo server."""

    def __init__(self, server: DemoServer, folder: Path, *, page_size: int = 50, start: date = START) -> None:
        self.server = server
        self.workspace = server.workspace
        self.path = folder / "analytics.duckdb"
        self.page_size = page_size
        self.start = start
        self.journal = Journal()
        self.limits = HttpLimits(requests_per_second=10_000, backoff_factor=0, read_timeout_seconds=5)
        self.extra_params: dict[str, dict[str, Any]] = {}
        self.api_key = server.api_key
        self.api_url = server.url
        self.workspace_id = server.workspace.id

    @property
    def api(self) -> Api:
        """The demo API as the pipeline is told of it."""
        access = ApiAccess(SecretStr(self.api_key), self.api_url, self.workspace_id)
        return Api(access, self.page_size, self.limits, self.extra_params)

    def sync(
        self, first: str | None = None, last: str | None = None, resources: Sequence[ResourceName] = RESOURCE_NAMES
    ) -> SyncReport:
        """A sync of the months from `first` to `last`, by default all of history."""
        self.journal = Journal()
        return sync(
            api=self.api,
            warehouse=self.path,
            window=self.window(first, last),
            journal=self.journal,
            load=load_with_dlt(resources),
            name="test",
        )

    def window(self, first: str | None = None, last: str | None = None) -> Window:
        """The window of the months from `first` to `last`."""
        now = Month.of(datetime.now(UTC))
        begin = Month.parse(first) if first else Month.of(self.start)
        end = Month.parse(last) if last else now
        return Span(begin, end).window(self.start, now=now)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of a query on the warehouse."""
        with duckdb.connect(str(self.path), read_only=True) as con:
            con.execute("SET TimeZone = 'UTC'")
            return con.execute(sql).fetchall()

    def rows(self, resource: ResourceName) -> dict[str, Row]:
        """The rows of a raw table by id; fails where an id stands twice."""
        with duckdb.connect(str(self.path), read_only=True) as con:
            con.execute("SET TimeZone = 'UTC'")
            cursor = con.execute(f"SELECT * FROM raw.{resource}")
            names = [column[0] for column in cursor.description]
            rows = [dict(zip(names, values, strict=True)) for values in cursor.fetchall()]
        by_id = {row["id"]: row for row in rows}
        assert len(by_id) == len(rows), f"an id stands twice in raw.{resource}"
        return by_id

    def contents(self) -> dict[str, list[tuple[Any, ...]]]:
        """Everything in the raw tables and their history, comparable."""
        return {
            f"{schema}.{resource}": sorted(map(repr, self.query(f"SELECT * FROM {schema}.{resource}")))
            for schema in ("raw", "raw_history")
            for resource in RESOURCE_NAMES
        }  # type: ignore[return-value]

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
        for resource in resources:
            records = served_records(self.server, resource)
            rows = self.rows(resource)
            if resource == "time_entries":
                window, kept = self.window(first, last), set(keep_entries_of)
                records = [r for r in records if r["userId"] not in kept and is_in(window, r["timeInterval"]["start"])]
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
