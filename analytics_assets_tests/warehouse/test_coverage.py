"""What a routine sync reads: the lookback, and every month that no chain of readings reaches."""

from datetime import datetime, timedelta
from unittest import mock

import duckdb

from analytics_assets.demo.behaviour import RequestSeen
from analytics_assets.pipeline import reading as reading_module
from analytics_assets_tests.rig import Rig
from analytics_assets_tests.tiny import MONTHS, entry_of, iso, moment, month


def test_a_later_month_that_was_read_by_itself_leaves_no_hole_before_it(tiny: Rig) -> None:
    """A full sync, months of silence, one `sync --from` now; then the routine took the months between for covered."""
    now = str(month(0))
    tiny.sync(None, str(month(MONTHS - 1)))
    tiny.sync(now, now)
    report = tiny.routine_sync(lookback_months=1)
    assert report.span.first == month(MONTHS - 2)
    tiny.assert_equals_api()


def test_months_that_were_read_one_after_the_other_make_one_chain(tiny: Rig) -> None:
    for back in reversed(range(1, MONTHS)):
        tiny.sync(str(month(back)), str(month(back)))
    assert tiny.routine_sync(lookback_months=1).span.first == month(0)
    tiny.assert_equals_api()


def test_what_a_reading_covers_ends_when_it_began_and_not_when_it_was_published(tiny: Rig) -> None:
    """Between the two, entries are made; with a lookback of a month those at a month's end were missed for a week."""
    last_month = month(1).first_moment + timedelta(days=27, hours=23)
    with mock.patch.object(reading_module, "datetime", wraps=datetime) as clock:
        clock.now.return_value = last_month
        tiny.sync()
    tiny.workspace.new_time_entry(tiny.workspace.users[0]["id"], last_month + timedelta(hours=1))
    assert tiny.routine_sync(lookback_months=1).span.first == month(1)
    tiny.assert_equals_api()


def test_months_that_a_clock_that_was_ahead_called_past_are_read_again_once_it_is_right(tiny: Rig) -> None:
    """Each sync was green, and what was entered while the clock was wrong came with none of them, also not afterwards."""
    last_month = month(1).first_moment + timedelta(days=20)
    with mock.patch.object(reading_module, "datetime", wraps=datetime) as clock:
        clock.now.return_value = last_month
        tiny.sync(None, str(month(1)))
        clock.now.return_value = last_month + timedelta(days=400)
        tiny.routine_sync(lookback_months=1)
    tiny.workspace.new_time_entry(tiny.workspace.users[0]["id"], last_month + timedelta(hours=1))
    assert tiny.routine_sync(lookback_months=1).span.first == month(1)
    tiny.assert_equals_api()


def test_a_table_that_was_dropped_is_read_from_the_beginning(tiny: Rig) -> None:
    """Two of eleven rows came back, and the sync was green."""
    tiny.sync()
    with duckdb.connect(str(tiny.path)) as con:
        con.execute("DROP TABLE raw.time_entries")
    tiny.routine_sync(lookback_months=1)
    tiny.assert_equals_api()
    assert tiny.routine_sync(lookback_months=1).span.first == month(0)


def test_a_month_that_was_read_into_a_table_made_anew_does_not_bring_the_old_coverage_back(tiny: Rig) -> None:
    tiny.sync()
    with duckdb.connect(str(tiny.path)) as con:
        con.execute("DROP TABLE raw.time_entries")
    tiny.sync(str(month(0)), str(month(0)))
    tiny.routine_sync(lookback_months=1)
    tiny.assert_equals_api()


def test_a_history_that_is_to_begin_earlier_is_read_from_its_new_beginning(tiny: Rig) -> None:
    tiny.sync()
    tiny.start = month(MONTHS + 2).first_moment.date()
    tiny.workspace.new_time_entry(tiny.workspace.users[0]["id"], iso(month(MONTHS + 1).first_moment))
    tiny.routine_sync(lookback_months=1)
    tiny.assert_equals_api()


def test_a_list_that_was_refused_at_first_is_read_as_a_whole_once_it_can_be(tiny: Rig) -> None:
    """Only the two months of the lookback came, each sync was green, and the others were missing for good."""
    ada, ben = (user["id"] for user in tiny.workspace.users[:2])
    tiny.server.behaviour.refused_parents[ada] = (403, 403)
    tiny.sync()
    tiny.routine_sync(lookback_months=1)
    tiny.server.behaviour.refused_parents.clear()
    tiny.workspace.edit("time_entries", entry_of(tiny.workspace, "Ben", 2)["id"], description="Not asked for")
    asked = [len(tiny.asked("time_entries", member)) for member in (ada, ben)]
    for more in ([2, 1], [3, 2]):  # what was read once is covered like all else
        tiny.routine_sync(lookback_months=1)
        tiny.assert_equals_api(keep_entries_of=[ben])
        assert [len(tiny.asked("time_entries", member)) for member in (ada, ben)] == [
            a + b for a, b in zip(asked, more, strict=True)
        ]


def test_a_member_who_is_listed_later_brings_all_history(tiny: Rig) -> None:
    """Those of limited accounts are listed once ANALYTICS_EXTRA_PARAMS asks for them: their older hours never came."""
    tiny.workspace.edit("users", tiny.workspace.users[0]["id"], status="LIMITED")
    tiny.sync()
    tiny.extra_params = {"users": {"account-statuses": "ACTIVE,LIMITED"}}
    tiny.routine_sync(lookback_months=1)
    assert not tiny.verify().unequal
    tiny.sync(str(month(MONTHS - 1)), str(month(MONTHS - 1)))
    assert not tiny.verify().unequal


def test_a_member_who_comes_back_after_months_brings_what_happened_meanwhile(tiny: Rig) -> None:
    """Entries were added, moved and deleted while the list could not be read; what is not there now is gone."""
    ada = tiny.workspace.users[0]["id"]
    with mock.patch.object(reading_module, "datetime", wraps=datetime) as clock:
        clock.now.return_value = moment(2)
        tiny.sync()
    tiny.server.behaviour.refused_parents[ada] = (403, 403)
    for _ in range(2):
        tiny.routine_sync(lookback_months=1)
    tiny.workspace.new_time_entry(ada, moment(1, day=9))
    tiny.workspace.delete("time_entries", entry_of(tiny.workspace, "Ada", 3)["id"])
    tiny.workspace.edit(
        "time_entries", entry_of(tiny.workspace, "Ada", 0)["id"], timeInterval={"start": iso(moment(3)), "end": None}
    )
    tiny.server.behaviour.refused_parents.clear()
    tiny.routine_sync(lookback_months=1)
    tiny.assert_equals_api()


def test_the_log_of_publications_says_of_which_lists_earlier_months_were_read(tiny: Rig) -> None:
    """The model time_entry_changes judges by it what was added late, and what nobody had looked for before."""
    ada = tiny.workspace.users[0]["id"]
    tiny.server.behaviour.refused_parents[ada] = (403, 403)
    tiny.sync()
    tiny.server.behaviour.refused_parents.clear()
    tiny.routine_sync(lookback_months=1)
    rows = tiny.query("SELECT window_start, window_end, lists_read FROM raw._publications WHERE lists_read IS NOT NULL")
    assert rows == [(month(MONTHS - 1).first_moment, month(0).first_moment, [ada])]


def test_a_list_that_is_refused_while_its_history_is_read_counts_as_not_read(tiny: Rig) -> None:
    ada = tiny.workspace.users[0]["id"]
    refused = tiny.server.behaviour.refused_parents
    refused[ada] = (403, 403)
    tiny.sync()
    refused.clear()
    asked = len(tiny.asked("time_entries", ada))

    def refuse_the_second(request: RequestSeen) -> None:
        if request.resource == "time_entries" and request.parent_id == ada and len(tiny.asked("time_entries", ada)) > asked + 1:
            refused[ada] = (403, 403)

    tiny.server.behaviour.before_answer = refuse_the_second
    tiny.routine_sync(lookback_months=1)
    tiny.server.behaviour.before_answer = None
    assert tiny.query("SELECT count(*) FROM raw._publications WHERE lists_read IS NOT NULL") == [(0,)]
    refused.clear()
    tiny.routine_sync(lookback_months=1)
    tiny.assert_equals_api()
