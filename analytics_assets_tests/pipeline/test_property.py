"""Invented histories of a workspace, with a server of odd habits and a network with faults: the law holds after each sync.

A story draws edits, deletions, additions, moves, refusals, members who leave and return, and syncs of some tables and
some months between them. After a green sync the warehouse holds what `oracle` says; after a red one it is as it was.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from analytics_assets.demo.behaviour import RequestSeen
from analytics_assets.demo.faults import Fault
from analytics_assets.demo.serving import DemoServer
from analytics_assets.demo.workspace import Workspace
from analytics_assets.source.columns import RESOURCE_NAMES, ResourceName
from analytics_assets_tests.pipeline.oracle import Oracle
from analytics_assets_tests.rig import Rig
from analytics_assets_tests.tiny import MONTHS, iso, month, tiny_workspace

SELECTIONS: Final[tuple[tuple[ResourceName, ...], ...]] = (
    ("time_entries",),
    ("tasks",),
    ("users", "time_entries"),
    ("projects", "tasks"),
    ("clients", "tags", "user_groups"),
    RESOURCE_NAMES,
)
PASSING: Final[tuple[dict[str, Any], ...]] = (
    {"kind": "status", "status": 503},
    {"kind": "status", "status": 429},
    {"kind": "drop"},
    {"kind": "truncate"},
    {"kind": "cut_json"},
    {"kind": "html"},
)
LASTING: Final[tuple[dict[str, Any], ...]] = (
    {"kind": "status", "status": 401},
    {"kind": "status", "status": 500},
    {"kind": "other_json", "value": {"data": None}},
    {"kind": "redirect"},
)
EDGES: Final = (timedelta(0), timedelta(seconds=-1), timedelta(seconds=1), timedelta(hours=13), timedelta(days=9))
REFUSALS: Final = ((400, 501), (403, 403), (404, 404))


class Story:
    """One workspace, its server and its warehouse, and what befalls them."""

    def __init__(self, draw: Callable[[st.SearchStrategy[Any]], Any], server: DemoServer, rig: Rig) -> None:
        self._draw = draw
        self._server = server
        self._rig = rig
        self._oracle = Oracle(rig)
        self._gone: list[tuple[ResourceName, dict[str, Any]]] = []
        self.told: list[str] = []

    @property
    def _workspace(self) -> Workspace:
        return self._server.workspace

    def _one(self, options: Any) -> Any:
        return self._draw(st.sampled_from(list(options)))

    def live_for_a_while(self) -> None:
        """Some changes, one after the other."""
        for change in self._draw(st.lists(st.sampled_from(CHANGES), min_size=3, max_size=10)):
            change(self)

    def sync_all(self) -> None:
        """The first sync, of everything."""
        if self._oracle.must_fail(RESOURCE_NAMES):
            self._server.behaviour.refused_parents.clear()
        self._rig.sync()
        self._oracle.synced(RESOURCE_NAMES, None, None)
        self._oracle.check()

    def sync(self) -> None:
        """A sync of some tables and some months, perhaps on a day when the network or the server is ill."""
        resources = self._one(SELECTIONS)
        last = self._one(range(MONTHS))
        first = last + self._one(range(MONTHS - last))
        months = (str(month(first)), str(month(last)))
        fault = self._one(("none", "none", "passing", "passing", "shift", "lasting"))
        self._server.faults.clear()
        self._server.behaviour.before_answer = None
        is_red = self._oracle.must_fail(resources)
        if fault == "passing":
            for resource in resources:
                self._server.faults.add(*(Fault(**kind, resource=resource) for kind in self._some(PASSING, 3)))
        elif fault == "shift":
            self._server.behaviour.before_answer = self._shift_pages(self._one((1, 2, 3)))
        elif fault == "lasting":
            parents = {"time_entries": "users", "tasks": "projects"}
            self._server.faults.add(Fault(**self._one(LASTING), resource=parents.get(resources[-1], resources[-1]), times=None))
            is_red = True
        if is_red:
            self._rig.failing_sync(*months, resources)
        else:
            self._rig.sync(*months, resources)
            self._oracle.synced(resources, *months)
        self.told.append(f"{'red' if is_red else 'green'} {fault} {len(resources)}")
        self._oracle.check()

    def _shift_pages(self, turns: int) -> Callable[[RequestSeen], None]:
        """Before so many later pages of entries, one entry of the list goes and another one comes."""
        left = [turns]

        def before_answer(request: RequestSeen) -> None:
            if request.resource == "time_entries" and (request.page or 1) > 1 and left[0]:
                left[0] -= 1
                rows = self._workspace.listing("time_entries", request.parent_id).rows
                self._workspace.delete("time_entries", rows[0]["id"])
                if left[0] % 2:
                    self._workspace.new_time_entry(str(request.parent_id), rows[0]["timeInterval"]["start"])

        return before_answer

    def _some(self, options: Any, at_most: int) -> list[Any]:
        return list(self._draw(st.lists(st.sampled_from(list(options)), max_size=at_most)))

    def _interval(self) -> dict[str, Any]:
        start = month(self._one(range(-1, MONTHS + 1))).first_moment + self._one(EDGES)
        end = self._one((None, start + timedelta(hours=2)))
        return {"start": iso(start), "end": end and iso(end), "duration": end and "PT2H"}

    def add_entry(self) -> None:
        user = self._one(self._workspace.users or [{"id": "nobody"}])
        if user["id"] != "nobody":
            self._workspace.new(
                "time_entries", user["id"], timeInterval=self._interval(), description=self._draw(st.text(max_size=5))
            )

    def edit_entry(self) -> None:
        for entry in self._some(self._workspace.records("time_entries") or [None], 3):
            change = self._one(
                (
                    {"description": self._draw(st.text(max_size=5))},
                    {"tagIds": self._some([tag["id"] for tag in self._workspace.tags] or ["x"], 2) or None},
                    {"projectId": self._one((None, "", *(project["id"] for project in self._workspace.projects)))},
                    {
                        "hourlyRate": self._one((None, {"amount": 2**40, "currency": "JPY"})),
                        "billable": self._one((None, True, False)),
                    },
                    {"timeInterval": self._interval()},
                )
            )
            if entry:
                self._workspace.edit("time_entries", entry["id"], **change)

    def move_entry_to_another_member(self) -> None:
        entries, users = self._workspace.records("time_entries"), self._workspace.users
        if entries and users:
            self._workspace.edit("time_entries", self._one(entries)["id"], userId=self._one(users)["id"])

    def delete_entries(self) -> None:
        for entry in {entry["id"] for entry in self._some(self._workspace.records("time_entries") or [{"id": None}], 4)} - {None}:
            self._workspace.delete("time_entries", entry)

    def empty_a_month(self) -> None:
        key = str(month(self._one(range(MONTHS))))
        for entry in self._workspace.records("time_entries"):
            if entry["timeInterval"]["start"].startswith(key):
                self._workspace.delete("time_entries", entry["id"])

    def leave(self) -> None:
        resource = self._one(("users", "projects", "clients", "tags", "user_groups", "tasks"))
        if records := self._workspace.records(resource):
            record = self._one(records)
            self._gone.append((resource, self._workspace.delete(resource, record["id"])))

    def come_back(self) -> None:
        if self._gone:
            resource, record = self._gone.pop(self._one(range(len(self._gone))))
            if resource != "tasks" or self._workspace.has_parent("tasks", record["projectId"]):
                self._workspace.add(resource, record)

    def join(self) -> None:
        resource = self._one(("users", "projects", "clients", "tags", "user_groups"))
        record = self._workspace.new(resource, name=self._draw(st.text(max_size=4)))
        if resource == "projects":
            self._workspace.new("tasks", record["id"])

    def rename(self) -> None:
        resource = self._one(("users", "projects", "clients", "tags", "user_groups", "tasks"))
        if records := self._workspace.records(resource):
            self._workspace.edit(resource, self._one(records)["id"], name=self._draw(st.none() | st.text(max_size=4)))

    def move_task(self) -> None:
        tasks, projects = self._workspace.records("tasks"), self._workspace.projects
        if tasks and projects:
            self._workspace.edit("tasks", self._one(tasks)["id"], projectId=self._one(projects)["id"])

    def refuse(self) -> None:
        if parents := [*self._workspace.users, *self._workspace.projects]:
            self._server.behaviour.refused_parents[self._one(parents)["id"]] = self._one(REFUSALS)

    def relent(self) -> None:
        self._server.behaviour.refused_parents.clear()


CHANGES: Final = (
    Story.add_entry,
    Story.add_entry,
    Story.edit_entry,
    Story.edit_entry,
    Story.move_entry_to_another_member,
    Story.delete_entries,
    Story.empty_a_month,
    Story.leave,
    Story.come_back,
    Story.join,
    Story.rename,
    Story.move_task,
    Story.refuse,
    Story.relent,
)


def habits(draw: Callable[[st.SearchStrategy[Any]], Any], server: DemoServer) -> None:
    """What this server is like for the whole story."""
    behaviour = server.behaviour
    behaviour.envelope = draw(st.sampled_from(("data", "bare")))
    behaviour.send_last_page = draw(st.booleans())
    behaviour.page_size_cap = draw(st.sampled_from((None, None, 2, 3)))
    behaviour.window_offset = timedelta(hours=draw(st.sampled_from((0, 14, -14, 5.5))))
    behaviour.window_inclusive = draw(st.booleans())
    behaviour.honours_window = draw(st.sampled_from((True, True, False)))
    behaviour.gzip = draw(st.booleans())


def tell(data: st.DataObject, factory: pytest.TempPathFactory, *, syncs: int) -> None:
    """One story, in a folder of its own."""
    with DemoServer(tiny_workspace()) as server:
        page_size = data.draw(st.sampled_from((2, 3, 5, 50)), "page size")
        rig = Rig(server, factory.mktemp("story"), page_size=page_size, start=month(MONTHS - 1).first_moment.date())
        habits(data.draw, server)
        story = Story(data.draw, server, rig)
        story.live_for_a_while()
        story.sync_all()
        for _ in range(syncs - 1):
            story.live_for_a_while()
            story.sync()
        note(f"syncs: {story.told}")


LENIENT = {
    "deadline": None,
    "database": None,
    "suppress_health_check": list(HealthCheck),
    "phases": (Phase.explicit, Phase.generate, Phase.shrink),
}


@pytest.mark.timeout(300)
@settings(max_examples=3, derandomize=True, **LENIENT)  # type: ignore[arg-type]
@given(st.data())
def test_the_law_holds_after_each_sync_of_an_invented_history(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    tell(data, tmp_path_factory, syncs=4)


@pytest.mark.soak
@pytest.mark.timeout(7200)
@settings(max_examples=250, print_blob=True, **LENIENT)  # type: ignore[arg-type]
@given(st.data())
def test_the_law_holds_after_each_sync_of_many_invented_histories(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    tell(data, tmp_path_factory, syncs=8)
