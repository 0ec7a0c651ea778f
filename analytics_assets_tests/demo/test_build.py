"""The invented workspace: the same for the same arguments, lifelike, of every size."""

import datetime as dt
import itertools
from zoneinfo import ZoneInfo

import pytest

from analytics_assets.demo.build import build_workspace, empty_workspace
from analytics_assets.demo.places import PLACES, easter, holidays
from analytics_assets.demo.records import RESOURCE_NAMES, default_record, iso_duration, start_key
from analytics_assets.demo.workspace import Workspace
from analytics_assets_tests.demo.conftest import TODAY


def everything(workspace: Workspace) -> dict[str, object]:
    return {name: workspace.records(name) for name in RESOURCE_NAMES}


def test_the_same_arguments_build_the_same_workspace() -> None:
    first = build_workspace(today=TODAY, entries=300, users=9)
    assert everything(first) == everything(build_workspace(today=TODAY, entries=300, users=9))
    assert everything(first) != everything(build_workspace(today=TODAY, entries=300, users=9, seed=8))
    assert first.id != build_workspace(today=TODAY, entries=0, seed=8).id


def test_another_number_of_entries_leaves_the_people_and_projects_names_as_they_were() -> None:
    few, many = (build_workspace(today=TODAY, users=9, projects=5, entries=n) for n in (10, 200))
    assert few.users == many.users
    assert [row["name"] for row in few.projects] == [row["name"] for row in many.projects]


@pytest.mark.parametrize("today", [dt.date(2026, 1, 1), dt.date(2024, 2, 29), dt.date(2026, 11, 23)])
@pytest.mark.parametrize("users", [0, 1, 3, 8, 45])
def test_every_size_has_as_many_records_as_asked(today: dt.date, users: int) -> None:
    for others, entries in itertools.product((0, 1, 3), (0, 1, 7, 400)):
        built = build_workspace(
            today=today,
            months=1,
            users=users,
            projects=others,
            clients=others,
            tags=others,
            groups=others,
            entries=entries,
        )
        sizes = [len(built.records(name)) for name in RESOURCE_NAMES[:5]]
        assert sizes == [users, others, others, others, others]
        assert len(built.records("time_entries")) == (entries if users else 0)


def test_the_empty_workspace_is_empty() -> None:
    assert everything(empty_workspace()) == {name: [] for name in RESOURCE_NAMES}


def test_without_a_day_history_ends_with_the_current_utc_date() -> None:
    built = build_workspace(users=2, entries=200, projects=1)
    last = max(entry["timeInterval"]["end"] or "" for entry in built.records("time_entries"))
    now = dt.datetime.now(dt.UTC)
    assert now - dt.timedelta(days=10) < dt.datetime.fromisoformat(last) <= now


def test_every_record_has_every_field_in_order_and_an_id_of_its_own(built: Workspace) -> None:
    seen = set()
    for name in RESOURCE_NAMES:
        fields = list(default_record(name, "", ""))
        for record in built.records(name):
            assert list(record) == fields
            assert len(record["id"]) == 24 and int(record["id"], 16)
            seen.add(record["id"])
    assert len(seen) == sum(len(built.records(name)) for name in RESOURCE_NAMES)


def test_references_point_to_records_that_exist(built: Workspace) -> None:
    ids = {name: {row["id"] for row in built.records(name)} for name in RESOURCE_NAMES}
    users, projects, clients, tags = (ids[name] for name in RESOURCE_NAMES[:4])
    tasks = {row["id"]: row["projectId"] for row in built.records("tasks")}
    assert {row["clientId"] for row in built.projects} <= clients | {""}
    assert {member for row in built.user_groups for member in row["userIds"]} <= users
    for entry in built.records("time_entries"):
        assert entry["userId"] in users
        assert entry["projectId"] is None or entry["projectId"] in projects
        assert entry["taskId"] is None or tasks[entry["taskId"]] == entry["projectId"]
        assert set(entry["tagIds"] or []) <= tags


def test_durations_are_what_lies_between_start_and_end(built: Workspace) -> None:
    for entry in built.records("time_entries"):
        span = entry["timeInterval"]
        if span["end"] is None:
            assert span["duration"] is None
        else:
            length = dt.datetime.fromisoformat(span["end"]) - dt.datetime.fromisoformat(span["start"])
            assert length >= dt.timedelta(0)
            assert span["duration"] == iso_duration(int(length.total_seconds()))
    assert [iso_duration(n) for n in (0, 28800, 285120, 61)] == ["PT0S", "PT8H", "PT79H12M", "PT1M1S"]


def test_nothing_lies_in_the_future_and_each_list_is_newest_first(built: Workspace) -> None:
    for rows in built.time_entries.values():
        starts = [start_key(row) for row in rows]
        assert starts == sorted(starts, reverse=True)
        assert all((row["timeInterval"]["end"] or "") <= f"{TODAY}T00:00:00Z" for row in rows)
        assert all(start < f"{TODAY}" for start in starts)


def test_all_that_readers_stumble_over_is_there() -> None:
    built = build_workspace(today=TODAY, entries=6000)
    entries = built.records("time_entries")
    starts = [entry["timeInterval"]["start"] for entry in entries]
    assert {user["status"] for user in built.users} == {
        "ACTIVE",
        "DELETED",
        "LIMITED",
        "LIMITED_DELETED",
        "NOT_REGISTERED",
        "PENDING_EMAIL_VERIFICATION",
    }
    assert [len(built.time_entries[user["id"]]) for user in built.users if user["name"] is None] == [0]
    limited = [user["id"] for user in built.users if user["status"] == "LIMITED"]
    assert all(built.time_entries[user] for user in limited)
    assert {entry["type"] for entry in entries} == {"REGULAR", "BREAK", "HOLIDAY", "TIME_OFF"}
    assert sum(entry["timeInterval"]["end"] is None for entry in entries) == 3
    assert {type(entry["tagIds"]) for entry in entries} == {type(None), list}
    assert {"2024-01-01 10:00", "12:00", ""} <= {entry["description"] for entry in entries}
    assert any("\n" in entry["description"] and "\t" not in entry["description"] for entry in entries)
    values = [field["value"] for entry in entries for field in entry["customFieldValues"] or []]
    assert {type(value) for value in values} == {type(None), str, int, float, bool, list}
    assert {rate["currency"] for entry in entries if (rate := entry["hourlyRate"])} >= {"EUR", "USD", "JPY"}
    assert any(
        entry["timeInterval"]["end"] and entry["timeInterval"]["end"][:10] > start[:10]
        for entry, start in zip(entries, starts, strict=True)
    )
    assert any(entry["projectId"] is None and entry["type"] == "REGULAR" for entry in entries)
    for rows in (built.projects, built.clients, built.tags):
        assert {row["archived"] for row in rows} == {True, False}
    assert any(project["clientId"] == "" for project in built.projects)
    assert any(project["budgetEstimate"] for project in built.projects)
    assert any(not tasks for tasks in built.tasks.values())


def test_people_work_by_day_in_their_own_zone() -> None:
    """A generator that books office hours in UTC looks right for half of the members only."""
    built = build_workspace(today=TODAY, entries=6000)
    for user in built.users[:14]:
        zone = ZoneInfo(user["settings"]["timeZone"]) if user["settings"] else dt.UTC
        begun = [
            dt.datetime.fromisoformat(entry["timeInterval"]["start"]).astimezone(zone) for entry in built.time_entries[user["id"]]
        ]
        asleep = [start for start in begun if 3 <= start.hour < 7]
        assert len(asleep) <= 0.1 * len(begun)


def test_holidays_follow_easter_and_the_calendar() -> None:
    assert [easter(year) for year in (2024, 2025, 2026)] == [
        dt.date(2024, 3, 31),
        dt.date(2025, 4, 20),
        dt.date(2026, 4, 5),
    ]
    assert holidays("DE", 2026)[dt.date(2026, 4, 3)] == "Karfreitag"
    assert all(holidays(place, year) for place in PLACES for year in range(2020, 2031))
