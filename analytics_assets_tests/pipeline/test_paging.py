"""Where a list ends: by its header, or by an empty page, and by nothing that was learned from another list."""

from dataclasses import replace

import pytest

from analytics_assets.demo.behaviour import RequestSeen
from analytics_assets.demo.faults import Fault
from analytics_assets.source.columns import ResourceName
from analytics_assets_tests.rig import Rig


def with_clients(rig: Rig, count: int) -> Rig:
    """The rig with a workspace of so many clients, and nothing asked yet."""
    for client in list(rig.workspace.clients):
        rig.workspace.delete("clients", client["id"])
    for number in range(count):
        rig.workspace.new("clients", name=f"Client {number}")
    rig.server.reset()
    return rig


def pages_asked(rig: Rig) -> list[int | None]:
    return [request.page for request in rig.asked("clients")]


@pytest.mark.parametrize("last_page", [True, False], ids=["header", "no header"])
@pytest.mark.parametrize("page_size", [1, 7, 50, 5000])
@pytest.mark.parametrize("count", [0, 1, 7, 13, 14])
def test_a_list_is_whole_whatever_its_length_and_the_page_size(tiny: Rig, count: int, page_size: int, last_page: bool) -> None:
    with_clients(tiny, count)
    tiny.page_size = page_size
    tiny.server.behaviour.send_last_page = last_page
    tiny.assert_reads_the_api("clients")
    assert {request.page_size for request in tiny.asked("clients")} == {page_size}


@pytest.mark.parametrize(
    ("count", "page_size", "asked"),
    [
        (0, 7, [1]),
        (6, 7, [1]),
        (7, 7, [1, 2, 1]),
        (8, 7, [1, 2, 1, 2]),
        (14, 7, [1, 2, 3, 1, 2]),
        (15, 7, [1, 2, 3, 1, 2, 3]),
    ],
)
def test_the_header_ends_a_list_and_is_checked_only_where_its_page_is_full(
    tiny: Rig, count: int, page_size: int, asked: list[int]
) -> None:
    with_clients(tiny, count).page_size = page_size
    tiny.assert_reads_the_api("clients")
    assert pages_asked(tiny) == asked


def test_a_header_that_ends_a_list_too_early_is_not_believed_of_a_full_page(tiny: Rig) -> None:
    """The rows behind the page that called itself the last one were counted as deleted."""
    with_clients(tiny, 10).page_size = 4
    tiny.server.faults.add(Fault("last_page", "clients", page=1, value=True, times=None))
    tiny.assert_reads_the_api("clients")


@pytest.mark.parametrize(
    ("count", "page_size", "cap", "asked"),
    [
        (0, 7, None, [1]),
        (3, 7, None, [1, 2, 1]),
        (7, 7, None, [1, 2, 1]),
        (10, 7, None, [1, 2, 3, 1, 2]),
        (14, 7, None, [1, 2, 3, 1, 2]),
        (10, 7, 5, [1, 2, 3, 1, 2]),
        (12, 7, 5, [1, 2, 3, 4, 1, 2, 3]),
    ],
)
def test_without_the_header_a_list_ends_with_an_empty_page_and_with_nothing_less(
    tiny: Rig, count: int, page_size: int, cap: int | None, asked: list[int]
) -> None:
    """A server that caps the page size silently answers nothing but short pages."""
    with_clients(tiny, count).page_size = page_size
    tiny.server.behaviour.send_last_page = False
    tiny.server.behaviour.page_size_cap = cap
    tiny.assert_reads_the_api("clients")
    assert pages_asked(tiny) == asked


def test_a_server_that_honours_the_page_size_for_one_list_and_caps_another_loses_nothing(tiny: Rig) -> None:
    """A full page of one list was taken for a promise about all of them: of 190 rows 40 were left, and 150 "deleted"."""
    tiny.server.behaviour.send_last_page = False
    tiny.page_size = 10
    full, capped = tiny.workspace.projects[0]["id"], tiny.workspace.projects[1]["id"]
    for number in range(18):
        tiny.workspace.new("tasks", full, name=f"Full {number}")
        tiny.workspace.new("tasks", capped, name=f"Capped {number}")

    def cap_the_second(request: RequestSeen) -> None:
        tiny.server.behaviour.page_size_cap = 4 if request.parent_id == capped else None

    tiny.server.behaviour.before_answer = cap_the_second
    tiny.limits = replace(tiny.limits, concurrency=1)
    tiny.assert_reads_the_api("tasks")


@pytest.mark.parametrize("last_page", [True, False], ids=["header", "no header"])
@pytest.mark.parametrize("cap", [1, 3, 6])
def test_a_silently_capped_page_size_loses_nothing(tiny: Rig, cap: int, last_page: bool) -> None:
    with_clients(tiny, 13)
    tiny.server.behaviour.page_size_cap = cap
    tiny.server.behaviour.send_last_page = last_page
    tiny.assert_reads_the_api("clients")


def test_a_page_size_above_the_maximum_is_named_as_what_to_lower(tiny: Rig) -> None:
    tiny.page_size = 5001
    assert "answered 400" in (sentence := tiny.failing_read("clients")) and "ANALYTICS_PAGE_SIZE" in sentence
    tiny.server.behaviour.over_max = "cap"
    tiny.assert_reads_the_api("clients")


@pytest.mark.parametrize("last_page", [True, False], ids=["header", "no header"])
def test_pages_longer_than_asked_are_taken_whole(tiny: Rig, last_page: bool) -> None:
    """The server sends 5 rows a page, whatever was asked; its last page is full for a reader that asked for 2."""
    with_clients(tiny, 12).page_size = 2
    tiny.server.behaviour.send_last_page = last_page
    tiny.server.behaviour.page_size_floor = 5
    tiny.assert_reads_the_api("clients")


@pytest.mark.parametrize("last_page", [True, False], ids=["header", "no header"])
@pytest.mark.parametrize("page_size", [2, 50])
def test_a_server_that_answers_the_first_page_for_ever_is_refused(tiny: Rig, page_size: int, last_page: bool) -> None:
    tiny.page_size = page_size
    tiny.server.behaviour.ignores_page = True
    tiny.server.behaviour.send_last_page = last_page
    sentence = tiny.failing_read("clients")
    assert "ignore the parameter `page`" in sentence and "/clients" in sentence
    assert len(tiny.asked("clients")) == 3


def test_the_header_decides_page_by_page_and_its_spelling_does_not_matter(tiny: Rig) -> None:
    with_clients(tiny, 5).page_size = 2
    tiny.server.faults.add(
        Fault("last_page", "clients", page=1, value=None, times=None), Fault("last_page", "clients", page=3, value=False)
    )
    tiny.assert_reads_the_api("clients")


@pytest.mark.parametrize("first_hidden", [0, 2])
def test_a_list_goes_on_behind_an_empty_page_that_says_so(tiny: Rig, first_hidden: int) -> None:
    """An empty page was taken for the end, though its header said that others follow; their rows were missing."""
    with_clients(tiny, 7).page_size = 2
    ids = [client["id"] for client in tiny.workspace.clients]
    hidden = ids[first_hidden : first_hidden + 2]
    tiny.server.behaviour.hidden = frozenset(hidden)
    assert set(tiny.read("clients")) == {*ids} - {*hidden}


def test_a_server_that_never_calls_a_page_the_last_is_read_to_an_empty_one(tiny: Rig) -> None:
    with_clients(tiny, 5).page_size = 2
    tiny.server.faults.add(Fault("last_page", "clients", value=False, times=None))
    tiny.assert_reads_the_api("clients")
    assert max(request.page or 0 for request in tiny.asked("clients")) == 5


def test_identical_twins_on_a_full_page_do_not_make_it_a_short_one(tiny: Rig) -> None:
    """One of the twins is dropped; counted after that, the page would seem to be the last of a server without header."""
    with_clients(tiny, 9).page_size = 3
    tiny.server.behaviour.send_last_page = False
    tiny.workspace.clients.insert(4, tiny.workspace.clients[3])
    tiny.workspace.changed()
    assert set(tiny.read("clients")) == {client["id"] for client in tiny.workspace.clients}


def test_children_are_paged_for_each_parent_on_their_own(tiny: Rig) -> None:
    tiny.page_size = 2
    tiny.server.behaviour.send_last_page = False
    tiny.server.behaviour.envelope = "bare"
    project = tiny.workspace.projects[1]["id"]
    for number in range(5):
        tiny.workspace.new("tasks", project, name=f"Task {number}")
    tiny.workspace.tasks[tiny.workspace.projects[0]["id"]].clear()
    tiny.workspace.changed()
    tiny.assert_reads_the_api("tasks")
    tiny.assert_reads_the_api("time_entries")


@pytest.mark.parametrize("resource", ["clients", "tasks"])
def test_a_server_that_answers_404_behind_the_end_of_a_list_is_told_so(tiny: Rig, resource: ResourceName) -> None:
    """It was told to check the address, and the lists of members and projects that have rows were skipped."""
    tiny.sync()
    tiny.server.behaviour.send_last_page = False
    tiny.server.faults.add(Fault("status", resource, page=2, status=404, times=None))
    sentence = tiny.failing_sync()
    assert f"{resource} answered 404 (Something went wrong., code 404) for a page behind pages that it did answer" in sentence
    assert "nobody can say whether this one was read to its end; nothing was loaded." in sentence
