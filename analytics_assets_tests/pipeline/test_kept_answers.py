"""Where few requests an hour are allowed, a sync goes on where one was that did not come to its end."""

import contextlib
import logging
import sqlite3
import time
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from analytics_assets.demo.faults import Fault
from analytics_assets.source.answer_file import KEPT_SECONDS
from analytics_assets.source.ceiling import Ceiling
from analytics_assets.source.ending import Ending
from analytics_assets.source.errors import SourceError
from analytics_assets.source.kept_answers import are_worth_keeping
from analytics_assets.source.ledger import TABLE, Ledger
from analytics_assets.warehouse.places import answers_folder, ledger_file
from analytics_assets_tests.pipeline.metered import GONE, USERS_AND_ENTRIES, lists_asked, stop_at, users
from analytics_assets_tests.rig import Rig
from analytics_assets_tests.tiny import month


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
    stop_at(tiny, users(tiny)[-1], resources=USERS_AND_ENTRIES)
    Ledger(ledger_file(tiny.path), 100).take()
    made = int(time.time() * 1000)
    with contextlib.closing(sqlite3.connect(ledger_file(tiny.path))) as con, con:
        con.execute(f"DELETE FROM {TABLE}")
        con.executemany(f"INSERT INTO {TABLE} VALUES ('request', ?)", [[made]] * (100 - left))
    tiny.sync(resources=USERS_AND_ENTRIES)
    tiny.assert_equals_api(resources=USERS_AND_ENTRIES)
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


def test_answers_of_another_key_are_forgotten(metered: Rig) -> None:
    """The other key may be shown less."""
    stop_at(metered, users(metered)[-1])
    metered.api_key = metered.server.behaviour.api_key = "another-key"
    metered.sync()
    assert lists_asked(metered) == {*users(metered)}


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


def test_answers_are_kept_also_where_another_thread_than_the_one_that_failed_is_heard_first(
    metered: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All threads learn at once that the reading is over, and those that wait end at once, with the same reason."""
    _, second, last = users(metered)
    end, kept_by_others = Ending.end, []

    def end_and_look_as_the_others_do(ending: Ending, reason: SourceError | None = None) -> None:
        end(ending, reason)
        if reason is not None:
            with pytest.raises(SourceError) as heard:
                ending.pause(0)
            kept_by_others.append(are_worth_keeping(heard.value))

    monkeypatch.setattr(Ending, "end", end_and_look_as_the_others_do)
    metered.limits = replace(metered.limits, concurrency=2)
    metered.server.faults.add(replace(GONE, resource="time_entries", parent_id=second, retry_after="20"))
    stop_at(metered, last, resources=USERS_AND_ENTRIES)
    assert kept_by_others and all(kept_by_others)
    metered.sync(resources=USERS_AND_ENTRIES)
    assert lists_asked(metered) == {second, last}
