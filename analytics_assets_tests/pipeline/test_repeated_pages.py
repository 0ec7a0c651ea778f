"""Pages that come again as they were when a list is read a second time, and rows that stand twice in one list."""

from dataclasses import replace
from datetime import UTC, datetime

import pyarrow as pa
import pytest

from analytics_assets.demo.behaviour import RequestSeen
from analytics_assets.pipeline.progress import ReadingProgress
from analytics_assets.source.arrow import UndeclaredColumns
from analytics_assets.source.columns import ResourceName
from analytics_assets.source.errors import TransientAnswerError
from analytics_assets.source.page_size import PageSize
from analytics_assets.source.typed import TypedReader
from analytics_assets.source.window import Window
from analytics_assets_tests.rig import Rig
from analytics_assets_tests.tiny import only_entries

PAGE_SIZE = 3


@pytest.fixture
def ada(tiny: Rig) -> str:
    """A member with a list of three pages, the last of them not full."""
    tiny.page_size = PAGE_SIZE
    member = str(tiny.workspace.users[0]["id"])
    assert len(tiny.workspace.listing("time_entries", member).rows) == 2 * PAGE_SIZE + 2
    return member


def tables_of(rig: Rig, member: str) -> list[list[tuple[int, str]]]:
    """What the source yields of one member's entries: for each page the number of the answer and the entry of each row."""
    rig.progress = ReadingProgress()
    options = rig.api.options(rig.progress, Window(datetime(2000, 1, 1, tzinfo=UTC)), UndeclaredColumns())
    source = rig.api.source(replace(options, bundles_pages=False))
    tables = [table.to_pylist() for table in source.with_resources("time_entries")]
    return [[(row["_answer"], row["id"]) for row in rows] for rows in tables if rows and rows[0]["_users_id"] == member]


def test_a_quiet_list_is_asked_for_twice_and_yields_each_row_once(tiny: Rig, ada: str) -> None:
    yielded = [row for rows in tables_of(tiny, ada) for row in rows]
    assert [entry for _, entry in yielded] == [row["id"] for row in tiny.workspace.listing("time_entries", ada).rows]
    assert {answer for answer, _ in yielded} == {1, 2, 3}
    assert [page for _, page in sorted((r.page or 0, r.page) for r in tiny.asked("time_entries", ada))] == [1, 1, 2, 2, 3, 3]


def test_a_quiet_page_is_decoded_once(tiny: Rig, ada: str, monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[bytes] = []
    read = TypedReader.read

    def noted(self: TypedReader, body: bytes) -> pa.Table | None:
        decoded.append(body)
        return read(self, body)

    monkeypatch.setattr(TypedReader, "read", noted)
    tables_of(tiny, ada)
    assert len(decoded) == len({*decoded})


def test_an_attempt_that_fails_after_its_page_was_decoded_costs_no_rows(tiny: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page comes again as it was in the next attempt, but the rows of the first one have gone nowhere."""
    answered, failed = PageSize.answered, list[str]()

    def fails_once(self: PageSize, resource: str, size: int) -> None:
        if resource == "clients" and not failed:
            failed.append(resource)
            raise TransientAnswerError("the line was lost")
        answered(self, resource, size)

    monkeypatch.setattr(PageSize, "answered", fails_once)
    tiny.assert_reads_the_api("clients")
    assert failed


def test_of_a_list_that_changed_only_the_pages_that_did_are_yielded_again(tiny: Rig, ada: str) -> None:
    edited = tiny.workspace.listing("time_entries", ada).rows[PAGE_SIZE]["id"]

    def before_answer(request: RequestSeen) -> None:
        if request.parent_id == ada and request.page == 1 and len(tiny.asked("time_entries", ada, 1)) == 2:
            tiny.workspace.edit("time_entries", edited, description="edited between the passes")

    tiny.server.behaviour.before_answer = before_answer
    pages = tables_of(tiny, ada)
    assert [len(rows) for rows in pages] == [3, 3, 2, 3]
    assert pages[1] == [(2, entry) for _, entry in pages[1]] and pages[3] == [(4, entry) for _, entry in pages[1]]
    tiny.server.behaviour.before_answer = None
    tiny.workspace.edit("time_entries", edited, description="as before")
    tiny.sync(resources=only_entries())
    tiny.assert_equals_api(resources=only_entries())


def test_a_list_that_is_edited_while_it_is_read_twice_is_published_as_it_was_the_second_time(tiny: Rig, ada: str) -> None:
    first, *_, last = (row["id"] for row in tiny.workspace.listing("time_entries", ada).rows)

    def before_answer(request: RequestSeen) -> None:
        if request.parent_id == ada and request.page == 3 and len(tiny.asked("time_entries", ada, 3)) == 1:
            tiny.workspace.edit("time_entries", first, description="after its page was read")
        if request.parent_id == ada and request.page == 2 and len(tiny.asked("time_entries", ada, 2)) == 2:
            tiny.workspace.edit("time_entries", last, description="before its page was read again")

    tiny.server.behaviour.before_answer = before_answer
    tiny.sync(resources=only_entries())
    tiny.assert_equals_api(resources=only_entries())


@pytest.mark.parametrize("last_page", [True, False], ids=["header", "no header"])
@pytest.mark.parametrize("page_size", [1, 2, 3, 50])
@pytest.mark.parametrize("resource", ["clients", "time_entries"])
def test_a_row_that_stands_twice_in_a_list_is_taken_once(
    tiny: Rig, resource: ResourceName, page_size: int, last_page: bool
) -> None:
    """The list was said to change each time it was read, though it stood still."""
    rows = tiny.workspace.clients if resource == "clients" else tiny.workspace.time_entries[tiny.workspace.users[0]["id"]]
    rows.append(dict(rows[0]))
    tiny.workspace.changed()
    tiny.page_size = page_size
    tiny.server.behaviour.send_last_page = last_page
    tiny.sync(resources=[resource])
    tiny.assert_equals_api(resources=[resource])
    tiny.assert_reads_the_api(resource)


@pytest.mark.parametrize("last_page", [True, False], ids=["header", "no header"])
def test_a_row_whose_place_another_one_takes_on_two_pages_is_found(tiny: Rig, ada: str, last_page: bool) -> None:
    """Both passes were the same byte for byte, so the sync was green without the row."""
    rows = tiny.workspace.listing("time_entries", ada).rows
    tiny.workspace.edit("time_entries", rows[PAGE_SIZE - 1]["id"], timeInterval=rows[PAGE_SIZE]["timeInterval"])
    tiny.server.behaviour.sorts_anew = "ties"
    tiny.server.behaviour.send_last_page = last_page
    tiny.sync(resources=only_entries())
    tiny.assert_equals_api(resources=only_entries())


def test_a_server_whose_pages_hold_other_rows_with_each_page_size_is_an_error(tiny: Rig) -> None:
    tiny.sync(resources=["clients"])
    tiny.page_size = 2
    tiny.server.behaviour.sorts_anew = "all"
    sentence = tiny.failing_sync(resources=["clients"])
    assert "of clients is on two pages, and with 1 rows per page other rows come" in sentence
    assert "Sync again with a larger ANALYTICS_PAGE_SIZE." in sentence


def test_a_server_that_caps_its_pages_is_not_to_be_asked_for_larger_ones(tiny: Rig) -> None:
    """It was advised all the same, and the months of lists that have none."""
    tiny.server.behaviour.sorts_anew = "all"
    tiny.server.behaviour.page_size_cap = 2
    sentence = tiny.failing_sync(resources=["clients"])
    assert "of clients is on two pages" in sentence
    assert sentence.endswith("nothing was loaded. Ask whoever runs the API for lists in a fixed order.")


def test_a_row_on_two_pages_is_an_error_where_no_other_page_size_can_tell_why(tiny: Rig) -> None:
    tiny.sync(resources=["clients"])
    tiny.page_size = 2
    tiny.server.behaviour.page_size_floor = 2
    tiny.workspace.clients.append(dict(tiny.workspace.clients[0]))
    tiny.workspace.changed()
    assert "is on two pages, and with 1 rows per page the same pages come" in tiny.failing_sync(resources=["clients"])


@pytest.mark.parametrize("page_size", [2, 50])
def test_two_different_records_of_one_id_in_a_list_that_stands_still_are_an_error(tiny: Rig, page_size: int) -> None:
    first = tiny.workspace.clients[0]
    tiny.workspace.clients.append({**first, "name": "in other words"})
    tiny.workspace.changed()
    tiny.page_size = page_size
    sentence = tiny.failing_sync(resources=["clients"])
    assert f"two different records of clients have the id {first['id']} in one " in sentence
    assert "nobody can say which one is right" in sentence


def test_a_row_that_stands_twice_in_a_list_that_also_shifts_is_taken_once(tiny: Rig) -> None:
    tiny.workspace.clients.append(dict(tiny.workspace.clients[0]))
    tiny.workspace.changed()
    tiny.page_size = 2

    def before_answer(request: RequestSeen) -> None:
        if request.resource == "clients" and request.page == 2 and len(tiny.asked("clients", page=2)) == 1:
            tiny.workspace.delete("clients", tiny.workspace.clients[1]["id"])

    tiny.server.behaviour.before_answer = before_answer
    tiny.sync(resources=["clients"])
    tiny.server.behaviour.before_answer = None
    tiny.assert_equals_api(resources=["clients"])
