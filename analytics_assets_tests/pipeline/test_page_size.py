"""`ANALYTICS_PAGE_SIZE=auto`: the largest page that the server honours, found while reading and remembered."""

import json
import time
from pathlib import Path

import pytest

from analytics_assets.demo.behaviour import RequestSeen
from analytics_assets.demo.faults import Fault
from analytics_assets.source.page_size import REMEMBERED_SECONDS, PageSize
from analytics_assets_tests.rig import Rig

LARGEST, MIDDLE, SMALLEST = 5000, 500, 50


@pytest.fixture
def auto(tiny: Rig, tmp_path: Path) -> Rig:
    tiny.page_size, tiny.page_size_memory = "auto", tmp_path / "page-size.json"
    return tiny


def sizes(rig: Rig, since: int = 0) -> list[int | None]:
    """The page sizes of the requests, each where it first stands; those before `since` are left out."""
    return list(dict.fromkeys(request.page_size for request in rig.server.requests[since:]))


def many_clients(rig: Rig, count: int) -> None:
    for number in range(count - len(rig.workspace.clients)):
        rig.workspace.new("clients", name=f"Client {number}")


def test_each_list_that_fits_one_answer_costs_one_request_and_nothing_has_to_be_remembered(auto: Rig) -> None:
    many_clients(auto, 120)
    auto.sync()
    auto.assert_equals_api()
    assert sizes(auto) == [LARGEST]
    assert auto.page_size_memory is not None and not auto.page_size_memory.exists()
    assert len(auto.server.requests) == 5 + len(auto.workspace.users) + len(auto.workspace.projects)


def test_a_server_that_refuses_large_pages_is_asked_for_smaller_ones_now_and_in_the_next_sync(auto: Rig) -> None:
    many_clients(auto, 700)
    auto.server.behaviour.max_page_size = 999
    auto.sync()
    auto.assert_equals_api()
    assert sizes(auto) == [LARGEST, MIDDLE]
    before = len(auto.server.requests)
    auto.sync()
    assert sizes(auto, before) == [MIDDLE]
    auto.server.behaviour.max_page_size, before = 60, len(auto.server.requests)
    auto.sync()
    auto.assert_equals_api()
    assert sizes(auto, before) == [MIDDLE, SMALLEST]


def test_large_pages_of_children_alone_that_are_refused_are_not_taken_for_refused_lists(auto: Rig) -> None:
    """A 400 for a member's list means that the key may not read it; all entries would have been skipped, and green."""

    def refuse_large_children(request: RequestSeen) -> None:
        auto.server.behaviour.max_page_size = 100 if request.parent_id else LARGEST

    auto.server.behaviour.before_answer = refuse_large_children
    report = auto.sync()
    auto.assert_equals_api()
    assert not report.reading.lists["time_entries"].refused and not report.reading.lists["tasks"].refused


def test_a_list_that_is_refused_at_every_size_is_a_refused_list_and_changes_no_size(auto: Rig) -> None:
    member = auto.workspace.users[0]["id"]
    auto.server.behaviour.refused_parents[member] = (400, 501)
    report = auto.sync()
    assert set(report.reading.lists["time_entries"].refused) == {member}
    assert auto.page_size_memory is not None and not auto.page_size_memory.exists()
    auto.sync()
    others = [request.page_size for request in auto.server.requests if request.parent_id != member]
    assert set(others) == {LARGEST}


@pytest.mark.parametrize("kind", ["status", "truncate"])
def test_pages_that_the_server_is_too_slow_for_are_asked_for_in_smaller_ones(auto: Rig, kind: str) -> None:
    many_clients(auto, 130)
    auto.server.faults.add(
        Fault(kind, "clients", times=None, status=504, when=lambda request: (request.page_size or 0) > SMALLEST)  # type: ignore[arg-type]
    )
    auto.sync()
    auto.assert_equals_api()
    assert MIDDLE in (seen := sizes(auto)) and SMALLEST in seen
    assert auto.page_size_memory is not None and not auto.page_size_memory.exists(), "it may be well again tomorrow"


def test_a_size_that_is_set_is_never_changed(auto: Rig) -> None:
    auto.page_size = MIDDLE
    auto.server.behaviour.max_page_size = 60
    assert "ANALYTICS_PAGE_SIZE" in auto.failing_sync()
    assert sizes(auto) == [MIDDLE]


@pytest.mark.parametrize("cap", [50, 200])
def test_a_page_that_claims_to_be_the_last_is_not_believed_where_it_may_be_a_silent_limit(auto: Rig, cap: int) -> None:
    """The server cuts pages and computes `Last-Page` from the size that was asked for."""
    many_clients(auto, 2 * cap + 7)
    auto.server.behaviour.page_size_cap = cap
    auto.server.faults.add(Fault("last_page", "clients", value=True, times=None))
    auto.sync()
    auto.assert_equals_api()


def test_what_was_found_is_forgotten_after_a_week_and_when_it_can_not_be_read(tmp_path: Path) -> None:
    memory = tmp_path / "page-size.json"
    PageSize("auto", memory).settle(SMALLEST, is_refused=True)
    assert PageSize("auto", memory).size == SMALLEST
    for content in ("", "[]", '{"size": 7}', json.dumps({"size": SMALLEST, "found_at": time.time() - REMEMBERED_SECONDS - 1})):
        memory.write_text(content)
        assert PageSize("auto", memory).size == LARGEST
    assert PageSize(7, memory).size == 7
    PageSize("auto", memory, keeps=False).settle(MIDDLE, is_refused=True)
    assert PageSize("auto", memory).size == LARGEST
