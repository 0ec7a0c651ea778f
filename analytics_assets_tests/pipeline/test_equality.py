"""After a sync the raw tables equal the API, value by value."""

import pytest

from analytics_assets_tests.rig import Rig


@pytest.mark.parametrize("envelope", ["data", "bare"])
def test_every_row_equals_the_api_in_either_envelope(rig: Rig, envelope: str) -> None:
    rig.server.behaviour.envelope = envelope  # type: ignore[assignment]
    rig.sync()
    rig.assert_equals_api()


@pytest.mark.parametrize("habit", ["add", "filter"])
def test_members_with_limited_accounts_are_read_with_their_entries_when_they_are_asked_for(tiny: Rig, habit: str) -> None:
    tiny.server.behaviour.account_statuses = habit  # type: ignore[assignment]
    limited = tiny.workspace.users[1]["id"]
    tiny.workspace.edit("users", limited, status="LIMITED")
    assert limited not in {entry["user_id"] for entry in tiny.read("time_entries").values()}
    tiny.extra_params = {"users": {"account-statuses": "ACTIVE,LIMITED"}}
    assert set(tiny.read("time_entries")) == {entry["id"] for entry in tiny.workspace.records("time_entries")}
    assert limited in tiny.read("users")


def test_a_second_sync_of_an_unchanged_workspace_changes_nothing(rig: Rig) -> None:
    rig.sync()
    before = rig.contents()
    report = rig.sync()
    assert rig.contents() == before
    assert all(p.new == p.changed == p.deleted == 0 for p in report.published.values())
