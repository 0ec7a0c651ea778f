"""What befalls a workspace in an invented history: each change is a value that says itself what it is.

Records are chosen by number, counted round, so that a shorter history still means something: hypothesis prints the
shortest one that fails as a list of these values. Nothing here knows of a sync.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, Protocol

from hypothesis import strategies as st

from analytics_assets.demo.records import Record
from analytics_assets.demo.workspace import Workspace
from analytics_assets.source.columns import ResourceName
from analytics_assets_tests.texts import CHARACTERS
from analytics_assets_tests.tiny import MONTHS, iso, month

EDGES: Final = (timedelta(0), timedelta(seconds=-1), timedelta(seconds=1), timedelta(hours=13), timedelta(days=9))
"""Distances from a month's first moment, at which windows and zones go wrong."""
WITHOUT_PARENT: Final[tuple[ResourceName, ...]] = ("users", "projects", "clients", "tags", "user_groups")


@dataclass
class World:
    """A workspace, and what was taken from it and may come back."""

    workspace: Workspace
    refused: dict[str, tuple[int, int]]
    gone: list[tuple[ResourceName, Record]] = field(default_factory=list)

    def pick(self, resource: ResourceName, number: int) -> Record | None:
        """The record with that number, counted round."""
        return picked(self.workspace.records(resource), number)


class Change(Protocol):
    """Something that befalls the workspace; where it has no object, nothing happens."""

    def befall(self, world: World) -> None:
        """Let it happen."""


def picked(records: Sequence[Record], number: int) -> Record | None:
    """The record with that number, counted round; None where there is none."""
    return records[number % len(records)] if records else None


def interval(back: int, edge: int, hours: float | None) -> dict[str, Any]:
    """A time interval that starts near the beginning of a month."""
    start = month(back).first_moment + EDGES[edge]
    end = None if hours is None else iso(start + timedelta(hours=hours))
    return {"start": iso(start), "end": end, "duration": None if hours is None else f"PT{int(hours * 3600)}S"}


@dataclass(frozen=True)
class AddEntry:
    """A member tracks time."""

    member: int
    back: int
    edge: int
    hours: float | None
    project: int
    rate: int | None

    def befall(self, world: World) -> None:
        if user := world.pick("users", self.member):
            project = world.pick("projects", self.project)
            world.workspace.new(
                "time_entries",
                user["id"],
                timeInterval=interval(self.back, self.edge, self.hours),
                projectId=project and project["id"],
                billable=True,
                hourlyRate=None if self.rate is None else {"amount": self.rate, "currency": "EUR"},
            )


@dataclass(frozen=True)
class EditEntry:
    """An entry is described, billed or tagged differently."""

    entry: int
    fields: dict[str, Any]

    def befall(self, world: World) -> None:
        if entry := world.pick("time_entries", self.entry):
            world.workspace.edit("time_entries", entry["id"], **self.fields)


@dataclass(frozen=True)
class MoveEntryInTime:
    """An entry begins at another time, perhaps in another month."""

    entry: int
    back: int
    edge: int
    hours: float | None

    def befall(self, world: World) -> None:
        if entry := world.pick("time_entries", self.entry):
            world.workspace.edit("time_entries", entry["id"], timeInterval=interval(self.back, self.edge, self.hours))


@dataclass(frozen=True)
class MoveEntryToMember:
    """An entry becomes another member's."""

    entry: int
    member: int

    def befall(self, world: World) -> None:
        entry, user = world.pick("time_entries", self.entry), world.pick("users", self.member)
        if entry and user:
            world.workspace.edit("time_entries", entry["id"], userId=user["id"])


@dataclass(frozen=True)
class MoveToProject:
    """An entry or a task becomes another project's."""

    resource: ResourceName
    record: int
    project: int

    def befall(self, world: World) -> None:
        record, project = world.pick(self.resource, self.record), world.pick("projects", self.project)
        if record and project:
            world.workspace.edit(self.resource, record["id"], projectId=project["id"])


@dataclass(frozen=True)
class Delete:
    """A record is deleted; members, projects and the like leave with it, their children stay behind unseen."""

    resource: ResourceName
    record: int

    def befall(self, world: World) -> None:
        if record := world.pick(self.resource, self.record):
            world.gone.append((self.resource, world.workspace.delete(self.resource, record["id"])))


@dataclass(frozen=True)
class Restore:
    """Something that was deleted comes back as it was."""

    which: int

    def befall(self, world: World) -> None:
        if not world.gone:
            return
        resource, record = world.gone.pop(self.which % len(world.gone))
        parent = {"tasks": record.get("projectId"), "time_entries": record.get("userId")}.get(resource)
        if parent is None or world.workspace.has_parent(resource, parent):
            world.workspace.add(resource, record)


@dataclass(frozen=True)
class EmptyMonth:
    """A month loses all its entries."""

    back: int

    def befall(self, world: World) -> None:
        for entry in world.workspace.records("time_entries"):
            if entry["timeInterval"]["start"].startswith(str(month(self.back))):
                world.workspace.delete("time_entries", entry["id"])


@dataclass(frozen=True)
class Join:
    """A member, project, client, tag or group is new; a project comes with a task."""

    resource: ResourceName
    name: str

    def befall(self, world: World) -> None:
        record = world.workspace.new(self.resource, name=self.name)
        if self.resource == "projects":
            world.workspace.new("tasks", record["id"])


@dataclass(frozen=True)
class Rename:
    """A record gets another name, or none."""

    resource: ResourceName
    record: int
    name: str | None

    def befall(self, world: World) -> None:
        if record := world.pick(self.resource, self.record):
            world.workspace.edit(self.resource, record["id"], name=self.name)


@dataclass(frozen=True)
class Refuse:
    """The API refuses the list of a member's entries or of a project's tasks."""

    resource: ResourceName
    parent: int
    answer: tuple[int, int]

    def befall(self, world: World) -> None:
        if parent := world.pick(self.resource, self.parent):
            world.refused[parent["id"]] = self.answer


@dataclass(frozen=True)
class Relent:
    """The API refuses nothing any more."""

    def befall(self, world: World) -> None:
        world.refused.clear()


NUMBER = st.integers(0, 9)
BACK = st.integers(-1, MONTHS)
EDGE = st.integers(0, len(EDGES) - 1)
HOURS = st.sampled_from((2.0, None, 0.0, 1.5))
NAME = st.text(CHARACTERS, max_size=3)
FIELDS = st.one_of(
    st.fixed_dictionaries({"description": NAME}),
    st.fixed_dictionaries({"tagIds": st.sampled_from((None, [], ["x"]))}),
    st.fixed_dictionaries({"billable": st.sampled_from((True, False, None))}),
    st.fixed_dictionaries({"hourlyRate": st.sampled_from((None, {"amount": 2**40, "currency": "JPY"}))}),
    st.fixed_dictionaries({"costRate": st.sampled_from((None, {"amount": 4_200, "currency": "PLN"}))}),
    st.fixed_dictionaries({"projectId": st.sampled_from((None, ""))}),
)

ROW_CHANGES: Final[st.SearchStrategy[Change]] = st.one_of(
    st.builds(MoveEntryToMember, NUMBER, NUMBER),
    st.builds(Delete, st.sampled_from(("time_entries", "tasks")), NUMBER),
    st.builds(AddEntry, NUMBER, BACK, EDGE, HOURS, NUMBER, st.sampled_from((9_000, None))),
    st.builds(EditEntry, NUMBER, FIELDS),
    st.builds(MoveToProject, st.sampled_from(("tasks", "time_entries")), NUMBER, NUMBER),
    st.builds(MoveEntryInTime, NUMBER, BACK, EDGE, HOURS),
)
"""What may happen while a sync reads: lists of members and projects stay as they are."""

CHANGES: Final[st.SearchStrategy[Change]] = st.one_of(
    ROW_CHANGES,
    st.builds(Delete, st.sampled_from(WITHOUT_PARENT), NUMBER),
    st.builds(Restore, NUMBER),
    st.builds(EmptyMonth, st.integers(0, MONTHS - 1)),
    st.builds(Join, st.sampled_from(WITHOUT_PARENT), NAME),
    st.builds(Rename, st.sampled_from((*WITHOUT_PARENT, "tasks")), NUMBER, st.none() | NAME),
    st.builds(Refuse, st.sampled_from(("users", "projects")), NUMBER, st.sampled_from(((400, 501), (403, 403), (404, 404)))),
    st.just(Relent()),
)
