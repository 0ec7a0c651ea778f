"""Rows that move between pages while the pages are read: nothing is lost, nothing is taken for deleted.

The servers here change the list just before they answer a page, as busy workspaces do. A reader that goes through
the pages once misses the row that a deletion moved one page forward, and then deletes it in the warehouse.
"""

import time
from collections.abc import Callable

import pytest

from analytics_assets.demo.behaviour import RequestSeen
from analytics_assets.demo.faults import Fault
from analytics_assets.demo.workspace import Workspace
from analytics_assets.source.columns import RESOURCE_NAMES, ResourceName
from analytics_assets_tests.rig import Rig
from analytics_assets_tests.tiny import moment, only_entries

PAGE_SIZE = 3
Shift = Callable[[Workspace, int], str | None]


def insert_newest(workspace: Workspace, turn: int) -> None:
    workspace.new_time_entry(workspace.users[0]["id"], moment(0, hour=1, minute=turn))


def delete_newest(workspace: Workspace, turn: int) -> str:
    return str(workspace.delete("time_entries", workspace.listing("time_entries", workspace.users[0]["id"]).rows[0]["id"])["id"])


def swap_newest(workspace: Workspace, turn: int) -> str:
    insert_newest(workspace, turn)
    newest_but_one = workspace.listing("time_entries", workspace.users[0]["id"]).rows[1]
    return str(workspace.delete("time_entries", newest_but_one["id"])["id"])


def oldest_becomes_newest(workspace: Workspace, turn: int) -> str:
    """The edit that moves a row from a page not yet read to one that was read, while another one goes."""
    rows = workspace.listing("time_entries", workspace.users[0]["id"]).rows
    start = moment(0, hour=2, minute=turn)
    workspace.edit(
        "time_entries", rows[-1]["id"], timeInterval={"start": f"{start:%Y-%m-%dT%H:%M:%SZ}", "end": None, "duration": None}
    )
    return delete_newest_but_one(workspace)


def delete_newest_but_one(workspace: Workspace) -> str:
    rows = workspace.listing("time_entries", workspace.users[0]["id"]).rows
    return str(workspace.delete("time_entries", rows[1]["id"])["id"])


def shift_before_later_pages(rig: Rig, shift: Shift, *, turns: int, last_turn_page: int = 2) -> list[str]:
    """Shift the first member's list before each of the next `turns` answers of a later page; the deleted ids."""
    deleted: list[str] = []
    done = 0

    def before_answer(request: RequestSeen) -> None:
        nonlocal done
        later = request.resource == "time_entries" and (request.page or 1) >= last_turn_page
        if later and request.parent_id == rig.workspace.users[0]["id"] and done < turns:
            done += 1
            gone = shift(rig.workspace, done)
            if gone:
                deleted.append(gone)

    rig.server.behaviour.before_answer = before_answer
    return deleted


@pytest.mark.parametrize("turns", [1, 4])
@pytest.mark.parametrize("shift", [insert_newest, delete_newest, swap_newest, oldest_becomes_newest])
def test_a_list_that_shifts_while_it_is_read_is_read_until_it_stands_still(tiny: Rig, shift: Shift, turns: int) -> None:
    tiny.page_size = PAGE_SIZE
    for number in range(6):
        tiny.workspace.new_time_entry(tiny.workspace.users[0]["id"], moment(1, 10 + number))
    shift_before_later_pages(tiny, shift, turns=turns)
    tiny.assert_reads_the_api("time_entries")


def test_rows_that_are_imported_while_a_list_is_read_are_no_fault_of_the_server(tiny: Rig) -> None:
    """Two pages of new rows pushed those that were read to the next two pages: it was said that the server ignores `page`."""
    tiny.page_size = PAGE_SIZE
    for number in range(9):
        tiny.workspace.new_time_entry(tiny.workspace.users[0]["id"], moment(1, 10 + number))

    def import_two_pages(workspace: Workspace, turn: int) -> None:
        for number in range(2 * PAGE_SIZE):
            insert_newest(workspace, number)

    shift_before_later_pages(tiny, import_two_pages, turns=1, last_turn_page=3)
    tiny.assert_reads_the_api("time_entries")


def test_a_deletion_between_pages_deletes_nothing_else_in_the_warehouse(tiny: Rig) -> None:
    tiny.page_size = PAGE_SIZE
    tiny.sync(resources=only_entries())
    deleted = shift_before_later_pages(tiny, delete_newest, turns=3)
    tiny.sync(resources=only_entries())
    tiny.assert_equals_api(resources=only_entries())
    assert len(deleted) == 3 and tiny.changes("time_entries") == {entry: ["deleted"] for entry in deleted}


def test_a_row_that_is_edited_between_two_passes_carries_its_latest_value(tiny: Rig) -> None:
    tiny.page_size = PAGE_SIZE
    ada = tiny.workspace.users[0]["id"]
    oldest = tiny.workspace.listing("time_entries", ada).rows[-1]["id"]

    def before_answer(request: RequestSeen) -> None:
        if request.parent_id == ada and request.page == 1:
            tiny.workspace.edit("time_entries", oldest, description=f"edit {len(tiny.asked('time_entries', ada, 1))}")

    tiny.server.behaviour.before_answer = before_answer
    assert tiny.read("time_entries")[oldest]["description"] == "edit 2"


@pytest.mark.parametrize("turns", [1, 5])
def test_parents_that_come_and_go_between_pages_are_each_asked_for_their_entries_once(tiny: Rig, turns: int) -> None:
    workspace = tiny.workspace
    tiny.page_size = 2
    for number in range(5):
        member = workspace.new("users", name=f"Member {number}")
        workspace.new_time_entry(member["id"], moment(1, 3 + number), moment(1, 3 + number, 10))
    for user in workspace.users[:3]:
        for entry in workspace.listing("time_entries", user["id"]).rows[1:]:
            workspace.delete("time_entries", entry["id"])
    tiny.sync(resources=["users", "time_entries"])
    left: list[str] = []

    def before_answer(request: RequestSeen) -> None:
        if request.resource == "users" and request.page == 2 and len(left) < turns:
            left.append(workspace.delete("users", workspace.users[0]["id"])["id"])
            joined = workspace.new("users", name=f"Joined {len(left)}")
            workspace.new_time_entry(joined["id"], moment(1, 20), None)

    tiny.server.behaviour.before_answer = before_answer
    tiny.server.log.clear()
    tiny.sync(resources=["users", "time_entries"])
    tiny.assert_equals_api(resources=["users"])
    tiny.assert_equals_api(resources=only_entries(), keep_entries_of=left)
    assert tiny.changes("users") == dict.fromkeys(left, ["deleted"])
    assert tiny.history("time_entries") == [], "the hours of a member who left while reading were deleted"
    asked = [request.parent_id for request in tiny.asked("time_entries")]
    assert len(asked) == len(set(asked)) and {user["id"] for user in workspace.users} <= set(asked)


def test_tasks_of_a_project_that_goes_while_it_is_read_go_with_it(tiny: Rig) -> None:
    """Its tasks are asked for, refused with 400, and would live on as those of a project that could not be read."""
    workspace = tiny.workspace
    tiny.page_size = 2
    tiny.sync(resources=["projects", "tasks"])
    gone: list[str] = []

    def before_answer(request: RequestSeen) -> None:
        if request.resource == "projects" and request.page == 2 and not gone:
            gone.append(workspace.delete("projects", workspace.projects[0]["id"], rewrite=True)["id"])

    tiny.server.behaviour.before_answer = before_answer
    tiny.sync(resources=["projects", "tasks"])
    tiny.assert_equals_api(resources=["projects", "tasks"])


@pytest.mark.parametrize("resource", ["users", "time_entries"])
def test_a_list_that_never_stands_still_ends_the_sync_and_says_so(tiny: Rig, resource: ResourceName) -> None:
    tiny.page_size = 2
    tiny.sync(resources=["users", "time_entries"])

    def before_answer(request: RequestSeen) -> None:
        if request.resource == resource and request.page == 2:
            if resource == "users":
                tiny.workspace.new("users", name="another")
                tiny.workspace.delete("users", tiny.workspace.users[0]["id"])
            elif request.parent_id == tiny.workspace.users[0]["id"]:
                swap_newest(tiny.workspace, len(tiny.asked(resource)) % 60)

    tiny.server.behaviour.before_answer = before_answer
    tiny.server.log.clear()
    sentence = tiny.failing_sync(resources=["users", "time_entries"])
    assert "the list changed each of the 8 times it was read" in sentence and "ANALYTICS_PAGE_SIZE" in sentence
    first_pages = tiny.asked(resource, None if resource == "users" else tiny.workspace.users[0]["id"], page=1)
    assert len(first_pages) == 8


def test_quiet_lists_of_several_pages_are_read_twice_and_those_of_one_page_once(tiny: Rig) -> None:
    tiny.page_size = PAGE_SIZE
    tiny.workspace.delete("clients", tiny.workspace.clients[0]["id"])
    tiny.server.log.clear()
    tiny.sync(resources=RESOURCE_NAMES)
    tiny.assert_equals_api()
    lists: tuple[ResourceName, ...] = ("clients", "time_entries")
    pages = {
        resource: [
            request.page
            for request in tiny.asked(resource, tiny.workspace.users[0]["id"] if resource == "time_entries" else None)
        ]
        for resource in lists
    }
    assert pages == {"clients": [1], "time_entries": [1, 2, 3, 1, 2, 3]}
    assert tiny.recorder.resources["time_entries"].rows == len(tiny.workspace.records("time_entries"))


@pytest.mark.parametrize("rows_behind", [1, 2])
def test_a_list_whose_first_page_calls_itself_the_last_and_is_not_is_read_until_it_stands_still(
    tiny: Rig, rows_behind: int
) -> None:
    """Its two pages counted as one answer, and the row that a deletion moved from the second to the first was lost.

    Where that row was the only one behind the first page, the second page was empty and seemed to prove the header right.
    """
    if rows_behind == 2:
        tiny.workspace.new("clients", name="One more")
    tiny.sync()
    tiny.page_size = 2
    tiny.server.reset()
    tiny.server.faults.add(Fault("last_page", "clients", page=1, value=True, times=None))
    gone = tiny.workspace.clients[0]["id"]

    def before_answer(request: RequestSeen) -> None:
        if request.resource == "clients" and request.page == 2 and len(tiny.asked("clients", page=2)) == 1:
            tiny.workspace.delete("clients", gone)

    tiny.server.behaviour.before_answer = before_answer
    tiny.sync(resources=["clients"])
    tiny.assert_equals_api(resources=["clients"])
    assert tiny.changes("clients") == {gone: ["deleted"]}


def test_a_list_counts_as_read_from_when_it_was_looked_at_behind_its_last_page(tiny: Rig) -> None:
    """The second pass ends without that look: a row that had moved there since the first was not looked for, and "deleted"."""
    tiny.server.behaviour.send_last_page = False
    looked_at: list[float] = []

    def before_answer(request: RequestSeen) -> None:
        if request.resource == "clients" and request.page == 2:
            looked_at.append(time.monotonic())

    tiny.server.behaviour.before_answer = before_answer
    tiny.read("clients")
    began, _ = tiny.recorder.resources["clients"].times_of_list[""]
    assert len(looked_at) == 1 and began < looked_at[0]
