"""After a sync the raw tables equal the API, value by value."""

import pytest

from analytics_assets_tests.rig import Rig


@pytest.mark.parametrize("envelope", ["data", "bare"])
def test_every_row_equals_the_api_in_either_envelope(rig: Rig, envelope: str) -> None:
    rig.server.behaviour.envelope = envelope  # type: ignore[assignment]
    rig.sync()
    rig.assert_equals_api()


def test_a_second_sync_of_an_unchanged_workspace_changes_nothing(rig: Rig) -> None:
    rig.sync()
    before = rig.contents()
    report = rig.sync()
    assert rig.contents() == before
    assert all(p.new == p.changed == p.deleted == 0 for p in report.published.values())
