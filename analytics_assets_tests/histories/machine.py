"""Invented histories of a workspace, and syncs between and during its changes: the law holds after each of them.

A state machine of hypothesis: it lives, syncs in good and bad weather, and is killed. After a green sync raw tables,
their history, dimensions and facts are what `model.py` and `marts.py` work out in plain Python; after a red one every
table is as it was. What fails is shrunk to the shortest list of steps.
"""

import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, Final
from unittest import mock

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from analytics_assets.demo.behaviour import RequestSeen
from analytics_assets.demo.faults import Fault
from analytics_assets.demo.serving import DemoServer
from analytics_assets.pipeline import reading as reading_module
from analytics_assets.source.columns import RESOURCE_NAMES, ResourceName
from analytics_assets.source.errors import find_source_error
from analytics_assets.source.window import Window
from analytics_assets.warehouse.built import states_of_raw
from analytics_assets.warehouse.connection import connection
from analytics_assets_tests.dbt.compiled import Models
from analytics_assets_tests.histories.changes import CHANGES, NUMBER, ROW_CHANGES, Change, World
from analytics_assets_tests.histories.coverage import Asked, Lookback, Months
from analytics_assets_tests.histories.marts import assert_marts_tell
from analytics_assets_tests.histories.model import Model, State, assert_holds, must_fail, state_of
from analytics_assets_tests.rig import Rig
from analytics_assets_tests.safety.child import SyncOrder
from analytics_assets_tests.safety.points import Point, Stop
from analytics_assets_tests.safety.processes import Processes
from analytics_assets_tests.tiny import MONTHS, moment, month, tiny_workspace

Selection = tuple[ResourceName, ...]
SELECTIONS: Final[dict[str, tuple[Selection, ...]]] = {
    "time": (("users", "time_entries"), ("time_entries",)),
    "tasks": (("projects", "tasks"), ("tasks",)),
    "all": (RESOURCE_NAMES, ("projects", "tasks"), ("clients", "tags", "user_groups"), ("users", "time_entries")),
}
"""What the syncs of one history are about, the largest first; most are about time, where most can go wrong. A sync of
two tables takes a third of the time."""
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
KILLED_AT: Final[tuple[Point, ...]] = ("extracted", "loading", "publishing", "before commit", "after commit")
LOOKBACK: Final = st.builds(Lookback, st.integers(1, 3))
MONTH: Final = st.integers(0, MONTHS - 1)
GIVEN_UP: Final = re.compile(r"moved between lists each of the|never stood still|changed while it was read")
"""What a sync may say that is red because rows never stopped moving; nothing else excuses it."""


@dataclass(frozen=True)
class During:
    """Something that happens while a sync reads, before the server answers its so-manieth request."""

    request: int
    change: Change


class WorkspaceHistory(RuleBasedStateMachine):
    """One workspace, its server and its warehouse, and what befalls them."""

    models: ClassVar[Models]
    marts_after_each_sync: ClassVar[bool] = False
    """They cost a fifth of a second; otherwise they are checked at the end of each history."""
    processes: ClassVar[Processes]

    def __init__(self) -> None:
        super().__init__()
        self._open = ExitStack()
        self._folder = Path(tempfile.mkdtemp())
        self._open.callback(shutil.rmtree, self._folder, ignore_errors=True)
        self._server = self._open.enter_context(DemoServer(tiny_workspace()))
        self._rig = Rig(self._server, self._folder, start=month(MONTHS - 1).first_moment.date())
        self._world = World(self._server.workspace, self._server.behaviour.refused_parents)
        self._model = Model(Window(self._rig.window().start, undated=True))
        self._contents: dict[tuple[str, str], str] = {}
        """What each raw table held with its history, by the state that the warehouse gives for it."""
        self._behind = 0
        """How many months it is before the current one."""
        self._may_be_killed = False
        self._selections: tuple[Selection, ...] = ()

    def teardown(self) -> None:
        """Look at the marts, and leave nothing behind."""
        try:
            if not self.marts_after_each_sync and self._rig.path.exists():
                self._check_marts()
        finally:
            self._open.close()

    @initialize(
        about=st.sampled_from(("time", "time", "time", "tasks", "all")),
        page_size=st.sampled_from((50, 50, 5, 2)),
        envelope=st.sampled_from(("data", "bare")),
        send_last_page=st.booleans(),
        page_size_cap=st.sampled_from((None, None, None, 3)),
        window_offset=st.sampled_from((0, 14, -14, 5.5)),
        window_inclusive=st.booleans(),
        honours_window=st.sampled_from((True, True, False)),
        is_killed=st.sampled_from((*[False] * 9, True)),
        behind=st.sampled_from((0, 2, 1)),
        before=st.lists(CHANGES, max_size=3),
    )
    def first_sync(
        self,
        about: str,
        page_size: int,
        window_offset: float,
        is_killed: bool,
        behind: int,
        before: list[Change],
        **habits: Any,
    ) -> None:
        """The server has its habits for the whole history, and everything is synced once."""
        self._rig.page_size, self._may_be_killed, self._behind = page_size, is_killed, behind
        behaviour = self._server.behaviour
        behaviour.window_offset = timedelta(hours=window_offset)
        for name, value in habits.items():
            setattr(behaviour, name, value)
        self._selections = SELECTIONS[about]
        self._live(before)
        self._sync(self._selections[0], None)

    def _selected(self, number: int) -> Selection:
        return self._selections[number % len(self._selections)]

    def _live(self, changes: list[Change]) -> None:
        for change in changes:
            change.befall(self._world)

    @rule(
        changes=st.lists(CHANGES, max_size=8),
        selection=NUMBER,
        months=st.none() | LOOKBACK | st.tuples(MONTH, MONTH),
        months_pass=st.integers(0, 1),
        faults=st.lists(st.sampled_from(PASSING), max_size=2),
    )
    def sync(self, changes: list[Change], selection: int, months: Months, months_pass: int, faults: list[dict[str, Any]]) -> None:
        """A sync of some tables and some months, perhaps on a day when the network is ill, perhaps in a new month."""
        self._live(changes)
        self._behind = max(0, self._behind - months_pass)
        resources = self._selected(selection)
        self._server.faults.add(*(Fault(**fault, resource=resources[-1]) for fault in faults))
        self._sync(resources, months)

    @rule(
        changes=st.lists(CHANGES, max_size=2),
        months=st.none() | LOOKBACK,
        during=st.lists(st.builds(During, st.integers(1, 9), ROW_CHANGES), min_size=1, max_size=3),
    )
    def sync_while_rows_change(self, changes: list[Change], months: Months, during: list[During]) -> None:
        """A sync during which rows come, go and move, between pages and between lists."""
        self._live(changes)
        self._sync(self._selections[0], months, during)

    @rule(changes=st.lists(CHANGES, max_size=2), selection=NUMBER, fault=st.sampled_from(LASTING))
    def sync_against_a_wall(self, changes: list[Change], selection: int, fault: dict[str, Any]) -> None:
        """A sync that meets a fault that lasts: it is red, and changes nothing."""
        self._live(changes)
        resources = self._selected(selection)
        parents: dict[ResourceName, ResourceName] = {"time_entries": "users", "tasks": "projects"}
        self._server.faults.add(Fault(**fault, resource=parents.get(resources[-1], resources[-1]), times=None))
        self._rig.failing_sync(resources=resources)
        self._server.faults.clear()
        self._check()

    @precondition(lambda self: self._may_be_killed)  # costs a second or two
    @rule(changes=st.lists(ROW_CHANGES, max_size=3), point=st.sampled_from(KILLED_AT))
    def killed_sync(self, changes: list[Change], point: Point) -> None:
        """A sync in a process of its own that ends with `kill -9`."""
        self._live(changes)
        self._behind = 0  # the process knows no other time than the real one
        state, refused = state_of(self._world.workspace), set(self._world.refused)
        resources = self._selections[0]
        if must_fail(resources, state, refused):
            return
        rig = self._rig
        order = SyncOrder(
            rig.api_url, rig.api_key, rig.workspace_id, rig.path, rig.start, resources=resources, page_size=rig.page_size
        )
        running = self.processes.start(order, stop=Stop(point))
        running.wait_until_it_stops()
        running.kill()
        if point == "after commit":
            self._model.synced(resources, self._asked(None), [state], refused, self._rows())
        self._check()

    def _asked(self, months: Months) -> Asked:
        return self._model.coverage.asked(months, month(self._behind), self._now or datetime.now(UTC))

    @property
    def _now(self) -> datetime | None:
        """The time in the history, if it is not the current month."""
        return moment(self._behind, day=9) if self._behind else None

    @contextmanager
    def _at_its_time(self) -> Iterator[None]:
        """What begins in here begins at the time in the history, as far as a reading knows."""
        with mock.patch.object(reading_module, "datetime", wraps=datetime) as clock:
            if self._now is not None:
                clock.now.return_value = self._now
            yield

    def _sync(self, resources: Selection, months: Months, during: Sequence[During] = ()) -> None:
        states = [state_of(self._world.workspace)]
        refused = set(self._world.refused)
        asked = self._asked(months)
        if must_fail(resources, states[0], refused):
            if self._rig.path.exists():
                self._rig.failing_sync_of(asked.months, resources)
            self._server.faults.clear()
            return
        self._server.behaviour.before_answer = self._happening(during, states)
        before = self._rig.contents() if during and self._rig.path.exists() else None
        try:
            with self._at_its_time():
                self._rig.sync_of(asked.months, resources)
        except Exception as error:
            sentence = str(find_source_error(error) or error)
            if not during or not GIVEN_UP.search(sentence):
                raise
            assert self._rig.contents() == before
        else:
            self._model.synced(resources, asked, states, refused, self._rows())
        finally:
            self._server.behaviour.before_answer = None
            self._server.faults.clear()
        self._check()

    def _happening(self, during: Sequence[During], states: list[State]) -> Callable[[RequestSeen], None] | None:
        if not during:
            return None
        left, answered = sorted(during, key=lambda each: each.request), 0

        def before_answer(request: RequestSeen) -> None:
            nonlocal answered
            answered += 1
            while left and left[0].request <= answered:
                left.pop(0).change.befall(self._world)
                states.append(state_of(self._world.workspace))

        return before_answer

    def _rows(self) -> dict[ResourceName, dict[str, dict[str, Any]]]:
        with self._rig.held_open():
            return {resource: self._rig.rows(resource) for resource in RESOURCE_NAMES}

    def _check(self) -> None:
        with self._rig.held_open():
            rows = {resource: self._rig.rows(resource) for resource in RESOURCE_NAMES}
            history = {resource: self._rig.history(resource) for resource in RESOURCE_NAMES}
        with connection(self._rig.path) as con:
            states = states_of_raw(con)
        assert_holds(self._model, rows, history)
        for resource in RESOURCE_NAMES:  # by which a sync decides that models need not be built again
            content = repr((sorted(rows[resource].items()), history[resource]))
            told = self._contents.setdefault((resource, states[resource]), content)
            assert told == content, f"{resource} changed, its state did not"
        if self.marts_after_each_sync:
            self._check_marts()

    def _check_marts(self) -> None:
        assert_marts_tell(self._model, self.models.build(self._rig.path))
