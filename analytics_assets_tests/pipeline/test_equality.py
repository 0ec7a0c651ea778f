"""After a sync the raw tables equal the API, value by value."""

import pytest

from analytics_assets.warehouse import comparison
from analytics_assets_tests.rig import Rig
from analytics_assets_tests.tiny import entry_of


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


ODD_IDS = ["a:b", "ü@example.com", "~!$&'()*+,=|<>^`\"", "...", "日本語", "0", "-1", "é"]
ODDER_IDS = [*ODD_IDS, "../users", "..", "a/b?c#d", "100 %", " ", "line\nbreak", "{id}", "O'Brien; --"]


def test_ids_of_any_characters_are_ids(tiny: Rig) -> None:
    """All but letters, digits and four signs were refused, also in ids that are never part of an address."""
    workspace, entry = tiny.workspace, entry_of(tiny.workspace, "Ada", 1)
    for odd in ODD_IDS:
        workspace.new("users", id=odd, name=odd)
        workspace.new("projects", id=odd, name=odd)
        workspace.new("tasks", odd, id=f"task {odd}", name=odd)
        workspace.add("time_entries", {**entry, "id": f"entry {odd}", "userId": odd, "projectId": odd})
    for odd in ODDER_IDS:
        workspace.new("clients", id=odd, name=odd)
        workspace.new("tags", id=odd, name=odd)
        workspace.new("user_groups", id=odd, name=odd)
        workspace.new("tasks", ODD_IDS[0], id=odd, name=odd)
        workspace.add("time_entries", {**entry, "id": odd})
    tiny.sync()
    tiny.assert_equals_api()
    assert tiny.verify().unequal == []
    moved = entry_of(workspace, "Chi", 1)["id"]
    workspace.edit("time_entries", moved, userId=ODD_IDS[1])
    workspace.delete("time_entries", f"entry {ODD_IDS[0]}")
    tiny.sync()
    tiny.assert_equals_api()


def test_rows_that_were_read_and_did_not_land_are_not_taken_for_deleted(tiny: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistake in the name of the landing's schema once let every table look as if nothing of it had been read."""
    tiny.sync()
    monkeypatch.setattr(comparison, "columns_of_landed", lambda con, name: set())
    assert "rows of users were read and 0 arrived in the landing; nothing was published" in tiny.failing_sync()
