"""The schedules and `sync_now` ask for the right runs, and for none that would show what it never touched as failed."""

import time
from datetime import UTC, datetime

import pytest
from dagster import (
    AssetKey,
    DagsterEvent,
    DagsterEventType,
    DagsterInstance,
    RunRequest,
    ScheduleDefinition,
    build_run_status_sensor_context,
    build_schedule_context,
)
from dagster._core.definitions.schedule_definition import ScheduleExecutionData

from analytics_assets.definitions import build_definitions
from analytics_assets.demo.faults import Fault
from analytics_assets.orchestration.jobs import REASON_TAG
from analytics_assets.orchestration.keys import Keys
from analytics_assets.orchestration.partitions import RANGE_END_TAG, RANGE_START_TAG, partition_key
from analytics_assets.orchestration.report_asset import last_comparison
from analytics_assets.orchestration.resources import WorkspaceAccessResource
from analytics_assets.pipeline import look
from analytics_assets.pipeline.months import Month
from analytics_assets.settings import load_settings
from analytics_assets.warehouse.connection import connection
from analytics_assets.warehouse.writer_lock import writing
from analytics_assets_tests.orchestration.conftest import Project


def schedule_of(project: Project, name: str) -> ScheduleDefinition:
    """A schedule by its name."""
    return project.definitions.resolve_schedule_def(name)


@pytest.fixture
def project(project: Project, instance_on_disk: DagsterInstance) -> Project:
    """The project on an instance that is on a disk, which is what schedules look at."""
    project.instance = instance_on_disk
    return project


def tick(project: Project, name: str, at: datetime) -> ScheduleExecutionData:
    """What a schedule decides at a time."""
    with build_schedule_context(
        instance=project.instance,
        scheduled_execution_time=at,
        resources=project.definitions.resources,
        repository_def=project.definitions.get_repository_def(),
    ) as context:
        return schedule_of(project, name).evaluate_tick(context)


def make_run(project: Project, event: DagsterEventType, seconds_ago: float = 0) -> None:
    """A run of the job `sync` of which this event is the last that was reported."""
    run = project.instance.create_run_for_job(project.definitions.resolve_job_def("sync"))
    reported = DagsterEvent(event_type_value=event.value, job_name="sync")
    project.instance.report_dagster_event(reported, run.run_id, timestamp=time.time() - seconds_ago)


def requested(project: Project, name: str, at: datetime) -> RunRequest:
    """The one run that a schedule asks for at a time."""
    (request,) = tick(project, name, at).run_requests or []
    return request


def test_sync_hourly_leaves_the_months_to_the_run_which_decides_when_it_holds_the_warehouse(project: Project) -> None:
    """Decided at the tick, the hourly runs behind a long first sync each read all history again."""
    request = requested(project, "sync_hourly", datetime.now(UTC))
    assert not {RANGE_START_TAG, RANGE_END_TAG} & request.tags.keys()


@pytest.mark.parametrize("event", [DagsterEventType.RUN_STARTING, DagsterEventType.RUN_START])
def test_sync_hourly_skips_while_a_sync_is_starting_or_running(project: Project, event: DagsterEventType) -> None:
    make_run(project, event)
    decision = tick(project, "sync_hourly", datetime.now(UTC))
    assert not decision.run_requests
    assert decision.skip_message is not None
    assert decision.skip_message.endswith("; the next tick syncs again.")


def test_sync_hourly_does_not_wait_for_a_run_whose_process_was_killed(project: Project) -> None:
    """Such a run stays "started" for a day; the operating system has let go of what it held."""
    make_run(project, DagsterEventType.RUN_START, seconds_ago=3600)
    assert requested(project, "sync_hourly", datetime.now(UTC))
    with writing(project.rig.path, "a long sync"):
        decision = tick(project, "sync_hourly", datetime.now(UTC))
    assert decision.skip_message is not None
    assert decision.skip_message.startswith("A sync is running: a long sync (process ")


def test_sync_hourly_does_not_wait_for_a_run_that_was_killed_while_the_clock_was_ahead(project: Project) -> None:
    """It "had just begun" until the clock was there again, and every tick until then was skipped."""
    make_run(project, DagsterEventType.RUN_START, seconds_ago=-3 * 24 * 3600)
    assert requested(project, "sync_hourly", datetime.now(UTC))


def test_sync_hourly_asks_for_a_run_on_a_file_that_is_not_a_warehouse_and_the_run_says_so(project: Project) -> None:
    """The broken file was taken for one that another run writes, and the schedule skipped for ever."""
    project.rig.path.write_text("this is not a database, but long enough to be read as one" * 1000)
    assert requested(project, "sync_hourly", datetime.now(UTC))
    failure = project.run("raw/tags").get_step_failure_events()[0].step_failure_data.user_failure_data
    assert failure is not None
    assert "is not a DuckDB file" in str(failure.description)


def test_a_run_without_partitions_shows_each_month_that_it_read(project: Project) -> None:
    project.run("raw/time_entries")
    shown = project.instance.get_materialized_partitions(AssetKey(["raw", "time_entries"]))
    assert shown == {partition_key(month) for month in project.rig.span().months}


def test_a_person_starts_a_routine_sync_with_one_click(project: Project) -> None:
    """The dialog of `sync` offered months alone, and the lookback was reachable only through a schedule's preview."""
    asked = project.definitions.resolve_job_def("sync_now").execute_in_process(instance=project.instance)
    with build_run_status_sensor_context(
        "sync_on_request", asked.get_run_success_event(), project.instance, asked.dagster_run
    ) as context:
        request = project.definitions.resolve_sensor_def("sync_on_request")(context)
    assert isinstance(request, RunRequest)
    assert request.run_key == asked.run_id, "each asks once"
    assert not {RANGE_START_TAG, RANGE_END_TAG} & request.tags.keys()
    sensor = project.definitions.resolve_sensor_def("sync_on_request")
    assert [target.job_name for target in sensor.targets] == ["sync"]


def test_a_wrong_key_is_found_by_a_run_that_shows_no_asset_as_failed(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run of `sync` that fails before it touches anything paints all its assets red."""
    monkeypatch.setenv("ANALYTICS_API_KEY", "of another workspace")
    definitions = build_definitions(load_settings())
    asked = definitions.resolve_job_def("sync_now").execute_in_process(instance=project.instance, raise_on_error=False)
    assert not asked.success
    failure = asked.get_step_failure_events()[0].step_failure_data.user_failure_data
    assert failure is not None and "ANALYTICS_API_KEY" in str(failure.description)
    planned = project.instance.get_records_for_run(asked.run_id, of_type=DagsterEventType.ASSET_MATERIALIZATION_PLANNED).records
    assert planned == []


def test_another_key_is_named_in_the_launchpad_and_not_typed(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """The launchpad said of a key that it is kept nowhere, and Dagster kept what was typed there with the run."""
    monkeypatch.setenv("ANALYTICS_API_KEY", "of another workspace")
    monkeypatch.setenv("ANOTHER_KEY", project.rig.api_key)
    named = {"resources": {"api": {"config": {"api_key": {"env": "ANOTHER_KEY"}}}}}
    job = build_definitions(load_settings()).resolve_job_def("sync_now")
    asked = job.execute_in_process(instance=project.instance, run_config=named)
    assert project.rig.api_key not in str(asked.dagster_run.run_config)
    described = str(WorkspaceAccessResource.model_fields["api_key"].description)
    assert "{env: NAME}" in described
    assert "kept nowhere" not in described


@pytest.mark.parametrize("schedule", ["sync_hourly", "reconcile_weekly"])
def test_a_scheduled_sync_with_a_wrong_key_shows_one_list_as_failed_and_says_why(
    project: Project, monkeypatch: pytest.MonkeyPatch, schedule: str
) -> None:
    """All assets and three years of months were red; a tick that fails instead is reported by no sensor."""
    monkeypatch.setenv("ANALYTICS_API_KEY", "of another workspace")
    changed = Project(project.rig, load_settings(), project.instance)
    request = requested(changed, schedule, datetime.now(UTC))
    assert request.asset_selection == [AssetKey(["raw", "clients"])]
    assert "ANALYTICS_API_KEY is wrong" in request.tags[REASON_TAG]
    assert "of another workspace" not in str(request)
    assert not {RANGE_START_TAG, RANGE_END_TAG} & request.tags.keys()
    job = changed.definitions.resolve_job_def(schedule_of(changed, schedule).job_name)
    ended = job.execute_in_process(
        instance=project.instance, asset_selection=request.asset_selection, tags=dict(request.tags), raise_on_error=False
    )
    failure = ended.get_step_failure_events()[0].step_failure_data.user_failure_data
    assert failure is not None and "ANALYTICS_API_KEY is wrong" in str(failure.description)
    planned = project.instance.get_records_for_run(ended.run_id, of_type=DagsterEventType.ASSET_MATERIALIZATION_PLANNED).records
    assert [record.asset_key for record in planned] == request.asset_selection


def test_a_scheduled_sync_whose_file_holds_another_workspace_shows_one_list_as_failed(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.rig.sync(resources=("tags",))
    asked = len(project.rig.server.requests)
    monkeypatch.setenv("ANALYTICS_WORKSPACE_ID", "0" * 24)
    request = requested(Project(project.rig, load_settings(), project.instance), "sync_hourly", datetime.now(UTC))
    assert f"not workspace {'0' * 24}" in request.tags[REASON_TAG]
    assert len(project.rig.server.requests) == asked


def test_a_scheduled_sync_leaves_waiting_for_the_hour_to_its_run(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """The look before it would wait there, and Dagster ends a tick after a minute."""
    monkeypatch.setenv("ANALYTICS_REQUESTS_PER_HOUR", "1")
    limited = Project(project.rig, load_settings(), project.instance)
    assert requested(limited, "sync_hourly", datetime.now(UTC)).asset_selection is None
    assert len(project.rig.server.requests) == 1, "the hour is used up"
    assert requested(limited, "sync_hourly", datetime.now(UTC)).asset_selection is None
    assert len(project.rig.server.requests) == 1


def test_a_scheduled_sync_leaves_an_api_that_answers_late_to_its_run(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(look, "LONGEST_LOOK_SECONDS", 0.3)
    project.rig.server.faults.add(Fault("status", "clients", status=429, retry_after="600", times=None))
    assert requested(project, "sync_hourly", datetime.now(UTC)).asset_selection is None


def test_reconcile_weekly_asks_for_all_history(project: Project) -> None:
    project.rig.sync()
    now = datetime.now(UTC)
    request = requested(project, "reconcile_weekly", now)
    assert request.tags[RANGE_START_TAG] == partition_key(Month.of(project.rig.start))
    assert request.tags[RANGE_END_TAG] == partition_key(Month.of(now))


def test_reconcile_weekly_ends_with_the_proof(project: Project) -> None:
    request = requested(project, "reconcile_weekly", datetime.now(UTC))
    assert schedule_of(project, "reconcile_weekly").job_name == "reconcile"
    job = project.definitions.resolve_job_def("reconcile")
    assert request.asset_selection is None and request.asset_check_keys is None
    result = job.execute_in_process(instance=project.instance, tags=dict(request.tags), raise_on_error=False)
    assert result.success
    steps = [event.step_key for event in result.get_step_success_events()]
    assert steps.index("raw") < steps.index("raw_matches_api")
    (proof,) = [each for each in result.get_asset_check_evaluations() if each.check_name == "raw_matches_api"]
    assert proof.passed
    verified = last_comparison(project.instance, Keys().proof)
    assert verified is not None and verified.is_equal


@pytest.mark.parametrize(("per_hour", "is_proven"), [(30, False), (10_000, True)])
def test_the_proof_is_left_out_where_the_hourly_ceiling_does_not_allow_it(
    project: Project, monkeypatch: pytest.MonkeyPatch, per_hour: int, is_proven: bool
) -> None:
    monkeypatch.setenv("ANALYTICS_REQUESTS_PER_HOUR", str(per_hour))
    project.rig.sync()
    limited = Project(project.rig, load_settings(), project.instance)
    request = requested(limited, "reconcile_weekly", datetime.now(UTC))
    assert RANGE_START_TAG in request.tags
    if is_proven:
        assert request.asset_selection is None and request.asset_check_keys is None
        return
    with connection(project.rig.path):
        assert requested(limited, "reconcile_weekly", datetime.now(UTC)).asset_check_keys, "a busy warehouse is no reason to skip"
    graph = limited.definitions.resolve_asset_graph()
    assert set(request.asset_selection or []) == graph.materializable_asset_keys
    assert {key.name for key in graph.asset_check_keys - set(request.asset_check_keys or [])} == {"raw_matches_api"}


def test_a_reconciliation_that_runs_counts_as_a_sync(project: Project) -> None:
    run = project.instance.create_run_for_job(project.definitions.resolve_job_def("reconcile"))
    started = DagsterEvent(event_type_value=DagsterEventType.RUN_START.value, job_name="reconcile")
    project.instance.report_dagster_event(started, run.run_id, timestamp=time.time())
    assert tick(project, "sync_hourly", datetime.now(UTC)).skip_message == "A sync has just begun; the next tick syncs again."
