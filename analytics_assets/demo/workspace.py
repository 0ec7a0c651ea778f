"""The pretended workspace: its records, the changes made to them, and the bytes in which they are served.

Records lie here as plain dicts and are never changed in place: an edit puts a new dict in the old one's
stead, so that a record once read stays as it was read. How a request is answered is `server`'s business.
"""

import datetime as dt
import threading
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import Any

from analytics_assets.demo.records import (
    PARENT_FIELDS,
    PARENTS,
    Record,
    ResourceName,
    default_record,
    encode,
    interval,
    start_key,
)


@dataclass(frozen=True)
class Listing:
    """All records under one parent in the order of the API, each beside its bytes."""

    rows: list[Record]
    encoded: list[bytes]
    ascending_starts: list[str]

    def window(self, start: str | None, end: str | None, *, inclusive: bool) -> slice:
        """Where the entries lie whose start is within the window (sort keys, see `records.sort_key`)."""
        total, keys = len(self.rows), self.ascending_starts
        first = bisect_left(keys, "0") if start or end else 0
        last = total
        if start:
            first = bisect_left(keys, start) if inclusive else bisect_right(keys, start)
        if end:
            last = bisect_right(keys, end) if inclusive else bisect_left(keys, end)
        return slice(total - max(first, last), total - first)


class Workspace:
    """A mutable workspace: change it with its methods, the next request sees the change.

    Whoever changes the lists or a record directly must call `changed` afterwards.
    """

    def __init__(self, workspace_id: str, *, issued: dt.date, machine: str = "a55e75000d") -> None:
        """An empty workspace; `issued` and `machine` (10 hex digits) go into the ids that `new_id` gives."""
        self.id = workspace_id
        self.lock = threading.RLock()
        self.users: list[Record] = []
        self.projects: list[Record] = []
        self.clients: list[Record] = []
        self.tags: list[Record] = []
        self.user_groups: list[Record] = []
        self.tasks: dict[str, list[Record]] = {}
        self.time_entries: dict[str, list[Record]] = {}
        self._issued = int(dt.datetime.combine(issued, dt.time(), dt.UTC).timestamp())
        self._machine = machine
        self._counter = 0
        self._listings: dict[tuple[ResourceName, str | None], Listing] = {}
        self._encoded: dict[int, bytes] = {}
        self._parent_of: dict[ResourceName, dict[str, str]] = {}

    def new_id(self, at: int | None = None) -> str:
        """A fresh id of 24 hex digits: seconds of the given instant, the workspace's mark, a counter."""
        with self.lock:
            self._counter += 1
            return f"{self._issued if at is None else at:08x}{self._machine}{self._counter:06x}"

    def copy(self) -> "Workspace":
        """An independent workspace with the same records; cheap, since records are never changed in place."""
        with self.lock:
            other = Workspace(self.id, issued=dt.date(1970, 1, 1), machine=self._machine)
            other._issued, other._counter = self._issued, self._counter
            for name in ("users", "projects", "clients", "tags", "user_groups"):
                setattr(other, name, list(getattr(self, name)))
            other.tasks = {parent: list(rows) for parent, rows in self.tasks.items()}
            other.time_entries = {parent: list(rows) for parent, rows in self.time_entries.items()}
            other._encoded = dict(self._encoded)
            return other

    def records(self, resource: ResourceName) -> list[Record]:
        """All records of the resource, over all parents."""
        with self.lock:
            if resource in PARENTS:
                return [row for rows in self._children(resource).values() for row in rows]
            return list(self._flat(resource))

    def find(self, resource: ResourceName, record_id: str) -> Record:
        """The record under this id; KeyError when there is none."""
        with self.lock:
            rows, position = self._place(resource, record_id)
            return rows[position]

    def add(self, resource: ResourceName, record: Record, parent_id: str | None = None) -> Record:
        """Add a record; a child goes under `parent_id`, or else under the parent that it names itself."""
        with self.lock:
            if resource in PARENTS:
                parent_id = parent_id or record[PARENT_FIELDS[resource]]
                rows = self._children(resource).setdefault(parent_id, [])
                self._index(resource)[record["id"]] = parent_id
            else:
                rows, parent_id = self._flat(resource), None
            rows.append(record)
            self._settle(resource, parent_id)
            return record

    def new(self, resource: ResourceName, parent_id: str | None = None, **fields: Any) -> Record:
        """Make a record with every field of its resource, given fields on top of the defaults; add it."""
        record_id = fields.pop("id", None) or self.new_id()
        return self.add(resource, default_record(resource, record_id, self.id, parent_id, **fields), parent_id)

    def new_time_entry(
        self, user_id: str, start: dt.datetime | str, end: dt.datetime | str | None = None, **fields: Any
    ) -> Record:
        """Make a full time entry from start to end (none: a running timer) and add it to the member's."""
        return self.new("time_entries", user_id, **{"timeInterval": interval(start, end), **fields})

    def edit(self, resource: ResourceName, record_id: str, **changes: Any) -> Record:
        """Change fields of a record; one that names another parent moves there, entries are sorted anew."""
        with self.lock:
            rows, position = self._place(resource, record_id)
            old = rows[position]
            self._encoded.pop(id(old), None)
            new = {**old, **changes}
            parent_id = self._index(resource).get(record_id) if resource in PARENTS else None
            moved_to = changes.get(PARENT_FIELDS.get(resource, ""), parent_id)
            if "id" in changes or moved_to != parent_id:
                del rows[position]
                self._settle(resource, parent_id)
                if resource in PARENTS:
                    self._index(resource).pop(record_id, None)
                return self.add(resource, new, moved_to)
            rows[position] = new
            self._settle(resource, parent_id)
            return new

    def delete(self, resource: ResourceName, record_id: str, *, rewrite: bool = False) -> Record:
        """Delete a record and nothing else; with `rewrite` other records lose their reference to it."""
        with self.lock:
            rows, position = self._place(resource, record_id)
            record = rows.pop(position)
            self._encoded.pop(id(record), None)
            parent_id = self._index(resource).pop(record_id, None) if resource in PARENTS else None
            self._settle(resource, parent_id)
            if rewrite:
                self._forget(resource, record_id)
            return record

    def changed(self) -> None:
        """Forget everything that was cached, after lists or records were changed directly."""
        with self.lock:
            self._listings.clear()
            self._encoded.clear()
            self._parent_of.clear()
            for rows in self.time_entries.values():
                rows.sort(key=start_key, reverse=True)

    def warm(self) -> None:
        """Prepare the bytes of all records, so that the first reader is served as fast as later ones."""
        with self.lock:
            for user in self.users:
                self.listing("time_entries", user["id"])

    def has_parent(self, resource: ResourceName, parent_id: str) -> bool:
        """Whether the workspace has the parent that a child list is asked for."""
        with self.lock:
            return any(row.get("id") == parent_id for row in self._flat(PARENTS[resource]))

    def listing(self, resource: ResourceName, parent_id: str | None = None) -> Listing:
        """The records under one parent and their bytes, cached until one of them changes."""
        with self.lock:
            known = self._listings.get((resource, parent_id))
            if known is not None:
                return known
            child = parent_id is not None and resource in PARENTS
            rows = list(self._children(resource).get(parent_id or "", []) if child else self._flat(resource))
            cache = self._encoded
            for row in rows:
                if id(row) not in cache:
                    cache[id(row)] = encode(row)
            starts = [start_key(row) for row in reversed(rows)] if resource == "time_entries" else []
            listing = Listing(rows, [cache[id(row)] for row in rows], starts)
            self._listings[resource, parent_id] = listing
            return listing

    def _flat(self, resource: ResourceName) -> list[Record]:
        rows: list[Record] = getattr(self, resource)
        return rows

    def _children(self, resource: ResourceName) -> dict[str, list[Record]]:
        return self.time_entries if resource == "time_entries" else self.tasks

    def _index(self, resource: ResourceName) -> dict[str, str]:
        """Under which parent each child lies, so that finding one entry does not search all members."""
        if resource not in self._parent_of:
            children = self._children(resource).items()
            self._parent_of[resource] = {row["id"]: parent for parent, rows in children for row in rows}
        return self._parent_of[resource]

    def _place(self, resource: ResourceName, record_id: str) -> tuple[list[Record], int]:
        if resource in PARENTS:
            rows = self._children(resource).get(self._index(resource).get(record_id, ""), [])
        else:
            rows = self._flat(resource)
        for position, row in enumerate(rows):
            if row.get("id") == record_id:
                return rows, position
        raise KeyError(f"no {resource} record has the id {record_id!r}")

    def _settle(self, resource: ResourceName, parent_id: str | None) -> None:
        if resource == "time_entries":
            self.time_entries[parent_id or ""].sort(key=start_key, reverse=True)
        self._listings.pop((resource, parent_id), None)

    def _forget(self, resource: ResourceName, gone: str) -> None:
        if resource == "clients":
            for project in [row for row in self.projects if row["clientId"] == gone]:
                self.edit("projects", project["id"], clientId="", clientName="")
        if resource == "projects":
            for task in self.tasks.pop(gone, []):
                self._encoded.pop(id(task), None)
            self._listings.pop(("tasks", gone), None)
            self._parent_of.pop("tasks", None)
        for entry in self.records("time_entries") if resource in ("tags", "tasks", "projects") else []:
            if resource == "tags" and gone in (entry["tagIds"] or []):
                self.edit("time_entries", entry["id"], tagIds=[tag for tag in entry["tagIds"] if tag != gone])
            elif resource == "tasks" and entry["taskId"] == gone:
                self.edit("time_entries", entry["id"], taskId=None)
            elif resource == "projects" and entry["projectId"] == gone:
                self.edit("time_entries", entry["id"], projectId=None, taskId=None)
