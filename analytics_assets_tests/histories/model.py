"""The law in plain Python: what the warehouse must hold after a sync, worked out from the API's records alone.

The semantics of the project stand here a second time, without a look at the pipeline: which absences are deletions,
what a refused list says, what of the history is kept.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from analytics_assets.demo.workspace import Workspace
from analytics_assets.source.columns import RESOURCE_NAMES, TABLES, ResourceName
from analytics_assets.source.window import Window
from analytics_assets_tests.histories.coverage import Asked, Coverage
from analytics_assets_tests.rig import Row, is_in, start_of

Records = dict[str, Row]
State = Mapping[ResourceName, Records]
CHILDREN: Mapping[ResourceName, tuple[ResourceName, str]] = {
    "time_entries": ("users", "userId"),
    "tasks": ("projects", "projectId"),
}


def state_of(workspace: Workspace) -> State:
    """What the API has now; its records are never changed in place."""
    return {resource: {record["id"]: record for record in workspace.records(resource)} for resource in RESOURCE_NAMES}


class Model:
    """The records that the warehouse must hold, and those that its history must tell of.

    Args:
        history: the time that the warehouse is about.
    """

    def __init__(self, history: Window) -> None:
        self.history = history
        self.coverage = Coverage(history)
        self.live: dict[ResourceName, Records] = {resource: {} for resource in RESOURCE_NAMES}
        self.past: dict[ResourceName, list[tuple[str, str, Row]]] = {resource: [] for resource in RESOURCE_NAMES}

    def departed(self, resource: ResourceName) -> Records:
        """The rows that left and are not back, as they were last seen."""
        left = {key: record for key, change, record in self.past[resource] if change == "deleted"}
        return {key: record for key, record in left.items() if key not in self.live[resource]}

    def synced(
        self,
        resources: Sequence[ResourceName],
        asked: Asked,
        states: Sequence[State],
        refused: Collection[str],
        found: Mapping[ResourceName, Mapping[str, Row]],
    ) -> None:
        """A sync of these resources ended green.

        Args:
            resources: what it was asked for.
            asked: the time entries that it was asked for.
            states: what the API had, from the sync's beginning to its end. Of a record that changed in between, any of
                its states is right; one that was there all the time must have been found. Its members were the same.
            refused: the parents whose lists were refused.
            found: the rows that the warehouse has now, to see which state it was.
        """
        windows = {member: self.coverage.window_of(member, asked) for member in states[0]["users"].keys() - set(refused)}
        for resource in resources:
            possible = [after for state in states for after in self._after(resource, windows, state, refused)]
            if resource == "time_entries" and len(states) > 1:
                # for the sake of a row that moved meanwhile any list may have been read as a whole
                whole = dict.fromkeys(windows, self.history)
                possible = [after for state in states for after in self._after(resource, whole, state, refused)] + possible
            old = self.live[resource]
            new: Records = {}
            for record_id in {key for records in possible for key in records}:
                versions = [records.get(record_id) for records in possible]
                if (record := _found_version(resource, versions, found[resource].get(record_id))) is not None:
                    new[record_id] = record
            for record_id, record in old.items():
                if record_id not in new:
                    self.past[resource].append((record_id, "deleted", record))
                elif new[record_id] != record:
                    self.past[resource].append((record_id, "edited", record))
            self.live[resource] = new
        if "time_entries" in resources:
            self.coverage.read(windows, asked)

    def _after(
        self, resource: ResourceName, windows: Mapping[str, Window], state: State, refused: Collection[str]
    ) -> list[Records]:
        """What is right after a sync that met one state of the API; the last is what it must find at least.

        Of each member whose entries can be read, `windows` has the time in which they are.
        """
        if resource not in CHILDREN:
            return [dict(state[resource])]
        parent, field = CHILDREN[resource]
        listed = state[parent].keys()
        readable = listed - set(refused)
        served = {key: record for key, record in state[resource].items() if record[field] in readable}
        old = self.live[resource]
        if resource == "tasks":
            return [{**{key: task for key, task in old.items() if task[field] in listed - readable}, **served}]

        def is_read(entry: Row) -> bool:
            return entry[field] in windows and is_in(windows[entry[field]], start_of(entry))

        kept = {key: entry for key, entry in old.items() if not is_read(entry)}
        # moved to a month that was not asked for: counted where it is
        moved = {
            key: served[key] for key in (old.keys() & served.keys()) - kept.keys() if is_in(self.history, start_of(served[key]))
        }
        # by another member besides: only where that member's list is read as a whole for the sake of another entry
        by_its_member = {key: entry for key, entry in moved.items() if entry[field] == old[key][field]}
        inside = {key: entry for key, entry in served.items() if is_read(entry)}
        return [{**kept, **moved, **inside}, {**kept, **by_its_member, **inside}]


def must_fail(resources: Collection[ResourceName], state: State, refused: Collection[str]) -> bool:
    """Whether every list of a child resource is refused, so that a sync can't be green."""
    parents = [CHILDREN[resource][0] for resource in resources if resource in CHILDREN]
    return any(state[parent] and state[parent].keys() <= set(refused) for parent in parents)


def _found_version(resource: ResourceName, versions: Sequence[Row | None], found: Row | None) -> Row | None:
    """The version that the warehouse has; the last one where it has none of them, so that the comparison names it."""
    text = None if found is None else comparable(resource, found)
    for version in versions:
        if (None if version is None else as_row(resource, version)) == text:
            return version
    return versions[-1]


def assert_holds(model: Model, rows_of: Mapping[ResourceName, Records], history_of: Mapping[ResourceName, Sequence[Row]]) -> None:
    """The raw tables hold just what the model has, and the history tells of just those."""
    for resource, history in history_of.items():
        rows = {key: comparable(resource, row) for key, row in rows_of[resource].items()}
        expected_rows = {key: as_row(resource, record) for key, record in model.live[resource].items()}
        assert rows == expected_rows, f"raw.{resource} does not hold what the API has"
        told = sorted((row["id"], row["_change"], comparable(resource, row)) for row in history)
        expected = sorted((key, change, as_row(resource, record)) for key, change, record in model.past[resource])
        assert told == expected, f"raw_history.{resource} tells another story"
        _assert_versions_follow(rows_of[resource], history)


def _assert_versions_follow(rows: Records, history: Sequence[Row]) -> None:
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


def flattened(resource: ResourceName, record: Row) -> Row:
    """A record's declared values by the columns of its table."""
    values: Row = {}
    for column in TABLES[resource].columns:
        value: Any = record
        for part in column.path:
            value = value.get(part) if value is not None else None
        if column.data_type == "timestamp" and value is not None:
            value = datetime.fromisoformat(value).astimezone(UTC)
        values[column.name] = value
    return values


def as_row(resource: ResourceName, record: Row) -> str:
    """A record's declared values, as text that equal rows share."""
    return repr(flattened(resource, record))


def comparable(resource: ResourceName, row: Row) -> str:
    """A row's declared values, as `as_row` writes them."""
    values: Row = {}
    for column in TABLES[resource].columns:
        value = row[column.name]
        if column.data_type == "json" and value is not None:
            value = json.loads(value)
        elif column.data_type == "timestamp" and value is not None:
            value = value.astimezone(UTC)
        values[column.name] = value
    return repr(values)
