"""Loading the definitions needs nothing and does nothing; the schedules ask for the right months."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from dagster import (
    AssetKey,
    DagsterEvent,
    DagsterEventType,
    DagsterInstance,
    FreshnessPolicy,
    RunRequest,
    ScheduleDefinition,
    SensorDefinition,
    build_run_status_sensor_context,
    build_schedule_context,
)
from dagster._core.definitions.schedule_definition import ScheduleExecutionData

from analytics_assets.definitions import build_definitions
from analytics_assets.demo.faults import Fault
from analytics_assets.orchestration.checks import WORKSPACE_KEY
from analytics_assets.orchestration.jobs import REASON_TAG
from analytics_assets.orchestration.partitions import RANGE_END_TAG, RANGE_START_TAG, partition_key
from analytics_assets.orchestration.report_asset import last_comparison
from analytics_assets.pipeline import look
from analytics_assets.pipeline.months import Month
from analytics_assets.settings import Settings, SettingsError, load_settings
from analytics_assets.warehouse.connection import connection
from analytics_assets.warehouse.writer_lock import writing
from analytics_assets_tests.orchestration.conftest import Project

ROOT = Path(__file__).parents[2]

LOAD_AND_TELL = """
import json, sys
touched = []
def watch(event, args):
    if event in ("socket.connect", "os.mkdir", "os.rename", "os.remove", "sqlite3.connect"):
        touched.append([event, str(args)])
    if event == "open" and isinstance(args[0], str) and args[2] & 0o3:
        touched.append([event, args[0]])
sys.addaudithook(watch)
sys.dont_write_bytecode = True
import analytics_assets.definitions
print(json.dumps([what for what in touched if not what[1].startswith(("/dev/", "/proc/"))]))
"""


def bare_environment(home: Path) -> dict[str, str]:
    """The environment without any of the project's variables, and with a home of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANALYTICS_", "DAGSTER_"))}
    return {**kept, "HOME": str(home), "TMPDIR": str(home)}


def test_loading_the_definitions_writes_nothing_and_opens_no_connection(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", LOAD_AND_TELL],
        cwd=tmp_path,
        env={**bare_environment(tmp_path), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(result.stdout.splitlines()[-1]) == []
    assert list(tmp_path.iterdir()) == []


def test_dagster_validates_the_definitions_with_no_variable_set(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "dagster", "definitions", "validate", "-w", "workspace.yaml"],
        cwd=ROOT,
        env=bare_environment(tmp_path),
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    assert "Validation successful" in result.stdout + result.stderr


def test_a_bad_value_is_named_before_anything_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANALYTICS_PAGE_SIZE", "many")
    monkeypatch.setenv("ANALYTICS_START_DATE", "2999-01-01")
    with pytest.raises(SettingsError, match=r"ANALYTICS_PAGE_SIZE .*integer.*ANALYTICS_START_DATE must not lie in the future"):
        load_settings()


def test_every_asset_carries_a_check_and_every_check_a_description() -> None:
    graph = build_definitions(Settings()).resolve_asset_graph()
    assert {key.asset_key for key in graph.asset_check_keys} == graph.executable_asset_keys | {WORKSPACE_KEY}
    assert [key for key in graph.asset_check_keys if len(graph.get_check_spec(key).description or "") < 30] == []


def test_every_asset_belongs_to_the_job_sync_and_the_proof_by_hand_does_not() -> None:
    definitions = build_definitions(Settings())
    job = definitions.resolve_job_def("sync")
    graph = definitions.resolve_asset_graph()
    assert job.asset_layer.selected_asset_keys == graph.materializable_asset_keys
    assert not [key for key in job.asset_layer.asset_graph.asset_check_keys if key.name == "raw_matches_api"]


def schedule_of(project: Project, name: str) -> ScheduleDefinition:
    """A schedule by its name."""
    return project.definitions.resolve_schedule_def(name)


@pytest.fixture
def project(project: Project, tmp_path: Path) -> Iterator[Project]:
    """The project on an instance that is on a disk, which is what schedules look at."""
    (tmp_path / "instance").mkdir()
    with DagsterInstance.local_temp(str(tmp_path / "instance")) as instance:
        project.instance = instance
        yield project


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


def test_sync_hourly_asks_for_a_run_on_a_file_that_is_not_a_warehouse_and_the_run_says_so(project: Project) -> None:
    """The broken file was taken for one that another run writes, and the schedule skipped for ever."""
    project.rig.path.write_text("this is not a database, but long enough to be read as one" * 1000)
    assert requested(project, "sync_hourly", datetime.now(UTC))
    failure = project.run("raw/tags").get_step_failure_events()[0].step_failure_data.user_failure_data
    assert failure is not None
    assert "can't be opened" in str(failure.description)


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
    verified = last_comparison(project.instance)
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


def test_the_readme_lists_each_schedule_and_sensor_as_it_is_at_first_and_each_says_why() -> None:
    repository = build_definitions(Settings()).get_repository_def()
    shown = dict(re.findall(r"^\| `(\w+)` \| (on|off)\b", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE))
    starting: list[ScheduleDefinition | SensorDefinition] = [*repository.schedule_defs, *repository.sensor_defs]
    assert shown.keys() == {each.name for each in starting}
    for each in starting:
        is_on = each.default_status.value == "RUNNING"
        assert f"It is {'on' if is_on else 'off'} " in str(each.description), each.name
        # notify_on_failure depends on a setting, which is not set here
        assert is_on == (shown[each.name] == "on") or each.name == "notify_on_failure"


def test_every_check_of_the_models_says_in_the_ui_what_holds() -> None:
    """The descriptions stood in the dbt project alone: dagster-dbt did not pass them on."""
    graph = build_definitions(Settings()).resolve_asset_graph()
    specs = [graph.get_check_spec(key) for key in graph.asset_check_keys]
    assert len(specs) > 70
    assert [spec.name for spec in specs if not (spec.description or "").endswith(".")] == []
    assert any(spec.blocking for spec in specs) and not all(spec.blocking for spec in specs)


def test_models_are_assets_with_their_columns_lineage_and_place() -> None:
    graph = build_definitions(Settings(duckdb_path=Path("data/ours.duckdb"))).resolve_asset_graph()
    changes = graph.get(AssetKey(["marts", "time_entry_changes"]))
    assert {AssetKey(["raw", "time_entries"]), AssetKey(["staging", "stg_time_entry_versions"])} <= changes.parent_keys
    assert changes.metadata["dagster/table_name"] == "ours.marts.time_entry_changes"
    columns = changes.metadata["dagster/column_schema"].schema.columns
    assert {"time_entry_id", "currency"} <= {column.name for column in columns}
    assert all(column.description and column.type != "?" for column in columns)


def test_the_owners_of_the_settings_are_those_of_every_asset_and_nobody_is_invented() -> None:
    def owners_of(settings: Settings) -> set[tuple[str, ...]]:
        graph = build_definitions(settings).resolve_asset_graph()
        return {tuple(graph.get(key).owners) for key in graph.get_all_asset_keys()}

    assert owners_of(Settings()) == {()}
    assert owners_of(Settings(owners=" ada@example.com , team:finance")) == {("ada@example.com", "team:finance")}


def test_everything_that_a_sync_makes_is_out_of_date_after_the_hours_of_the_setting() -> None:
    """Nothing in the UI said that the last sync had been days ago."""

    def policies_of(settings: Settings) -> dict[str, object]:
        graph = build_definitions(settings).resolve_asset_graph()
        return {key.to_user_string(): graph.get(key).freshness_policy for key in graph.get_all_asset_keys()}

    assert set(policies_of(Settings()).values()) == {None}, "schedules are off at first, and everything would be red at night"
    policies = policies_of(Settings(fresh_within_hours=3))
    assert {key for key, policy in policies.items() if policy is None} == {"api/workspace", "raw/time_entries"}
    expected = FreshnessPolicy.time_window(timedelta(hours=3))
    assert all(policy == expected for policy in policies.values() if policy is not None)


def test_the_ui_leads_from_each_asset_to_where_it_is_made() -> None:
    graph = build_definitions(Settings()).resolve_asset_graph()
    for key in graph.materializable_asset_keys:
        (reference,) = graph.get(key).metadata["dagster/code_references"].code_references
        file = Path(reference.file_path)
        if key.path[0] in ("staging", "marts"):
            assert file.name == f"{key.path[-1]}.sql" and file.exists()
        else:
            lines = file.read_text().splitlines()[reference.line_number - 1 :]
            assert lines[0].strip() in ("@dlt_assets(", "@asset("), key


def test_loading_the_definitions_does_not_import_dbt() -> None:
    """It takes two seconds, and most processes never run it."""
    code = "import sys, analytics_assets.definitions; print([name for name in sys.modules if name.split('.')[0] == 'dbt'])"
    result = subprocess.run([sys.executable, "-W", "ignore", "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout.splitlines()[-1] == "[]"
