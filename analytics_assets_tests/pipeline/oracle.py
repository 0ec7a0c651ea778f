"""What the warehouse must hold, worked out from the API's records alone, sync by sync.

The semantics of the project stand here a second time, in plain Python and without a look at the pipeline: which
absences are deletions, what a refused list says, what of the history is kept.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from analytics_assets.source.columns import RESOURCE_NAMES, TABLES, ResourceName
from analytics_assets_tests.rig import Rig, Row, assert_rows_equal, is_in, start_of

Records = dict[str, Row]
CHILDREN: Mapping[ResourceName, tuple[ResourceName, str]] = {
    "time_entries": ("users", "userId"),
    "tasks": ("projects", "projectId"),
}


class Oracle:
    """The records that the warehouse must hold, and those that its history must tell of."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.live: dict[ResourceName, Records] = {resource: {} for resource in RESOURCE_NAMES}
        self.past: dict[ResourceName, list[tuple[str, str, Row]]] = {resource: [] for resource in RESOURCE_NAMES}

    def must_fail(self, resources: Sequence[ResourceName]) -> bool:
        """Whether every list of a child resource is refused, so that the sync can't be green."""
        refused = self.rig.server.behaviour.refused_parents
        for child, (parent, _) in CHILDREN.items():
            listed = [record["id"] for record in self.rig.workspace.records(parent)]
            if child in resources and listed and all(record in refused for record in listed):
                return True
        return False

    def synced(self, resources: Sequence[ResourceName], first: str | None, last: str | None) -> None:
        """A sync of these resources and months ended green."""
        for resource in resources:
            new = self._after_sync(resource, first, last)
            for record_id, old in self.live[resource].items():
                if record_id not in new:
                    self.past[resource].append((record_id, "deleted", old))
                elif new[record_id] != old:
                    self.past[resource].append((record_id, "edited", old))
            self.live[resource] = new

    def _after_sync(self, resource: ResourceName, first: str | None, last: str | None) -> Records:
        workspace, refused = self.rig.workspace, self.rig.server.behaviour.refused_parents
        if resource not in CHILDREN:
            return {record["id"]: record for record in workspace.records(resource)}
        parent, field = CHILDREN[resource]
        listed = {record["id"] for record in workspace.records(parent)}
        readable = listed - set(refused)
        records = [record for record in workspace.records(resource) if record[field] in readable]
        old = self.live[resource]
        if resource == "tasks":
            kept = {key: task for key, task in old.items() if task[field] in listed & set(refused)}
            return {**kept, **{record["id"]: record for record in records}}
        window = self.rig.window(first, last)
        kept = {key: entry for key, entry in old.items() if entry[field] not in readable or not is_in(window, start_of(entry))}
        return {**kept, **{record["id"]: record for record in records if is_in(window, start_of(record))}}

    def check(self) -> None:
        """The warehouse holds just this, and its history tells of just those."""
        with self.rig.held_open():
            rows_of = {resource: self.rig.rows(resource) for resource in RESOURCE_NAMES}
            history_of = {resource: self.rig.history(resource) for resource in RESOURCE_NAMES}
        for resource, history in history_of.items():
            rows = rows_of[resource]
            assert_rows_equal(resource, list(self.live[resource].values()), rows)
            told = sorted((row["id"], row["_change"], comparable(resource, row)) for row in history)
            expected = sorted((key, change, as_row(resource, record)) for key, change, record in self.past[resource])
            assert told == expected, f"raw_history.{resource} tells another story"
            check_intervals(rows, history)


def check_intervals(rows: Records, history: Sequence[Row]) -> None:
    """The versions of a row follow one another: without a gap where it was edited, with one where it was deleted."""
    versions: dict[str, list[Row]] = {}
    for row in history:
        versions.setdefault(row["id"], []).append(row)
    for record_id, earlier in versions.items():
        following = [*earlier[1:], rows.get(record_id)]
        for version, after in zip(earlier, following, strict=True):
            assert version["_loaded_at"] < version["_valid_to"]
            if version["_change"] == "edited":
                assert after is not None and after["_loaded_at"] == version["_valid_to"]
            else:
                assert after is None or after["_loaded_at"] > version["_valid_to"]


def as_row(resource: ResourceName, record: Row) -> str:
    """A record's declared values, as text that equal rows share."""
    values: dict[str, Any] = {}
    for column in TABLES[resource].columns:
        value: Any = record
        for part in column.path:
            value = value.get(part) if value is not None else None
        if column.data_type == "timestamp" and value is not None:
            value = datetime.fromisoformat(value).astimezone(UTC)
        values[column.name] = value
    return repr(values)


def comparable(resource: ResourceName, row: Row) -> str:
    """A row's declared values, as `as_row` writes them."""
    values: dict[str, Any] = {}
    for column in TABLES[resource].columns:
        value = row[column.name]
        if column.data_type == "json" and value is not None:
            value = json.loads(value)
        elif column.data_type == "timestamp" and value is not None:
            value = value.astimezone(UTC)
        values[column.name] = value
    return repr(values)
