"""Rows that two lists hold: because they moved while both were read, or because the API shows them in both."""

from dataclasses import replace
from typing import Final

import pytest

from analytics_assets.demo.behaviour import RequestSeen
from analytics_assets.demo.records import Record
from analytics_assets.source.columns import TABLES, ResourceName
from analytics_assets_tests.rig import Rig
from analytics_assets_tests.tiny import entry_of, only_entries

NAMES_PARENT: Final[dict[ResourceName, str]] = {"time_entries": "userId", "tasks": "projectId"}


def parents_of(rig: Rig, resource: ResourceName) -> list[Record]:
    """The members or projects, in the order in which their lists are read."""
    return rig.workspace.users if resource == "time_entries" else rig.workspace.projects


def share(rig: Rig, resource: ResourceName, *, named: tuple[str | None, str | None]) -> tuple[str, str, str]:
    """Show a row of the first parent in the list of the second too, in other words; returns its id and both parents.

    `named` says which parent the row names in the one list and in the other.
    """
    first, second = (str(parent["id"]) for parent in parents_of(rig, resource)[:2])
    lists = rig.workspace.time_entries if resource == "time_entries" else rig.workspace.tasks
    own, other = ({"first": first, "second": second}.get(name or "") for name in named)
    text = "description" if resource == "time_entries" else "name"
    row = lists[first][0]
    lists[first][0] = {**row, NAMES_PARENT[resource]: own}
    lists[second].append({**row, NAMES_PARENT[resource]: other, text: "in other words"})
    rig.workspace.changed()
    return str(row["id"]), first, second


@pytest.mark.parametrize("resource", ["time_entries", "tasks"])
@pytest.mark.parametrize(
    ("named", "counts", "readings"),
    [
        (("first", "first"), "first", 1),
        (("second", "second"), "second", 1),
        (("first", "second"), "first", 2),
        (("second", "first"), "first", 2),
        ((None, "second"), "second", 2),
        ((None, None), "first", 2),
    ],
)
def test_of_a_row_that_the_api_shows_in_two_lists_the_same_one_counts_in_every_reading(
    tiny: Rig, resource: ResourceName, named: tuple[str | None, str | None], counts: str, readings: int
) -> None:
    """The list that was read last decided: two syncs of one state differed, verify said so, and the history told an edit."""
    shared, first, second = share(tiny, resource, named=named)
    tiny.limits = replace(tiny.limits, concurrency=1)
    tiny.sync(resources=[resource])
    assert tiny.rows(resource)[shared][str(TABLES[resource].parent_column)] == {"first": first, "second": second}[counts]
    before = tiny.contents()
    parents_of(tiny, resource).reverse()
    tiny.workspace.changed()
    tiny.server.log.clear()
    tiny.sync(resources=[resource])
    assert tiny.contents() == before
    lists = [str(request.parent_id) for request in tiny.asked(resource)]
    assert [lists.count(str(parent["id"])) for parent in reversed(parents_of(tiny, resource))] == [readings, readings, 1]
    tiny.sync()
    assert tiny.verify().unequal == []


@pytest.mark.parametrize("resource", ["time_entries", "tasks"])
def test_a_row_of_a_refused_list_is_not_edited_by_another_list_that_shows_it_too(tiny: Rig, resource: ResourceName) -> None:
    """Each refusal told two edits in the history that nobody had made, one there and one back."""
    shared, first, second = share(tiny, resource, named=("first", "first"))
    tiny.sync()
    before = tiny.contents()
    tiny.server.behaviour.refused_parents[first] = (403, 403)
    tiny.sync()
    assert tiny.contents() == before
    assert tiny.verify().unequal == []
    lists = tiny.workspace.time_entries if resource == "time_entries" else tiny.workspace.tasks
    lists[second] = [{**row, NAMES_PARENT[resource]: second} if row["id"] == shared else row for row in lists[second]]
    tiny.workspace.changed()
    tiny.sync()
    assert tiny.rows(resource)[shared][str(TABLES[resource].parent_column)] == second
    assert tiny.changes(resource) == {shared: ["edited"]}


def test_an_entry_that_moves_and_comes_back_while_lists_are_read_counts_where_it_is(tiny: Rig) -> None:
    """It was in Ada's list, then in Ben's, and counted as Ben's although it is Ada's again."""
    tiny.sync()
    ada, ben, chi = (str(user["id"]) for user in tiny.workspace.users)
    moved = entry_of(tiny.workspace, "Ada", 1)["id"]
    asked: list[str] = []

    def move(request: RequestSeen) -> None:
        if request.resource == "time_entries":
            asked.append(str(request.parent_id))
            if asked in ([ada, ben], [ada, ben, chi]):
                tiny.workspace.edit("time_entries", moved, userId=asked[-1] if len(asked) == 2 else ada)

    tiny.limits = replace(tiny.limits, concurrency=1)
    tiny.server.behaviour.before_answer = move
    tiny.sync(resources=only_entries())
    tiny.assert_equals_api(resources=only_entries())
    assert asked == [ada, ben, chi, ada, ben] and tiny.changes("time_entries") == {}


def test_a_row_that_goes_missing_while_lists_with_a_shared_one_are_read_again_is_looked_for(tiny: Rig) -> None:
    tiny.sync()
    ada, ben, chi = (str(user["id"]) for user in tiny.workspace.users)
    one, other = (entry_of(tiny.workspace, "Ada", back)["id"] for back in (1, 2))
    asked: list[str] = []

    def move(request: RequestSeen) -> None:
        if request.resource == "time_entries":
            asked.append(str(request.parent_id))
            if asked == [ada, ben]:
                tiny.workspace.edit("time_entries", one, userId=ben)
            if asked == [ada, ben, chi, ada]:
                tiny.workspace.edit("time_entries", other, userId=chi)

    tiny.limits = replace(tiny.limits, concurrency=1)
    tiny.server.behaviour.before_answer = move
    tiny.sync(resources=only_entries())
    tiny.assert_equals_api(resources=only_entries())
    assert tiny.changes("time_entries") == {one: ["edited"], other: ["edited"]}
