"""Rows that move between two lists while both are read, and lists that come back empty for once: nothing is "deleted"."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from analytics_assets.demo.behaviour import RequestSeen
from analytics_assets.demo.faults import Fault
from analytics_assets.demo.records import Record
from analytics_assets.source.columns import ResourceName
from analytics_assets.warehouse.connection import connection
from analytics_assets_tests.rig import Rig
from analytics_assets_tests.tiny import entry_of, iso, moment


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


@pytest.mark.parametrize("warehouse_has_its_rows", [True, False])
def test_a_list_that_is_empty_for_once_when_it_is_read_again_deletes_nothing(tiny: Rig, *, warehouse_has_its_rows: bool) -> None:
    """Lists that a missing row may have moved into were read again, and one empty answer sufficed to delete all of theirs."""
    ada, _, chi = (user["id"] for user in tiny.workspace.users)
    adas = list(tiny.workspace.time_entries[ada])
    if not warehouse_has_its_rows:
        tiny.workspace.time_entries[ada] = []
    tiny.workspace.changed()
    tiny.sync()
    tiny.workspace.time_entries[ada] = adas
    tiny.workspace.changed()
    gone = entry_of(tiny.workspace, "Chi", 1)["id"]
    tiny.workspace.delete("time_entries", gone)
    tiny.server.faults.add(Fault("other_json", "time_entries", ada, after=1, value={"data": []}))
    once_before(tiny, "time_entries", chi, lambda: None)
    tiny.sync()
    tiny.assert_equals_api()
    assert tiny.changes("time_entries") == {gone: ["deleted"]}


def move_to_the_first_month(rig: Rig, entry: Record) -> None:
    interval = {**entry["timeInterval"], "start": iso(moment(3, 7)), "end": None}
    rig.workspace.edit("time_entries", entry["id"], timeInterval=interval)


def requests_for(rig: Rig, parent_id: str) -> int:
    return sum(request.parent_id == parent_id and request.resource == "time_entries" for request in rig.server.log.seen)


def test_an_entry_that_is_moved_out_of_the_months_that_are_read_is_counted_where_it_is(tiny: Rig) -> None:
    """Its hours used to be in no month at all until the weekly sync of all history."""
    tiny.sync()
    moved = entry_of(tiny.workspace, "Ada", 0)
    move_to_the_first_month(tiny, moved)
    left_alone = entry_of(tiny.workspace, "Ada", 3)["id"]
    tiny.workspace.edit("time_entries", left_alone, description="edited in a month that was not asked for")
    tiny.limits = replace(tiny.limits, concurrency=1)
    tiny.server.log.clear()
    tiny.routine_sync(lookback_months=1)
    assert tiny.changes("time_entries") == {moved["id"]: ["edited"]}
    assert tiny.rows("time_entries")[moved["id"]]["time_interval__start"] == moment(3, 7)
    assert tiny.rows("time_entries")[left_alone]["description"] == "Ada 3 0"
    ada, ben, chi = (user["id"] for user in tiny.workspace.users)
    assert [requests_for(tiny, member) for member in (ada, ben, chi)] == [2, 1, 1], (
        "only the list that lost a row is read as a whole"
    )


def test_an_entry_that_was_found_in_another_month_stays_found_when_its_list_is_read_once_more(tiny: Rig) -> None:
    """The third reading asked for the window alone, and what the second had found outside of it was taken for deleted."""
    tiny.sync()
    ada, _, chi = (user["id"] for user in tiny.workspace.users)
    moved, gone, passed_on = (entry_of(tiny.workspace, *which) for which in (("Ada", 0), ("Chi", 0), ("Chi", 0, 1)))
    move_to_the_first_month(tiny, moved)
    tiny.workspace.delete("time_entries", gone["id"])
    asked: list[str] = []

    def pass_on(request: RequestSeen) -> None:
        if request.resource == "time_entries":
            asked.append(str(request.parent_id))
            if asked[-1] == chi and asked.count(chi) == 2:  # after Ada's list was read as a whole, before that of Chi is
                tiny.workspace.edit("time_entries", passed_on["id"], userId=ada)

    tiny.limits = replace(tiny.limits, concurrency=1)
    tiny.server.behaviour.before_answer = pass_on
    tiny.routine_sync(lookback_months=1)
    assert asked.count(ada) == 3
    tiny.assert_equals_api()
    assert tiny.changes("time_entries") == {moved["id"]: ["edited"], gone["id"]: ["deleted"], passed_on["id"]: ["edited"]}


def test_an_entry_that_is_nowhere_is_deleted_after_one_look_at_all_of_its_list(tiny: Rig) -> None:
    tiny.sync()
    gone = entry_of(tiny.workspace, "Ben", 0)["id"]
    tiny.workspace.delete("time_entries", gone)
    tiny.routine_sync(lookback_months=1)
    tiny.assert_equals_api()
    assert tiny.changes("time_entries") == {gone: ["deleted"]}


def test_a_plan_of_few_requests_an_hour_does_not_pay_for_the_search(tiny: Rig) -> None:
    tiny.sync()
    moved = entry_of(tiny.workspace, "Ben", 0)
    move_to_the_first_month(tiny, moved)
    tiny.limits = replace(tiny.limits, requests_per_hour=1000)
    tiny.routine_sync(lookback_months=1)
    assert tiny.changes("time_entries") == {moved["id"]: ["deleted"]}
    tiny.sync()
    tiny.assert_equals_api()


def test_a_reader_in_the_same_process_does_not_keep_the_landing_attached(tiny: Rig) -> None:
    """Connections of a process to one file share what is attached; the second look for missing rows found it there."""
    tiny.sync()
    with connection(tiny.path, read_only=True):
        assert tiny.verify().differences["time_entries"].is_equal
