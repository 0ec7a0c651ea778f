"""What changes in the API between a sync that was stopped and the one that goes on is exact after it all the same."""

from dataclasses import replace

import pytest

from analytics_assets.demo.behaviour import RequestSeen
from analytics_assets.demo.faults import Fault
from analytics_assets.source.ceiling import Ceiling
from analytics_assets.warehouse.places import answers_folder
from analytics_assets_tests.pipeline.metered import GONE, USERS_AND_ENTRIES, kept_of, lists_asked, stop_at, users
from analytics_assets_tests.rig import Rig
from analytics_assets_tests.tiny import entry_of, month


def test_an_entry_that_moves_into_a_list_that_was_read_before_the_stop_is_not_taken_for_deleted(metered: Rig) -> None:
    """The answer of that list is used again after the other list was read, and is older all the same."""
    metered.sync()
    first, second, last = users(metered)
    stop_at(metered, last)
    kept_of(metered, first).unlink()
    moved = entry_of(metered.workspace, "Ada", 1)["id"]
    metered.workspace.edit("time_entries", moved, userId=second)
    metered.sync()
    assert lists_asked(metered) == {first, last, second}
    metered.assert_equals_api()
    assert metered.changes("time_entries") == {moved: ["edited"]}


def test_a_list_that_was_stopped_between_two_pages_is_read_until_two_passes_agree(metered: Rig) -> None:
    """The row in front of the second page is deleted meanwhile, and the first of that page moves forward."""
    metered.page_size = 2
    first = users(metered)[0]
    stop_at(metered, first, page=2)
    entries = [entry for entry in metered.workspace.records("time_entries") if entry["userId"] == first]
    assert len(entries) > 2
    metered.workspace.delete("time_entries", entries[0]["id"])
    metered.sync()
    metered.assert_equals_api()


def test_no_older_answer_comes_after_what_was_published_in_between(metered: Rig) -> None:
    first, *_, last = users(metered)
    metered.sync()
    stop_at(metered, last)
    edited = entry_of(metered.workspace, "Ada", 0)
    assert edited["userId"] == first
    metered.workspace.edit("time_entries", edited["id"], description="edited after it was read")
    metered.sync(first=str(month(0)), last=str(month(0)))
    metered.assert_equals_api()
    metered.sync()
    metered.assert_equals_api()


def test_a_row_that_moves_while_an_answer_is_on_its_way_is_not_taken_for_deleted(metered: Rig) -> None:
    """The list that it moves into is answered before, and that answer comes after the one of the list that it has left."""
    metered.sync()
    first, second, last = users(metered)
    moved = entry_of(metered.workspace, "Ben", 1)["id"]

    def move(request: RequestSeen) -> None:
        if request.parent_id == second:
            metered.workspace.edit("time_entries", moved, userId=first)

    metered.limits = replace(metered.limits, concurrency=2)
    metered.server.behaviour.before_answer = move
    metered.server.faults.add(Fault("delay", "time_entries", parent_id=first, pause_seconds=0.5))
    metered.server.faults.add(replace(GONE, resource="time_entries", parent_id=last, retry_after="0.4"))
    assert "answered 503" in metered.failing_sync(resources=USERS_AND_ENTRIES)
    metered.server.behaviour.before_answer = None
    metered.server.faults.clear()
    metered.sync(resources=USERS_AND_ENTRIES)
    metered.assert_equals_api()
    assert metered.changes("time_entries") == {moved: ["edited"]}


def stop_when_lists_are_read_again(rig: Rig) -> None:
    """A sync that misses an entry of the last list, reads the others again, and is out of reach of the API at the second."""
    first, second, last = users(rig)
    asked: list[str | None] = []

    def be_gone_after_the_first(request: RequestSeen) -> None:
        asked.append(request.parent_id)
        if asked.count(first) == 2:
            rig.server.faults.add(replace(GONE, resource="time_entries", parent_id=second))

    rig.workspace.delete("time_entries", entry_of(rig.workspace, "Chi", 1)["id"])
    rig.server.behaviour.before_answer = be_gone_after_the_first
    assert "answered 503" in rig.failing_sync(resources=USERS_AND_ENTRIES)
    assert asked[:6] == [None, first, second, last, first, second]
    rig.server.behaviour.before_answer = None
    rig.server.faults.clear()
    rig.server.log.clear()


def test_lists_that_were_read_again_before_the_stop_are_not_paid_for_a_third_time(metered: Rig) -> None:
    metered.sync()
    stop_when_lists_are_read_again(metered)
    metered.sync(resources=USERS_AND_ENTRIES)
    metered.assert_equals_api()
    assert lists_asked(metered) == {users(metered)[1]}


def test_a_row_that_moves_after_lists_were_read_again_is_not_taken_for_deleted(
    metered: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What these lists answered before the stop is too old to show where a row is that is missed after it."""
    metered.sync()
    monkeypatch.setattr(Ceiling, "left_in_hour", lambda _: 1)
    stop_when_lists_are_read_again(metered)
    first, _, last = users(metered)
    moved = entry_of(metered.workspace, "Chi", 2)["id"]
    metered.workspace.edit("time_entries", moved, userId=first)
    metered.sync(resources=USERS_AND_ENTRIES)
    assert last in lists_asked(metered), "the hour allows to ask for the last list anew"
    metered.assert_equals_api()
    assert metered.changes("time_entries")[moved] == ["edited"]


def test_what_was_published_without_forgetting_what_is_kept_is_newer(metered: Rig) -> None:
    """A version that knows nothing of the folder has published, or the folder could not be removed."""
    metered.sync()
    stop_at(metered, users(metered)[-1])
    folder, aside = answers_folder(metered.path), metered.path.with_name("aside")
    folder.rename(aside)
    edited = entry_of(metered.workspace, "Ada", 0)["id"]
    metered.workspace.edit("time_entries", edited, description="edited after it was read")
    metered.sync()
    aside.rename(folder)
    metered.server.log.clear()
    metered.sync()
    metered.assert_equals_api()
    assert lists_asked(metered) == {*users(metered)}
    assert metered.changes("time_entries") == {edited: ["edited"]}
