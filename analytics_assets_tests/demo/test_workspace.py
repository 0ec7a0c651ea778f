"""Changes to the workspace: each is seen by the next request, and by nobody's older copy."""

import datetime as dt
import threading

import pytest

from analytics_assets.demo.records import RESOURCE_NAMES, ResourceName, default_record, interval, sort_key
from analytics_assets.demo.workspace import Workspace
from analytics_assets_tests.demo.conftest import Asker


def test_an_added_record_is_served_by_the_next_request(api: Asker, workspace: Workspace) -> None:
    before = api.rows("tags", page_size=5000)
    tag = workspace.new("tags", name="new one")
    assert api.rows("tags", page_size=5000) == [*before, tag]


def test_an_edited_record_is_served_anew_and_the_old_reference_stays_as_it_was(api: Asker, workspace: Workspace) -> None:
    project = workspace.projects[0]
    api.rows("projects")
    workspace.edit("projects", project["id"], name="Renamed", clientId="")
    assert project["name"] != "Renamed"
    assert api.rows("projects")[0] == {**project, "name": "Renamed", "clientId": ""}


def test_a_deleted_record_is_gone_from_the_next_request(api: Asker, workspace: Workspace, user_id: str) -> None:
    first = api.rows("time_entries", user_id)[0]
    assert workspace.delete("time_entries", first["id"]) == first
    assert first not in api.rows("time_entries", user_id, page_size=5000)
    with pytest.raises(KeyError, match=first["id"]):
        workspace.find("time_entries", first["id"])


def test_an_entry_whose_start_changes_moves_to_its_place(api: Asker, workspace: Workspace, user_id: str) -> None:
    last = api.rows("time_entries", user_id, page_size=5000)[-1]
    moved = workspace.edit("time_entries", last["id"], timeInterval=interval("2030-01-01T00:00:00Z", None))
    assert api.rows("time_entries", user_id)[0] == moved


def test_an_entry_whose_member_changes_moves_to_the_other_list(api: Asker, workspace: Workspace, user_id: str) -> None:
    other = workspace.new("users", name="Other")["id"]
    entry = api.rows("time_entries", user_id)[0]
    workspace.edit("time_entries", entry["id"], userId=other)
    assert entry["id"] not in [row["id"] for row in api.rows("time_entries", user_id, page_size=5000)]
    assert api.rows("time_entries", other) == [{**entry, "userId": other}]
    assert workspace.find("time_entries", entry["id"])["userId"] == other


def test_a_task_whose_project_changes_moves_to_the_other_list(api: Asker, workspace: Workspace) -> None:
    project = workspace.new("projects")["id"]
    task = workspace.new("tasks", workspace.projects[0]["id"])
    workspace.edit("tasks", task["id"], projectId=project)
    assert api.rows("tasks", project) == [{**task, "projectId": project}]


def test_a_new_entry_is_full_and_knows_its_duration(api: Asker, workspace: Workspace) -> None:
    user = workspace.new("users")["id"]
    zone = dt.timezone(dt.timedelta(hours=2))
    start = dt.datetime(2026, 5, 1, 8, tzinfo=zone)
    entry = workspace.new_time_entry(user, start, start + dt.timedelta(minutes=174), billable=True)
    assert list(entry) == list(default_record("time_entries", "", ""))
    assert entry["timeInterval"] == {
        "start": "2026-05-01T06:00:00Z",
        "end": "2026-05-01T08:54:00Z",
        "duration": "PT2H54M",
    }
    running = workspace.new_time_entry(user, "2026-05-02T08:00:00Z")
    assert running["timeInterval"] == {"start": "2026-05-02T08:00:00Z", "end": None, "duration": None}
    assert api.rows("time_entries", user) == [running, entry]


def test_entries_with_offsets_and_fractions_are_sorted_by_instant(workspace: Workspace) -> None:
    user = workspace.new("users")["id"]
    starts = ["2026-05-01T23:30:00Z", "2026-05-02T01:00:00+02:00", "2026-05-01T23:30:00.5Z", "not an instant"]
    for start in starts:
        workspace.new("time_entries", user, timeInterval={"start": start, "end": None, "duration": None})
    order = [row["timeInterval"]["start"] for row in workspace.time_entries[user]]
    assert order == [starts[2], starts[0], starts[1], starts[3]]
    assert sort_key(None) == ""


@pytest.mark.parametrize("resource", RESOURCE_NAMES)
def test_every_resource_can_be_added_found_edited_and_deleted(workspace: Workspace, resource: ResourceName) -> None:
    parents = {"time_entries": workspace.users[0]["id"], "tasks": workspace.projects[0]["id"]}
    record = workspace.new(resource, parents.get(resource))
    assert workspace.find(resource, record["id"]) is record
    workspace.edit(resource, record["id"], extra=1)
    assert workspace.find(resource, record["id"]) == {**record, "extra": 1}
    assert workspace.delete(resource, record["id"]) not in workspace.records(resource)


def test_deleting_with_rewrite_clears_what_referred_to_the_record(workspace: Workspace, user_id: str) -> None:
    entry = next(row for row in workspace.time_entries[user_id] if row["taskId"] and row["tagIds"])
    client = next(row["clientId"] for row in workspace.projects if row["clientId"])
    workspace.delete("tags", entry["tagIds"][0], rewrite=True)
    workspace.delete("tasks", entry["taskId"], rewrite=True)
    workspace.delete("clients", client, rewrite=True)
    after = workspace.find("time_entries", entry["id"])
    assert after == {**entry, "tagIds": entry["tagIds"][1:], "taskId": None}
    assert client not in [row["clientId"] for row in workspace.projects]
    workspace.delete("projects", entry["projectId"], rewrite=True)
    assert workspace.find("time_entries", entry["id"])["projectId"] is None
    assert entry["projectId"] not in workspace.tasks


def test_a_copy_does_not_see_later_changes(workspace: Workspace, user_id: str) -> None:
    copy, entry = workspace.copy(), workspace.time_entries[user_id][0]
    workspace.edit("time_entries", entry["id"], description="changed")
    workspace.delete("tags", workspace.tags[0]["id"])
    assert copy.find("time_entries", entry["id"]) == entry
    assert len(copy.tags) == len(workspace.tags) + 1
    assert copy.new_id() not in {row["id"] for row in copy.records("time_entries")}


def test_records_changed_directly_are_served_after_changed(api: Asker, workspace: Workspace) -> None:
    api.rows("tags")
    workspace.tags[0] = {**workspace.tags[0], "name": "directly"}
    workspace.changed()
    assert api.rows("tags")[0]["name"] == "directly"


def test_values_that_orjson_refuses_are_served_all_the_same(api: Asker, workspace: Workspace) -> None:
    workspace.new("tags", name="lone \ud800", size=2**70)
    assert api.rows("tags", page_size=5000)[-1]["size"] == 2**70


def test_threads_may_change_it_at_once(workspace: Workspace) -> None:
    user = workspace.new("users")["id"]

    def work() -> None:
        for _ in range(50):
            entry = workspace.new_time_entry(user, "2026-05-01T08:00:00Z")
            workspace.edit("time_entries", entry["id"], billable=True)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rows = workspace.listing("time_entries", user).rows
    assert len({row["id"] for row in rows}) == 200 and all(row["billable"] for row in rows)
