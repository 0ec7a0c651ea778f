"""Pages that are handed to dlt as few tables: none is kept back for good, whatever the last list of a resource is like."""

from dataclasses import replace
from datetime import UTC, datetime

import pyarrow as pa
import pytest

from analytics_assets.pipeline.progress import ReadingProgress
from analytics_assets.source import bundling
from analytics_assets.source.arrow import UndeclaredColumns
from analytics_assets.source.columns import ResourceName
from analytics_assets.source.window import Window
from analytics_assets_tests.rig import Rig


def tables_of(rig: Rig, resource: ResourceName) -> list[pa.Table]:
    """What dlt is given of a resource, read list after list."""
    rig.progress = ReadingProgress()
    rig.limits = replace(rig.limits, concurrency=1)
    options = rig.api.options(rig.progress, Window(datetime(2000, 1, 1, tzinfo=UTC)), UndeclaredColumns())
    return list(rig.api.source(options).with_resources(resource))


def ids_in(tables: list[pa.Table]) -> list[str]:
    return sorted(record_id for table in tables for record_id in table.column("id").to_pylist())


def ids_served(rig: Rig, *, without: str | None = None) -> list[str]:
    """The ids of the entries of all members but one."""
    members = [user["id"] for user in rig.workspace.users if user["id"] != without]
    return sorted(row["id"] for member in members for row in rig.workspace.listing("time_entries", member).rows)


def test_the_lists_of_all_members_are_one_table(tiny: Rig) -> None:
    tables = tables_of(tiny, "time_entries")
    assert len(tables) == 1
    assert ids_in(tables) == ids_served(tiny)
    assert len({*tables[0].column("_users_id").to_pylist()}) > 1


def test_a_last_list_that_is_refused_keeps_no_other_back(tiny: Rig) -> None:
    last = tiny.workspace.users[-1]["id"]
    tiny.server.behaviour.refused_parents = {last: (403, 403)}
    assert ids_in(tables_of(tiny, "time_entries")) == ids_served(tiny, without=last)
    assert [*tiny.recorder.resources["time_entries"].refused] == [last]


def test_pages_that_are_large_enough_do_not_wait(tiny: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundling, "BUNDLE_BYTES", 1)
    tables = tables_of(tiny, "time_entries")
    assert len(tables) > 1
    assert ids_in(tables) == ids_served(tiny)


def test_pages_with_other_fields_are_another_table(tiny: Rig) -> None:
    member = next(user["id"] for user in tiny.workspace.users if tiny.workspace.listing("time_entries", user["id"]).rows)
    entry = tiny.workspace.listing("time_entries", member).rows[0]["id"]
    tiny.workspace.edit("time_entries", entry, mood="glad")
    tables = tables_of(tiny, "time_entries")
    assert [table.column("mood").drop_null().to_pylist() for table in tables if "mood" in table.column_names] == [["glad"]]
    assert len(tables) == 2
    assert ids_in(tables) == ids_served(tiny)


def test_a_resource_without_rows_still_shows_its_columns(tiny: Rig) -> None:
    tiny.workspace.tags.clear()
    (table,) = tables_of(tiny, "tags")
    assert not len(table)
    assert "name" in table.column_names
