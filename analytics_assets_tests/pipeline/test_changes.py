"""What became of a row in the API becomes of it in the warehouse, and what it was before is kept in the history."""

import pytest

from analytics_assets.demo.faults import Fault
from analytics_assets.demo.records import Record
from analytics_assets.source.columns import ResourceName
from analytics_assets_tests.rig import Rig, Row
from analytics_assets_tests.tiny import MONTHS, entry_of, iso, moment, month, only_entries

MEMBERS_AND_HOURS: list[ResourceName] = ["users", "time_entries"]
USD: Record = {"amount": 1, "currency": "USD"}


def interval_at(back: int, day: int = 5) -> Record:
    start = moment(back, day)
    return {"start": iso(start), "end": iso(start.replace(hour=11)), "duration": "PT2H"}


def without_bookkeeping(row: Row) -> Row:
    return {column: value for column, value in row.items() if column not in ("_valid_to", "_change")}


def test_edits_of_every_table_arrive_and_the_history_keeps_each_row_as_it_was(tiny: Rig) -> None:
    workspace = tiny.workspace
    running = workspace.new_time_entry(workspace.users[0]["id"], moment(0, hour=0, minute=5))["id"]
    edits: dict[ResourceName, dict[str, Record]] = {
        "time_entries": {
            entry_of(workspace, "Ada", 1)["id"]: {"projectId": workspace.projects[2]["id"], "taskId": None},
            entry_of(workspace, "Ada", 1, 1)["id"]: {"description": "said otherwise"},
            entry_of(workspace, "Ben", 2)["id"]: {"tagIds": None},
            entry_of(workspace, "Ben", 2, 1)["id"]: {"hourlyRate": USD, "costRate": USD, "billable": True},
            entry_of(workspace, "Chi", 3)["id"]: {"timeInterval": interval_at(3, 2)},
            entry_of(workspace, "Chi", 3, 1)["id"]: {"hourlyRate": None, "isLocked": True, "type": "BREAK"},
            running: {
                "timeInterval": {"start": iso(moment(0, hour=0, minute=5)), "end": iso(moment(0, hour=1)), "duration": "PT55M"}
            },
        },
        "users": {workspace.users[1]["id"]: {"status": "DELETED", "settings": None, "name": None}},
        "projects": {workspace.projects[0]["id"]: {"archived": True, "budgetEstimate": {"estimate": 100, "type": "MANUAL"}}},
        "clients": {workspace.clients[0]["id"]: {"note": "", "ccEmails": ["a@b.c"]}},
        "tags": {workspace.tags[0]["id"]: {"name": "renamed"}},
        "user_groups": {workspace.user_groups[0]["id"]: {"userIds": []}},
        "tasks": {workspace.tasks[workspace.projects[0]["id"]][0]["id"]: {"status": "DONE", "duration": "PT1H"}},
    }
    tiny.sync()
    before = {resource: tiny.rows(resource) for resource in edits}
    for resource, changes in edits.items():
        for record_id, fields in changes.items():
            workspace.edit(resource, record_id, **fields)
    report = tiny.sync()
    tiny.assert_equals_api()
    for resource, changes in edits.items():
        assert tiny.changes(resource) == dict.fromkeys(changes, ["edited"])
        for old in tiny.history(resource):
            assert without_bookkeeping(old) == before[resource][old["id"]]
            assert old["_valid_to"] == tiny.rows(resource)[old["id"]]["_loaded_at"]
        published = report.published[resource]
        assert (published.new, published.changed, published.deleted) == (0, len(changes), 0)


def test_an_entry_that_moves_between_months_is_live_once_and_where_it_is_now(tiny: Rig) -> None:
    """A sync that only ever deletes within its months leaves the old copy; one that takes it for gone loses its hours."""
    workspace = tiny.workspace
    into, out = entry_of(workspace, "Ada", 3)["id"], entry_of(workspace, "Ada", 1)["id"]
    within, elsewhere = entry_of(workspace, "Ben", 1)["id"], entry_of(workspace, "Ben", 3)["id"]
    tiny.sync(resources=only_entries())
    untouched = tiny.rows("time_entries")[elsewhere]
    for entry, back in ((into, 1), (out, 2), (within, 1), (elsewhere, 2)):
        workspace.edit("time_entries", entry, timeInterval=interval_at(back))
    covered = str(month(1))
    tiny.sync(covered, covered, only_entries())
    tiny.assert_equals_api(covered, covered, resources=only_entries())
    rows = tiny.rows("time_entries")
    assert rows[into]["time_interval__start"] == rows[within]["time_interval__start"] == moment(1, 5)
    assert rows[out]["time_interval__start"] == moment(2, 5) and rows[elsewhere] == untouched
    assert tiny.changes("time_entries") == {into: ["edited"], out: ["edited"], within: ["edited"]}
    tiny.sync(str(month(3)), str(month(2)), only_entries())
    tiny.assert_equals_api(resources=only_entries())
    assert tiny.changes("time_entries") == {into: ["edited"], out: ["edited"], within: ["edited"], elsewhere: ["edited"]}


def test_an_entry_that_moves_to_another_member_moves_and_is_neither_lost_nor_doubled(tiny: Rig) -> None:
    workspace = tiny.workspace
    first, last = entry_of(workspace, "Ada", 1)["id"], entry_of(workspace, "Chi", 1)["id"]
    tiny.sync(resources=only_entries())
    workspace.edit("time_entries", first, userId=workspace.users[2]["id"])
    workspace.edit("time_entries", last, userId=workspace.users[0]["id"], description="moved and edited")
    tiny.sync(str(month(1)), str(month(1)), only_entries())
    tiny.assert_equals_api(resources=only_entries())
    assert tiny.changes("time_entries") == {first: ["edited"], last: ["edited"]}
    assert tiny.rows("time_entries")[first]["_users_id"] == workspace.users[2]["id"]
    workspace.delete("time_entries", first)
    tiny.sync(str(month(1)), str(month(1)), only_entries())
    assert first not in tiny.rows("time_entries"), "an entry that had moved could not be deleted any more"


def test_a_month_that_lost_all_its_entries_is_empty_after_its_sync(tiny: Rig) -> None:
    """An empty answer loads no row, and a merge that loads no row deletes none either."""
    workspace = tiny.workspace
    tiny.sync(resources=only_entries())
    gone = [e["id"] for e in workspace.records("time_entries") if e["timeInterval"]["start"].startswith(str(month(2)))]
    for entry in gone:
        workspace.delete("time_entries", entry)
    tiny.sync(str(month(2)), str(month(2)), only_entries())
    tiny.assert_equals_api(resources=only_entries())
    assert len(gone) == 6 and tiny.changes("time_entries") == dict.fromkeys(gone, ["deleted"])
    for entry in [e["id"] for e in workspace.records("time_entries")]:
        workspace.delete("time_entries", entry)
    tiny.sync(resources=only_entries())
    assert tiny.rows("time_entries") == {} and len(tiny.history("time_entries")) == 6 * MONTHS


def test_rows_that_vanish_and_return_are_deleted_and_live_again_and_the_history_tells_it(tiny: Rig) -> None:
    workspace = tiny.workspace
    victims: dict[ResourceName, Record] = {
        "users": workspace.users[2],
        "clients": workspace.clients[0],
        "tags": workspace.tags[0],
        "user_groups": workspace.user_groups[0],
        "tasks": workspace.tasks[workspace.projects[0]["id"]][0],
        "time_entries": entry_of(workspace, "Ada", 1),
    }
    tiny.sync()
    for resource, record in victims.items():
        workspace.delete(resource, record["id"])
    tiny.sync()
    for resource, record in victims.items():
        assert record["id"] not in tiny.rows(resource)
        assert tiny.changes(resource) == {record["id"]: ["deleted"]}
        workspace.add(resource, {**record, "name": "back"} if resource != "time_entries" else {**record, "description": "back"})
    tiny.sync()
    tiny.assert_equals_api()
    for resource, record in victims.items():
        assert tiny.changes(resource) == {record["id"]: ["deleted"]}
        (was,) = tiny.history(resource)
        assert was["_loaded_at"] < was["_valid_to"] < tiny.rows(resource)[record["id"]]["_loaded_at"]


def test_deleting_a_tag_a_task_and_a_client_rewrites_old_entries_and_projects(tiny: Rig) -> None:
    workspace = tiny.workspace
    tiny.sync()
    workspace.delete("tags", workspace.tags[0]["id"], rewrite=True)
    workspace.delete("tasks", workspace.tasks[workspace.projects[1]["id"]][0]["id"], rewrite=True)
    workspace.delete("clients", workspace.clients[2]["id"], rewrite=True)
    tiny.sync()
    tiny.assert_equals_api()
    assert len(tiny.history("time_entries")) == 6 * MONTHS


def test_the_hours_of_a_member_who_left_stay_until_the_member_returns(tiny: Rig) -> None:
    """Listing as deleted what is no longer listed would erase what was worked and billed."""
    workspace = tiny.workspace
    leaver = workspace.users[0]
    edited, deleted = entry_of(workspace, "Ada", 1)["id"], entry_of(workspace, "Ada", 2)["id"]
    tiny.sync(resources=MEMBERS_AND_HOURS)
    before = tiny.rows("time_entries")
    workspace.delete("users", leaver["id"])
    workspace.edit("time_entries", edited, description="nobody can see this")
    workspace.delete("time_entries", deleted)
    tiny.sync(resources=MEMBERS_AND_HOURS)
    assert tiny.rows("time_entries") == before and tiny.history("time_entries") == []
    assert tiny.changes("users") == {leaver["id"]: ["deleted"]}
    tiny.assert_equals_api(resources=["users"])
    workspace.add("users", leaver)
    tiny.sync(resources=MEMBERS_AND_HOURS)
    tiny.assert_equals_api(resources=MEMBERS_AND_HOURS)
    assert tiny.changes("time_entries") == {edited: ["edited"], deleted: ["deleted"]}


def test_refused_lists_of_members_are_skipped_named_and_neither_updated_nor_deleted(tiny: Rig) -> None:
    workspace = tiny.workspace
    seen = workspace.new("users", name="Dee")
    workspace.new_time_entry(seen["id"], moment(1), moment(1, hour=10), description="Dee 1 0")
    tiny.sync(resources=only_entries())
    before = tiny.rows("time_entries")
    refusals = {
        user["id"]: refusal for user, refusal in zip(workspace.users[:3], ((400, 501), (403, 403), (404, 404)), strict=True)
    }
    tiny.server.behaviour.refused_parents = dict(refusals)
    for name in ("Ada", "Ben", "Chi", "Dee"):
        workspace.edit("time_entries", entry_of(workspace, name, 1)["id"], billable=True)
    for name in ("Ada", "Ben", "Chi"):
        workspace.delete("time_entries", entry_of(workspace, name, 2)["id"])
    tiny.sync(resources=only_entries())
    rows = tiny.rows("time_entries")
    assert {entry: row for entry, row in rows.items() if row["user_id"] != seen["id"]} == {
        entry: row for entry, row in before.items() if row["user_id"] != seen["id"]
    }
    tiny.assert_equals_api(resources=only_entries(), keep_entries_of=refusals)
    refused = tiny.recorder.resources["time_entries"].refused
    assert {user: reason[:3] for user, reason in refused.items()} == {user: str(status) for user, (status, _) in refusals.items()}
    assert all(f"Not allowed: {user}, code {refusals[user][1]}" in reason for user, reason in refused.items())
    tiny.server.behaviour.refused_parents = {}
    tiny.sync(resources=only_entries())
    tiny.assert_equals_api(resources=only_entries())


def test_a_sync_says_of_which_members_it_has_not_read_the_entries(tiny: Rig) -> None:
    """Whether an entry was added late was judged by readings that had not reached its member's list."""
    ada, ben, chi = (user["id"] for user in tiny.workspace.users)
    tiny.sync(resources=MEMBERS_AND_HOURS)
    tiny.server.behaviour.refused_parents = {ben: (403, 403)}
    tiny.workspace.delete("users", chi)
    tiny.sync(resources=MEMBERS_AND_HOURS)
    dee = tiny.workspace.new("users", name="Dee")["id"]
    tiny.server.behaviour.refused_parents = {dee: (403, 403)}
    tiny.sync(resources=only_entries())
    said = tiny.query("SELECT resource, lists_not_read FROM raw._publications ORDER BY published_at, resource")
    assert [lists for resource, lists in said if resource == "time_entries"] == [[], sorted([ben, chi]), sorted([chi, dee])]
    assert {lists for resource, lists in said if resource != "time_entries"} == {None}
    assert ada not in {member for _, lists in said for member in lists or ()}


def test_tasks_of_a_project_that_is_gone_are_deleted_and_those_of_a_refused_one_are_kept(tiny: Rig) -> None:
    workspace = tiny.workspace
    gone, refused, readable = (project["id"] for project in workspace.projects)
    tasks = {project: [task["id"] for task in workspace.tasks[project]] for project in (gone, refused, readable)}
    tiny.sync(resources=["projects", "tasks"])
    before = tiny.rows("tasks")
    kept = dict(workspace.tasks)
    project = workspace.delete("projects", gone)
    tiny.server.behaviour.refused_parents = {refused: (404, 404)}
    workspace.edit("tasks", tasks[refused][0], name="unseen")
    workspace.delete("tasks", tasks[refused][1])
    workspace.edit("tasks", tasks[readable][0], name="seen")
    workspace.delete("tasks", tasks[readable][1])
    tiny.sync(resources=["tasks"])
    rows = tiny.rows("tasks")
    assert set(rows) == {*tasks[refused], tasks[readable][0]}
    assert all(rows[task] == before[task] for task in tasks[refused]) and rows[tasks[readable][0]]["name"] == "seen"
    assert tiny.changes("tasks") == {
        tasks[gone][0]: ["deleted"],
        tasks[gone][1]: ["deleted"],
        tasks[readable][0]: ["edited"],
        tasks[readable][1]: ["deleted"],
    }
    assert gone in tiny.rows("projects"), "a sync of tasks alone changed the projects"
    workspace.add("projects", project)
    workspace.tasks[gone] = kept[gone]
    tiny.server.behaviour.refused_parents = {}
    tiny.sync(resources=["projects", "tasks"])
    tiny.assert_equals_api(resources=["projects", "tasks"])


@pytest.mark.parametrize("resource", ["time_entries", "tasks"])
def test_a_list_that_is_refused_on_its_second_page_says_nothing_about_its_rows(tiny: Rig, resource: ResourceName) -> None:
    """The first page was read; taken for the whole list it would delete what stood on the others."""
    workspace = tiny.workspace
    parent = (workspace.users if resource == "time_entries" else workspace.projects)[1]["id"]
    tiny.sync(resources=[resource])
    before = tiny.rows(resource)
    tiny.server.faults.add(Fault("status", resource, parent, page=2, times=None, status=403))
    tiny.page_size = 1
    first = workspace.listing(resource, parent).rows[0]["id"]
    workspace.edit(resource, first, costRate=USD)
    tiny.sync(resources=[resource])
    assert tiny.rows(resource) == before
    assert list(tiny.recorder.resources[resource].refused) == [parent]
