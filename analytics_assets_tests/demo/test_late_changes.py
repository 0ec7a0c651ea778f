"""The demo workspace can be taken back to what it was before its last changes, and goes on to just what it was."""

from datetime import date

from analytics_assets.demo.build import build_workspace, workspace_id
from analytics_assets.demo.late_changes import ADDED, DELETED, EDITED, late_months, take_back
from analytics_assets.demo.workspace import Workspace

TODAY = date(2025, 3, 14)


def small() -> Workspace:
    return build_workspace(today=TODAY, months=6, users=6, projects=6, clients=3, entries=900)


def entries_of(workspace: Workspace) -> dict[str, object]:
    return {entry["id"]: entry for entry in workspace.records("time_entries")}


def test_what_was_taken_back_goes_on_to_the_same_entries_in_the_same_order() -> None:
    workspace, before = small(), small()
    go_on = take_back(workspace, today=TODAY)
    former, final = entries_of(workspace), entries_of(before)
    assert len(former.keys() - final.keys()) == DELETED
    assert len(final.keys() - former.keys()) == ADDED
    assert sum(former[key] != final[key] for key in former.keys() & final.keys()) == EDITED
    go_on()
    assert entries_of(workspace) == final
    for user in workspace.users:
        assert workspace.listing("time_entries", user["id"]).rows == before.listing("time_entries", user["id"]).rows


def test_only_entries_of_the_last_closed_months_are_changed() -> None:
    first, end = (day.isoformat() for day in late_months(TODAY))
    assert (first, end) == ("2024-12-01", "2025-03-01")
    workspace, before = small(), small()
    take_back(workspace, today=TODAY)
    changed = [entry for key, entry in entries_of(before).items() if entries_of(workspace).get(key) != entry]
    assert changed
    assert all(first <= entry["timeInterval"]["start"] < end for entry in changed)  # type: ignore[index]


def test_a_workspace_without_entries_has_no_late_changes() -> None:
    workspace = build_workspace(today=TODAY, months=2, users=1, projects=0, clients=0, entries=0)
    take_back(workspace, today=TODAY)()
    assert entries_of(workspace) == {}


def test_a_seed_invents_the_same_workspace_id_on_every_day() -> None:
    assert small().id == workspace_id() != workspace_id(8)
