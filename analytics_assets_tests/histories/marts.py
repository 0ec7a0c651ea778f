"""What dimensions and facts must hold after a sync of an invented history."""

from datetime import UTC, datetime

from analytics_assets.source.columns import RESOURCE_NAMES, ResourceName
from analytics_assets_tests.dbt.expected import amount, cost, seconds
from analytics_assets_tests.dbt.history import Sync
from analytics_assets_tests.dbt.promises import Workspace
from analytics_assets_tests.histories.model import Model, flattened
from analytics_assets_tests.rig import Row

DIMENSIONS: dict[str, tuple[ResourceName, dict[str, str]]] = {
    "dim_users": ("users", {"user_id": "id", "user_name": "name"}),
    "dim_projects": ("projects", {"project_id": "id", "project_name": "name", "client_id": "client_id"}),
    "dim_clients": ("clients", {"client_id": "id", "client_name": "name"}),
    "dim_tasks": ("tasks", {"task_id": "id", "task_name": "name", "project_id": "project_id"}),
    "dim_tags": ("tags", {"tag_id": "id", "tag_name": "name"}),
    "dim_user_groups": ("user_groups", {"user_group_id": "id", "user_group_name": "name"}),
}
FACTS = "fct_time_entries"
MODELS = (*DIMENSIONS, FACTS)
ANY_TIME = datetime(2025, 1, 1, tzinfo=UTC)


def assert_marts_tell(model: Model, built: dict[str, list[Row]]) -> None:
    """Dimensions hold what is there and, flagged, what has left; the facts what is there."""
    rows = {resource: [flattened(resource, record) for record in model.live[resource].values()] for resource in RESOURCE_NAMES}
    left = {
        resource: [flattened(resource, record) for record in model.departed(resource).values()] for resource in RESOURCE_NAMES
    }
    for dimension, (resource, columns) in DIMENSIONS.items():
        expected = {
            row["id"]: {
                **{name: _without_blank(resource, row, column) for name, column in columns.items()},
                "is_deleted": is_deleted,
            }
            for is_deleted, some in ((False, rows[resource]), (True, left[resource]))
            for row in some
        }
        _assert_same(dimension, next(iter(columns)), expected, built[dimension])
    known = {resource: [*left[resource], *rows[resource]] for resource in RESOURCE_NAMES}
    workspace = Workspace([Sync(ANY_TIME, (ANY_TIME, None), {**known, "time_entries": rows["time_entries"]})])
    facts = {
        entry.row["id"]: {
            "time_entry_id": entry.row["id"],
            "user_id": entry.row["user_id"],
            "project_id": entry.project_id,
            "client_id": entry.client_id,
            "task_id": entry.row["task_id"] or None,
            "workspace_id": entry.row["workspace_id"],
            "description": entry.row["description"] or None,
            "is_billable": entry.is_billable,
            "is_running": entry.row["time_interval__end"] is None,
            "started_at": entry.row["time_interval__start"],
            "ended_at": entry.row["time_interval__end"],
            "duration_seconds": seconds(entry.row),
            "entry_date": entry.row["time_interval__start"].date(),
            "amount_minor": amount(entry.row),
            "cost_minor": cost(entry.row),
            "currency": entry.currency,
        }
        for entry in workspace.entries
    }
    _assert_same(FACTS, "time_entry_id", facts, built[FACTS])


def _without_blank(resource: ResourceName, row: Row, column: str) -> object:
    """The value, null for a blank id and a blank name of a member; other things may have a blank name."""
    return row[column] if column == "name" and resource != "users" else row[column] or None


def _assert_same(table: str, key: str, expected: dict[str, Row], found: list[Row]) -> None:
    by_key = {row[key]: row for row in found}
    assert len(by_key) == len(found), f"a row stands twice in {table}"
    assert by_key.keys() == expected.keys(), f"{table} holds other rows"
    different = [
        (key, name, by_key[key][name], value)
        for key, row in expected.items()
        for name, value in row.items()
        if by_key[key][name] != value
    ]
    assert different == [], f"{table} (key, column, found, expected): {different[:4]}"
