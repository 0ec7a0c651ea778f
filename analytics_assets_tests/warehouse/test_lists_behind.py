"""Which lists of time entries a routine sync reads as a whole, because nobody has done so yet, and that it pays for it once."""

from dataclasses import replace
from datetime import datetime
from unittest import mock

import duckdb
import pytest

from analytics_assets.demo.behaviour import RequestSeen
from analytics_assets.demo.faults import Fault
from analytics_assets.pipeline import reading as reading_module
from analytics_assets.pipeline.months import AskedMonths
from analytics_assets.warehouse.places import ledger_file
from analytics_assets_tests.rig import Rig
from analytics_assets_tests.tiny import entry_of, moment, month, only_entries


def sync_of_two_months_ago(rig: Rig) -> None:
    """All history is read, but it ends two months ago."""
    with mock.patch.object(reading_module, "datetime", wraps=datetime) as clock:
        clock.now.return_value = moment(2)
        rig.sync()


@pytest.mark.parametrize("requests_per_hour", [None, 1000])
def test_a_whole_list_that_is_empty_for_once_deletes_nothing(tiny: Rig, requests_per_hour: int | None) -> None:
    """The months that were read of all were empty, so that nobody expected rows: one empty answer deleted all history."""
    ada = tiny.workspace.users[0]["id"]
    tiny.limits = replace(tiny.limits, requests_per_hour=requests_per_hour, ledger=ledger_file(tiny.path))
    for number in (0, 1):
        tiny.workspace.delete("time_entries", entry_of(tiny.workspace, "Ada", 0, number)["id"])
    sync_of_two_months_ago(tiny)
    tiny.server.behaviour.refused_parents[ada] = (403, 403)
    for _ in range(2):
        tiny.routine_sync(lookback_months=1)
    tiny.server.behaviour.refused_parents.clear()
    tiny.server.faults.add(Fault("other_json", "time_entries", ada, after=1, value={"data": []}))
    tiny.routine_sync(lookback_months=1)
    tiny.assert_equals_api()
    assert tiny.changes("time_entries") == {}


@pytest.mark.parametrize(
    "dropped",
    [
        "TABLE raw.users",
        "TABLE raw_history.users",
        "TABLE raw_history.time_entries",
        "raw.users._loaded_at",
        "raw.time_entries._users_id",
        "raw_history.users.id",
        "raw_history.time_entries._users_id",
        "raw._publications.read_began_at",
        "raw._publications.voided_at",
        "raw._publications.lists_read",
    ],
)
def test_what_somebody_has_dropped_makes_no_routine_sync_red(tiny: Rig, dropped: str) -> None:
    """It is made again when a sync is published, but each routine sync ended with an error of DuckDB before it came to that."""
    tiny.sync()
    with duckdb.connect(str(tiny.path)) as con:
        if dropped.startswith("TABLE"):
            con.execute(f"DROP {dropped}")
        else:
            table, column = dropped.rsplit(".", 1)
            con.execute(f"ALTER TABLE {table} DROP COLUMN IF EXISTS {column}")
    for _ in range(2):
        asked = len(tiny.asked("time_entries"))
        tiny.routine_sync(lookback_months=1)
    tiny.assert_equals_api()
    assert len(tiny.asked("time_entries")) - asked == len(tiny.workspace.users)


def test_a_member_without_entries_is_paid_for_once(tiny: Rig) -> None:
    """Where members were never published, nothing told that the list of one without entries had been read."""
    with mock.patch.object(reading_module, "datetime", wraps=datetime) as clock:
        clock.now.return_value = moment(2)
        tiny.sync(resources=only_entries())
        dan = tiny.workspace.new("users", name="Dan")["id"]
        costs = []
        for back in (2, 2, 1, 0):
            clock.now.return_value = moment(back)
            asked = len(tiny.asked("time_entries", dan))
            tiny.sync_of(AskedMonths(tiny.start, now=month(back)), only_entries())
            costs.append(len(tiny.asked("time_entries", dan)) - asked)
    assert costs == [2, 1, 1, 1]
    tiny.server.log.clear()
    for _ in range(2):  # and not once more when members are published
        tiny.routine_sync(lookback_months=1)
    assert len(tiny.asked("time_entries", dan)) == 2


def test_a_member_who_was_not_listed_for_months_is_read_as_a_whole_also_where_members_are_not_published(tiny: Rig) -> None:
    """Only the raw table of members told who was missing from a reading; the months in between never came."""
    ada = tiny.workspace.users[0]["id"]
    with mock.patch.object(reading_module, "datetime", wraps=datetime) as clock:
        clock.now.return_value = moment(2)
        tiny.sync(resources=only_entries())
    tiny.workspace.edit("users", ada, status="LIMITED")
    for _ in range(2):
        tiny.routine_sync(1, only_entries())
    tiny.workspace.new_time_entry(ada, moment(1, day=9))
    tiny.workspace.edit("users", ada, status="ACTIVE")
    tiny.routine_sync(1, only_entries())
    tiny.assert_equals_api(resources=only_entries())


@pytest.mark.parametrize(
    "change", ["UPDATE raw._publications SET lists_not_read = NULL", "ALTER TABLE raw._publications DROP lists_not_read"]
)
def test_a_reading_of_an_earlier_version_that_does_not_say_of_whom_covers_nobody(tiny: Rig, change: str) -> None:
    """A list that the API had refused then was taken for read, and its months were missing for good."""
    tiny.server.behaviour.refused_parents[tiny.workspace.users[0]["id"]] = (403, 403)
    tiny.sync()
    with duckdb.connect(str(tiny.path)) as con:
        con.execute(change)
    tiny.server.behaviour.refused_parents.clear()
    for _ in range(2):
        asked = len(tiny.asked("time_entries"))
        tiny.routine_sync(lookback_months=1)
        tiny.assert_equals_api()
        assert len(tiny.asked("time_entries")) - asked == len(tiny.workspace.users)


@pytest.mark.parametrize("at", [4, 5])
@pytest.mark.parametrize("name", ["Ada", "Ben"])
def test_a_new_entry_that_moves_while_a_list_is_read_as_a_whole_is_found(tiny: Rig, name: str, at: int) -> None:
    """The first reading had met it, the second had lost it, and the list that it went to had been read: it came a sync later."""
    ada, ben = (user["id"] for user in tiny.workspace.users[:2])
    tiny.server.behaviour.refused_parents[ada] = (403, 403)
    tiny.sync()
    tiny.server.behaviour.refused_parents.clear()
    asked = len(tiny.asked("time_entries"))

    def move_it(request: RequestSeen) -> None:
        if request.resource == "time_entries" and len(tiny.asked("time_entries")) == asked + at:
            tiny.server.behaviour.before_answer = None
            moved = entry_of(tiny.workspace, name, 0)
            tiny.workspace.edit("time_entries", moved["id"], userId=ben if name == "Ada" else ada)

    tiny.server.behaviour.before_answer = move_it
    tiny.routine_sync(lookback_months=1)
    tiny.assert_equals_api()
