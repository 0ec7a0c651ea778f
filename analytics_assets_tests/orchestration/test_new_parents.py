"""New members and projects ask for a sync: once each, and only where a sync is possible now."""

import time

import pytest
from dagster import AssetKey, DagsterEvent, DagsterEventType, DagsterInstance, DefaultSensorStatus, RunRequest

from analytics_assets.demo.faults import Fault
from analytics_assets.pipeline import look
from analytics_assets.settings import load_settings
from analytics_assets.source.columns import RESOURCE_NAMES
from analytics_assets.source.ledger import Ledger
from analytics_assets.warehouse.connection import connection
from analytics_assets.warehouse.places import ledger_file
from analytics_assets_tests.orchestration.conftest import Project
from analytics_assets_tests.orchestration.ticks import tick
from analytics_assets_tests.rig import Rig

NOTHING_NEW = "No member and no project is new."
NOT_ARRIVED = (
    "A sync was asked for already, and of the new members and projects {} have not arrived: look at that run under Runs, and "
    "start `sync_now`."
)


class Watched:
    """A project whose sensor is evaluated tick by tick."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.cursor: str | None = None

    @property
    def rig(self) -> Rig:
        return self.project.rig

    def tick(self) -> RunRequest | str:
        """The one run that it asks for, or why it asks for none."""
        sensor = self.project.definitions.resolve_sensor_def("sync_on_new_parents")
        decision = tick(sensor, self.project.definitions, self.project.instance, self.cursor)
        self.cursor = decision.cursor or self.cursor
        if decision.run_requests:
            (request,) = decision.run_requests
            return request
        assert decision.skip_message is not None
        assert "\n" not in decision.skip_message
        return decision.skip_message


@pytest.fixture
def watched(project: Project, instance_on_disk: DagsterInstance) -> Watched:
    """A loaded warehouse, on an instance that is on a disk."""
    project.instance = instance_on_disk
    project.rig.sync()
    project.rig.server.reset()
    return Watched(project)


def raw_of(request: RunRequest | str) -> set[str]:
    """The raw tables that a run is asked to load, besides the five small lists and all that stands on them."""
    assert isinstance(request, RunRequest)
    keys = set(request.asset_selection or [])
    assert AssetKey(["marts", "fct_time_entries"]) in keys
    assert AssetKey(["report", "overview"]) in keys
    small = set(RESOURCE_NAMES) - {"time_entries", "tasks"}
    raw = {key.path[-1] for key in keys if key.path[0] == "raw"}
    assert small <= raw
    return raw - small


def test_a_new_project_asks_once_for_its_tasks_and_a_new_member_for_the_entries(watched: Watched) -> None:
    assert watched.tick() == NOTHING_NEW
    assert {request.resource for request in watched.rig.server.requests} == {"users", "projects"}
    watched.rig.workspace.new("projects", name="New project")
    assert raw_of(watched.tick()) == {"tasks"}
    assert watched.tick() == NOT_ARRIVED.format(1), "it said that nothing is new, while the warehouse lacked a project"
    watched.rig.workspace.new("users", name="Dee", email="dee@example.com")
    assert raw_of(watched.tick()) == {"time_entries"}
    assert watched.tick() == NOT_ARRIVED.format(2)
    watched.rig.sync()
    assert watched.tick() == NOTHING_NEW
    assert watched.cursor == '{"users": [], "projects": []}'


def test_a_member_who_left_and_came_back_is_asked_for_again(watched: Watched) -> None:
    """Both ticks named their run by the member's id, and Dagster starts no second run of a name: the tick was skipped."""
    member = watched.rig.workspace.new("users", name="Dee", email="dee@example.com")
    first = watched.tick()
    watched.rig.sync()
    watched.rig.workspace.delete("users", member["id"])
    watched.rig.sync()
    assert watched.tick() == NOTHING_NEW
    watched.rig.workspace.add("users", member)
    second = watched.tick()
    assert isinstance(first, RunRequest)
    assert isinstance(second, RunRequest)
    assert second.run_key is None or second.run_key != first.run_key


def test_the_run_that_it_asks_for_loads_what_is_new(watched: Watched) -> None:
    project = watched.rig.workspace.new("projects", name="New project")
    watched.rig.workspace.new("tasks", project["id"], name="New task")
    request = watched.tick()
    assert isinstance(request, RunRequest)
    assert watched.project.run(*(key.to_user_string() for key in request.asset_selection or [])).success
    watched.rig.assert_equals_api(resources=["projects", "tasks"])
    assert watched.rig.query("SELECT count(*) FROM marts.dim_tasks WHERE task_name = 'New task'") == [(1,)]


def test_it_skips_while_a_sync_runs_and_asks_the_api_nothing(watched: Watched) -> None:
    watched.rig.workspace.new("projects", name="New project")
    run = watched.project.instance.create_run_for_job(watched.project.definitions.resolve_job_def("sync"))
    started = DagsterEvent(event_type_value=DagsterEventType.RUN_START.value, job_name="sync")
    watched.project.instance.report_dagster_event(started, run.run_id, timestamp=time.time())
    assert watched.tick() == "A sync has just begun; it finds new members and projects by itself."
    assert watched.rig.server.requests == []


def test_it_skips_where_the_hourly_ceiling_leaves_no_room(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise the tick would wait for the hour, and Dagster would end it with a traceback."""
    monkeypatch.setenv("ANALYTICS_REQUESTS_PER_HOUR", "3")
    watched.project = Project(watched.rig, load_settings(), watched.project.instance)
    assert watched.tick() == NOTHING_NEW
    assert Ledger(ledger_file(watched.rig.path), 3).look().requests == 2
    skipped = watched.tick()
    assert str(skipped).startswith("2 of 3 requests that an hour allows (ANALYTICS_REQUESTS_PER_HOUR) were made in the last one")
    assert len(watched.rig.server.requests) == 2


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault("status", "users", status=401, body=b"{}", times=None), "answered 401"),
        (Fault("drop", "projects", times=None), "GET "),
        (Fault("status", "users", status=429, retry_after="600", times=None), "did not list users and projects within 0 s"),
    ],
)
def test_an_api_that_does_not_answer_is_a_sentence_and_no_traceback(
    watched: Watched, fault: Fault, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched.rig.workspace.new("projects", name="New project")
    watched.rig.server.faults.add(fault)
    with monkeypatch.context() as patch:
        if "within" in words:
            patch.setattr(look, "LONGEST_LOOK_SECONDS", 0.3)
        sentence = watched.tick()
    assert isinstance(sentence, str)
    assert words in sentence
    assert watched.rig.api_key not in sentence
    watched.rig.server.faults.clear()
    assert raw_of(watched.tick()) == {"tasks"}


def test_it_skips_while_another_program_writes_the_warehouse_and_where_nothing_was_loaded(watched: Watched) -> None:
    with connection(watched.rig.path):
        assert "has been open in" in str(watched.tick())
    watched.rig.path.unlink()
    assert str(watched.tick()).startswith("Nothing was loaded yet")


def test_it_is_off_until_somebody_allows_the_requests(project: Project) -> None:
    sensor = project.definitions.resolve_sensor_def("sync_on_new_parents")
    assert sensor.default_status is DefaultSensorStatus.STOPPED
    assert "It is off until you start it, because it uses up requests" in str(sensor.description)
