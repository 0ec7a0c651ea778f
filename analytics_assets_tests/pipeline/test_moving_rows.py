"""Rows that move between two lists while both are read, and lists that come back empty for once: nothing is "deleted"."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from analytics_assets.demo.behaviour import RequestSeen
from analytics_assets.demo.faults import Fault
from analytics_assets.source.columns import ResourceName
from analytics_assets_tests.rig import Rig
from analytics_assets_tests.tiny import entry_of


def once_before(rig: Rig, resource: ResourceName, parent_id: str, action: Callable[[], object]) -> None:
    """Do something right before the first list of a parent is answered; lists are read one after the other."""
    rig.limits = replace(rig.limits, concurrency=1)
    rig.server.log.clear()
    done: list[str] = []

    def before_answer(request: RequestSeen) -> None:
        if request.resource == resource and request.parent_id == parent_id and not done:
            done.append(parent_id)
            action()

    rig.server.behaviour.before_answer = before_answer


def test_an_entry_that_moves_to_a_list_that_was_read_already_is_not_taken_for_deleted(tiny: Rig) -> None:
    """It was not yet in the one list and no longer in the other, though it existed all the time."""
    tiny.sync()
    first, *_, last = (user["id"] for user in tiny.workspace.users)
    moved = entry_of(tiny.workspace, "Chi", 1)["id"]
    once_before(tiny, "time_entries", last, lambda: tiny.workspace.edit("time_entries", moved, userId=first))
    tiny.sync()
    tiny.assert_equals_api()
    assert tiny.changes("time_entries") == {moved: ["edited"]}
    assert tiny.rows("time_entries")[moved]["_users_id"] == first


def test_a_task_that_moves_to_a_project_that_was_read_already_is_not_taken_for_deleted(tiny: Rig) -> None:
    tiny.sync()
    first, *_, last = (project["id"] for project in tiny.workspace.projects)
    moved = tiny.workspace.tasks[last][0]["id"]
    once_before(tiny, "tasks", last, lambda: tiny.workspace.edit("tasks", moved, projectId=first))
    tiny.sync()
    tiny.assert_equals_api()
    assert tiny.changes("tasks") == {moved: ["edited"]}


def test_a_row_that_moves_away_from_a_list_while_that_is_read_again_is_found_too(tiny: Rig) -> None:
    tiny.sync()
    first, second, last = (user["id"] for user in tiny.workspace.users)
    one, other = entry_of(tiny.workspace, "Chi", 1)["id"], entry_of(tiny.workspace, "Ada", 1)["id"]
    asked: list[str] = []

    def move(request: RequestSeen) -> None:
        if request.resource != "time_entries":
            return
        asked.append(str(request.parent_id))
        if asked.count(last) == 1 and asked[-1] == last:
            tiny.workspace.edit("time_entries", one, userId=first)
        if asked.count(first) == 2 and asked[-1] == first:
            tiny.workspace.edit("time_entries", other, userId=second)

    tiny.limits = replace(tiny.limits, concurrency=1)
    tiny.server.behaviour.before_answer = move
    tiny.sync()
    tiny.assert_equals_api()
    assert {change for changes in tiny.changes("time_entries").values() for change in changes} == {"edited"}


def test_verify_does_not_report_a_row_that_moves_while_it_reads(tiny: Rig) -> None:
    tiny.sync()
    first, *_, last = (user["id"] for user in tiny.workspace.users)
    moved = entry_of(tiny.workspace, "Chi", 1)["id"]
    once_before(tiny, "time_entries", last, lambda: tiny.workspace.edit("time_entries", moved, userId=first))
    found = tiny.verify()
    assert (found.differences["time_entries"].extra, found.differences["time_entries"].different) == (0, 1)


def test_a_deletion_is_believed_after_the_lists_that_could_have_received_the_row_were_read_again(tiny: Rig) -> None:
    tiny.sync()
    gone = entry_of(tiny.workspace, "Chi", 1)["id"]
    tiny.workspace.delete("time_entries", gone)
    tiny.limits = replace(tiny.limits, concurrency=1)
    tiny.server.log.clear()
    tiny.sync()
    tiny.assert_equals_api()
    assert tiny.changes("time_entries") == {gone: ["deleted"]}
    lists = [request.parent_id for request in tiny.asked("time_entries")]
    assert lists == [user["id"] for user in tiny.workspace.users] + [user["id"] for user in tiny.workspace.users[:2]]


def test_a_quiet_sync_reads_no_list_twice(tiny: Rig) -> None:
    tiny.sync()
    tiny.server.log.clear()
    tiny.sync()
    assert len(tiny.asked("time_entries")) == len(tiny.workspace.users)


@pytest.mark.parametrize("resource", ["users", "projects", "clients", "tags", "user_groups", "time_entries", "tasks"])
def test_a_list_that_is_empty_for_once_deletes_nothing(tiny: Rig, resource: ResourceName) -> None:
    """Some servers answer 200 with an empty list while they are ill; every row of it was counted as deleted."""
    tiny.sync()
    before = tiny.contents()
    tiny.server.faults.add(Fault("other_json", resource, value={"data": []}))
    tiny.sync()
    assert tiny.contents() == before
    tiny.assert_equals_api()
