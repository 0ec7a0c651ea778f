"""A sync of months holds just those months, however the server reads the window that it is asked for."""

from datetime import datetime, timedelta

import pytest

from analytics_assets.demo.workspace import Workspace
from analytics_assets_tests.rig import Rig
from analytics_assets_tests.tiny import MONTHS, moment, month, only_entries

HOURS_OFF = (-14, -9.5, 0, 14)
EDGES = tuple(
    timedelta(seconds=seconds) for hours in (-14, -1, 0, 1, 14) for seconds in (hours * 3600 - 1, hours * 3600, hours * 3600 + 1)
)


def crowd_the_edges(workspace: Workspace) -> None:
    """Entries on, and within hours of, both ends of the last month but one."""
    for back in (2, 1):
        for edge in EDGES:
            start = month(back).first_moment + edge
            workspace.new_time_entry(workspace.users[0]["id"], start, start + timedelta(hours=1), description=f"{edge}")
        for text in (f"{month(back + 1)}-28T23:59:59.999Z", f"{month(back)}-01T00:00:00.000001Z"):
            workspace.new_time_entry(workspace.users[0]["id"], text, None, description="with a fraction")


def entries_of(rig: Rig, back: int) -> list[str]:
    """The rows of a month, with the moment they were loaded."""
    first, end = month(back).first_moment, month(back - 1).first_moment
    rows = rig.query(f"FROM raw.time_entries WHERE time_interval__start >= '{first}' AND time_interval__start < '{end}'")
    return sorted(map(repr, rows))


def starts(rig: Rig) -> list[datetime]:
    return [row["time_interval__start"] for row in rig.rows("time_entries").values()]


@pytest.mark.parametrize("inclusive", [True, False], ids=["inclusive", "exclusive"])
@pytest.mark.parametrize("hours", HOURS_OFF)
def test_a_month_is_exact_for_servers_that_read_the_window_up_to_fourteen_hours_off(
    tiny: Rig, hours: float, inclusive: bool
) -> None:
    crowd_the_edges(tiny.workspace)
    tiny.server.behaviour.window_offset = timedelta(hours=hours)
    tiny.server.behaviour.window_inclusive = inclusive
    tiny.assert_reads_the_api("time_entries", str(month(2)), str(month(2)))
    tiny.assert_reads_the_api("time_entries", str(month(1)), str(month(0)))


def test_a_server_that_ignores_the_window_brings_no_entry_of_another_month(tiny: Rig) -> None:
    crowd_the_edges(tiny.workspace)
    tiny.server.behaviour.honours_window = False
    tiny.assert_reads_the_api("time_entries", str(month(2)), str(month(2)))


def test_a_partition_holds_just_its_month_and_leaves_its_neighbour_to_the_byte(tiny: Rig) -> None:
    crowd_the_edges(tiny.workspace)
    tiny.server.behaviour.window_offset = timedelta(hours=14)
    tiny.server.behaviour.window_inclusive = False
    middle, after = str(month(2)), str(month(1))
    tiny.sync(middle, middle, only_entries())
    tiny.assert_equals_api(middle, middle, resources=only_entries())
    assert all(month(2).first_moment <= start < month(1).first_moment for start in starts(tiny))
    before = entries_of(tiny, 2)
    tiny.sync(after, after, only_entries())
    tiny.assert_equals_api(middle, after, resources=only_entries())
    assert len(starts(tiny)) == len(entries_of(tiny, 2)) + len(entries_of(tiny, 1))
    assert entries_of(tiny, 2) == before, "a sync of one month touched another"


def test_the_months_outside_a_sync_stay_as_they_are_even_when_the_api_has_changed_them(tiny: Rig) -> None:
    tiny.sync(resources=only_entries())
    before = {back: entries_of(tiny, back) for back in range(MONTHS)}
    for entry in tiny.workspace.records("time_entries"):
        tiny.workspace.edit("time_entries", entry["id"], description="changed everywhere")
    victims = [e for e in tiny.workspace.records("time_entries") if e["timeInterval"]["start"].startswith(str(month(3)))]
    tiny.workspace.delete("time_entries", victims[0]["id"])
    tiny.sync(str(month(2)), str(month(1)), only_entries())
    tiny.assert_equals_api(str(month(2)), str(month(1)), resources=only_entries())
    assert {back: entries_of(tiny, back) == before[back] for back in range(MONTHS)} == {0: True, 1: False, 2: False, 3: True}


def test_history_that_begins_in_the_midst_of_a_month_begins_there_to_the_second(tiny: Rig) -> None:
    first_day = moment(2, day=15).date()
    midnight = moment(2, day=15, hour=0)
    for seconds in (-1, 0, 1):
        tiny.workspace.new_time_entry(tiny.workspace.users[0]["id"], midnight + timedelta(seconds=seconds), None)
    tiny.start = first_day
    tiny.sync(resources=only_entries())
    tiny.assert_equals_api(resources=only_entries())
    assert min(starts(tiny)) == midnight
    before = tiny.contents()
    tiny.sync(str(month(2)), str(month(2)), only_entries())
    assert tiny.contents() == before


def test_entries_planned_ahead_are_loaded_by_a_sync_up_to_now_and_left_alone_by_others(tiny: Rig) -> None:
    ahead = [
        tiny.workspace.new_time_entry(tiny.workspace.users[0]["id"], moment(-months), moment(-months, hour=10))["id"]
        for months in (1, 13, 400)
    ]
    tiny.sync(str(month(0)), None, only_entries())
    assert set(ahead) <= set(tiny.rows("time_entries"))
    tiny.assert_equals_api(str(month(0)), None, resources=only_entries())
    for entry in ahead:
        tiny.workspace.delete("time_entries", entry)
    tiny.sync(str(month(1)), str(month(1)), only_entries())
    assert set(ahead) <= set(tiny.rows("time_entries"))


def test_entries_without_a_start_belong_to_all_history_and_to_no_month(tiny: Rig) -> None:
    blank = {"start": None, "end": None, "duration": None}
    undated = tiny.workspace.new("time_entries", tiny.workspace.users[1]["id"], timeInterval=blank)["id"]
    absent = tiny.workspace.new("time_entries", tiny.workspace.users[1]["id"], timeInterval=None)["id"]
    tiny.server.behaviour.honours_window = False
    tiny.sync(str(month(1)), None, only_entries())
    assert not {undated, absent} & set(tiny.rows("time_entries"))
    tiny.sync(resources=only_entries())
    tiny.assert_equals_api(resources=only_entries())
    tiny.workspace.delete("time_entries", absent)
    tiny.sync(str(month(1)), None, only_entries())
    assert {undated, absent} <= set(tiny.rows("time_entries")), "a sync of months deleted what belongs to none"
