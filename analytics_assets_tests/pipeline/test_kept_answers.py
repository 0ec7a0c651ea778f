"""Where few requests an hour are allowed, a sync goes on where one was that did not come to its end, and stays exact."""

import contextlib
import logging
import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace

import pytest

from analytics_assets.demo.behaviour import RequestSeen
from analytics_assets.demo.faults import Fault
from analytics_assets.source import kept_answers
from analytics_assets.source.answer_file import KEPT_SECONDS
from analytics_assets.source.ceiling import Ceiling
from analytics_assets.source.columns import RESOURCE_NAMES, ResourceName
from analytics_assets.source.ending import Ending
from analytics_assets.source.errors import SourceError
from analytics_assets.source.ledger import TABLE, Ledger
from analytics_assets.warehouse.places import answers_folder, ledger_file
from analytics_assets_tests.rig import Rig
from analytics_assets_tests.tiny import entry_of, month

GONE = Fault("status", status=503, times=None)


@pytest.fixture
def metered(tiny: Rig, monkeypatch: pytest.MonkeyPatch) -> Rig:
    """An API of which only so many requests an hour may be asked, and none is left; lists are read one after the other."""
    monkeypatch.setattr(Ceiling, "left_in_hour", lambda _: 0)
    tiny.limits = replace(tiny.limits, requests_per_hour=10_000, ledger=ledger_file(tiny.path), concurrency=1)
    return tiny


def users(rig: Rig) -> list[str]:
    """The members in the order in which their lists are read."""
    return [user["id"] for user in rig.workspace.users]


def stop_at(rig: Rig, parent_id: str, *, page: int = 1, resources: Sequence[ResourceName] = RESOURCE_NAMES) -> None:
    """A sync that ends because the API is out of reach from this list of time entries on."""
    rig.server.faults.add(replace(GONE, resource="time_entries", parent_id=parent_id, page=page))
    assert "answered 503" in rig.failing_sync(resources=resources)
    rig.server.faults.clear()
    rig.server.log.clear()


def lists_asked(rig: Rig) -> set[str]:
    """The members whose entries were asked for since the log was cleared."""
    return {str(request.parent_id) for request in rig.asked("time_entries")}


def kept_of(rig: Rig, parent_id: str) -> Path:
    """The file with the answers of a list of time entries."""
    return answers_folder(rig.path) / f"time_entries-{sha256(f'time_entries {parent_id}'.encode()).hexdigest()[:32]}"


def test_lists_that_were_read_before_the_api_was_out_of_reach_are_not_paid_for_again(
    metered: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    first, second, last = users(metered)
    before = datetime.now(UTC)
    stop_at(metered, last)
    after = datetime.now(UTC)
    with caplog.at_level(logging.WARNING):
        report = metered.sync()
    metered.assert_equals_api()
    assert lists_asked(metered) == {last}
    assert metered.asked("users"), "lists without a parent are few requests, and are read anew"
    said = [record.getMessage() for record in caplog.records if "has left answers" in record.getMessage()]
    assert len(said) == 1 and str(answers_folder(metered.path)) in said[0]

    assert before < report.reading.began_at < after, "what the sync covers ends where the first of its answers came"
    read_at = metered.query("SELECT _users_id, max(_loaded_at) FROM raw.time_entries GROUP BY ALL")
    assert {row[0] for row in read_at} == {first, second, last}
    assert not answers_folder(metered.path).exists()
    metered.server.log.clear()
    metered.sync()
    assert lists_asked(metered) == {first, second, last}, "what was published is read anew"


@pytest.mark.parametrize(("left", "are_used"), [(3, True), (4, False), (100, False)])
def test_what_is_left_of_the_hour_is_used_before_an_older_answer_is(tiny: Rig, left: int, are_used: bool) -> None:
    """One request goes to the members, and then three lists are left, two of which were read before the stop."""
    tiny.limits = replace(tiny.limits, requests_per_hour=100, ledger=ledger_file(tiny.path), concurrency=1)
    stop_at(tiny, users(tiny)[-1], resources=("users", "time_entries"))
    Ledger(ledger_file(tiny.path), 100).take()
    made = int(time.time() * 1000)
    with contextlib.closing(sqlite3.connect(ledger_file(tiny.path))) as con, con:
        con.execute(f"DELETE FROM {TABLE}")
        con.executemany(f"INSERT INTO {TABLE} VALUES ('request', ?)", [[made]] * (100 - left))
    tiny.sync(resources=("users", "time_entries"))
    tiny.assert_equals_api(resources=("users", "time_entries"))
    assert (len(lists_asked(tiny)) < len(users(tiny))) == are_used


def test_without_a_ceiling_per_hour_nothing_is_kept_and_nothing_that_was_kept_is_used(metered: Rig) -> None:
    metered.sync()
    stop_at(metered, users(metered)[-1])
    metered.limits = replace(metered.limits, requests_per_hour=None)
    stop_at(metered, users(metered)[-1])
    assert not answers_folder(metered.path).exists()
    metered.sync()
    metered.assert_equals_api()
    assert lists_asked(metered) == {*users(metered)}


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


def test_what_the_api_has_sent_wrongly_is_asked_for_again(metered: Rig) -> None:
    """Otherwise the sync would be red for a day, also after the record was corrected."""
    last = users(metered)[-1]
    metered.server.faults.add(Fault("no_id", "time_entries", parent_id=last, times=None))
    assert "no `id`" in metered.failing_sync()
    metered.server.faults.clear()
    metered.server.log.clear()
    metered.sync()
    metered.assert_equals_api()
    assert lists_asked(metered) == {*users(metered)}


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


def test_answers_of_another_key_are_forgotten(metered: Rig) -> None:
    """The other key may be shown less."""
    stop_at(metered, users(metered)[-1])
    metered.api_key = metered.server.behaviour.api_key = "another-key"
    metered.sync()
    assert lists_asked(metered) == {*users(metered)}


def test_neither_the_key_nor_a_parameter_is_among_what_is_kept(metered: Rig) -> None:
    metered.api_key = metered.server.behaviour.api_key = "a-key-that-nobody-may-see"
    metered.extra_params = {"time_entries": {"token": "nor-may-this-be-seen"}}
    stop_at(metered, users(metered)[-1])
    files = [file for file in answers_folder(metered.path).rglob("*") if file.is_file()]
    assert len(files) > 2
    for secret in (metered.api_key, "nor-may-this-be-seen"):
        assert not any(secret.encode() in file.read_bytes() for file in files)


@pytest.mark.parametrize("ahead", [-KEPT_SECONDS, 60])
def test_answers_that_are_a_day_old_or_of_a_time_to_come_are_asked_for_again(metered: Rig, ahead: float) -> None:
    clock = SimpleNamespace(time=lambda: time.time() + ahead, monotonic=time.monotonic)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("analytics_assets.source.kept_answers.time", clock)
        stop_at(metered, users(metered)[-1])
    metered.sync()
    metered.assert_equals_api()
    assert lists_asked(metered) == {*users(metered)}


def test_a_list_of_many_answers_is_dear_where_a_few_requests_are_left(metered: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """There was one request for each list, so all of them were asked for again, and the hour was over within the first."""
    metered.page_size = 2
    first, second, _ = users(metered)
    stop_at(metered, second, page=2)
    monkeypatch.setattr(Ceiling, "left_in_hour", lambda _: len(metered.workspace.users) + len(metered.workspace.projects))
    metered.sync()
    metered.assert_equals_api()
    assert first not in lists_asked(metered)


def cut(file: Path) -> None:
    """What a process leaves that is killed while it writes."""
    file.write_bytes(file.read_bytes()[:-1])


def spoil(file: Path) -> None:
    """What a bad disk makes of a file."""
    content = bytearray(file.read_bytes())
    content[-2] ^= 1
    file.write_bytes(content)


def empty(file: Path) -> None:
    """A line in which nothing is said."""
    file.write_bytes(b"\n")


@pytest.mark.parametrize("damage", [cut, spoil, empty, Path.unlink])
def test_a_damaged_answer_is_asked_for_again(metered: Rig, damage: Callable[[Path], object]) -> None:
    first, _, last = users(metered)
    stop_at(metered, last)
    damage(kept_of(metered, first))
    metered.sync()
    metered.assert_equals_api()
    assert lists_asked(metered) == {first, last}


def test_a_verification_asks_for_everything(metered: Rig) -> None:
    metered.sync()
    stop_at(metered, users(metered)[-1])
    metered.verify()
    assert lists_asked(metered) == {*users(metered)}
    metered.server.log.clear()
    metered.sync()
    assert lists_asked(metered) == {users(metered)[-1]}, "and leaves what is kept for the next sync"


def test_what_is_asked_for_other_months_is_asked_of_the_api(metered: Rig) -> None:
    stop_at(metered, users(metered)[-1])
    metered.sync(first=str(month(0)), last=str(month(0)))
    assert lists_asked(metered) == {*users(metered)}
    metered.assert_equals_api(first=str(month(0)))


def test_a_folder_that_can_not_be_written_costs_requests_and_no_sync(metered: Rig, caplog: pytest.LogCaptureFixture) -> None:
    answers_folder(metered.path).write_text("a file in its place")
    with caplog.at_level(logging.WARNING):
        metered.sync()
    metered.assert_equals_api()
    assert "Answers can't be kept for a sync after this one" in caplog.text


def test_a_row_that_moves_while_an_answer_is_on_its_way_is_not_taken_for_deleted(metered: Rig) -> None:
    """The list that it moves into is answered before, and that answer comes after the one of the list that it has left."""
    metered.sync()
    first, second, last = users(metered)
    resources: tuple[ResourceName, ...] = ("users", "time_entries")
    moved = entry_of(metered.workspace, "Ben", 1)["id"]

    def move(request: RequestSeen) -> None:
        if request.parent_id == second:
            metered.workspace.edit("time_entries", moved, userId=first)

    metered.limits = replace(metered.limits, concurrency=2)
    metered.server.behaviour.before_answer = move
    metered.server.faults.add(Fault("delay", "time_entries", parent_id=first, pause_seconds=0.5))
    metered.server.faults.add(replace(GONE, resource="time_entries", parent_id=last, retry_after="0.4"))
    assert "answered 503" in metered.failing_sync(resources=resources)
    metered.server.behaviour.before_answer = None
    metered.server.faults.clear()
    metered.sync(resources=resources)
    metered.assert_equals_api()
    assert metered.changes("time_entries") == {moved: ["edited"]}


USERS_AND_ENTRIES: tuple[ResourceName, ...] = ("users", "time_entries")


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


def test_a_link_in_place_of_the_folder_is_not_followed_with_another_key(metered: Rig, tmp_path: Path) -> None:
    stop_at(metered, users(metered)[-1])
    folder, elsewhere = answers_folder(metered.path), tmp_path / "elsewhere"
    folder.rename(elsewhere)
    folder.symlink_to(elsewhere)
    metered.api_key = metered.server.behaviour.api_key = "another-key"
    metered.sync()
    assert lists_asked(metered) == {*users(metered)}
    assert not folder.is_symlink()


def test_a_file_that_can_not_be_read_costs_its_requests_and_no_sync(metered: Rig) -> None:
    first, _, last = users(metered)
    stop_at(metered, last)
    unreadable = kept_of(metered, first)
    unreadable.unlink()
    unreadable.mkdir()
    metered.sync()
    metered.assert_equals_api()
    assert first in lists_asked(metered)


def test_answers_of_another_key_that_can_not_be_removed_are_not_used(
    metered: Rig, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    stop_at(metered, users(metered)[-1])
    monkeypatch.setattr(kept_answers, "forget_answers", lambda _: None)
    before = kept_of(metered, users(metered)[0]).read_bytes()
    metered.api_key = metered.server.behaviour.api_key = "another-key"
    with caplog.at_level(logging.WARNING):
        metered.sync()
    assert lists_asked(metered) == {*users(metered)}
    assert "they are of another key and can't be removed" in caplog.text
    assert kept_of(metered, users(metered)[0]).read_bytes() == before, "and nothing of this key is added to them"


def test_answers_are_kept_also_where_another_thread_than_the_one_that_failed_is_heard_first(
    metered: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All threads learn at once that the reading is over, and those that wait end at once."""
    _, second, last = users(metered)
    end = Ending.end

    def end_and_let_the_others_go_first(ending: Ending, reason: SourceError | None = None) -> None:
        end(ending, reason)
        time.sleep(0.5 if reason is not None else 0)

    monkeypatch.setattr(Ending, "end", end_and_let_the_others_go_first)
    metered.limits = replace(metered.limits, concurrency=2)
    metered.server.faults.add(replace(GONE, resource="time_entries", parent_id=second, retry_after="20"))
    stop_at(metered, last, resources=USERS_AND_ENTRIES)
    metered.sync(resources=USERS_AND_ENTRIES)
    assert lists_asked(metered) == {second, last}
