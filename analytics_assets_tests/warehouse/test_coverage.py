"""What a routine sync reads: the lookback, and every month that no chain of readings reaches."""

from datetime import datetime, timedelta
from unittest import mock

import duckdb

from analytics_assets.pipeline import reading as reading_module
from analytics_assets_tests.rig import Rig
from analytics_assets_tests.tiny import MONTHS, iso, month


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
