"""Which lists of time entries a routine sync reads as a whole, because nobody has done so yet, and that it pays for it once."""

from dataclasses import replace
from datetime import datetime
from unittest import mock

import pytest

from analytics_assets.demo.faults import Fault
from analytics_assets.pipeline import reading as reading_module
from analytics_assets.warehouse.places import ledger_file
from analytics_assets_tests.rig import Rig
from analytics_assets_tests.tiny import entry_of, moment


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
