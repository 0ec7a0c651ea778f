"""The processes of `deploy/` on a real Postgres: what the daemon starts succeeds, and the web server shows it."""

import contextlib
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from dagster import (
    AssetCheckKey,
    AssetCheckSeverity,
    AssetKey,
    DagsterEvent,
    DagsterEventType,
    DagsterInstance,
    DagsterRunStatus,
    Failure,
    asset,
    get_dagster_logger,
    materialize,
)
from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluation
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.events import EngineEventData
from dagster._core.scheduler.instigation import ScheduleInstigatorData
from dagster._core.storage.tags import REPOSITORY_LABEL_TAG, SCHEDULE_NAME_TAG
from dagster._core.test_utils import create_run_for_test
from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL

from analytics_assets.cli.orphaned_runs import end_orphaned_runs
from analytics_assets.demo.behaviour import Behaviour
from analytics_assets.demo.faults import Fault
from analytics_assets.demo.serving import DemoServer
from analytics_assets.orchestration.run_history import forget_old_runs
from analytics_assets_tests.deploy.postgres import postgres
from analytics_assets_tests.deploy.programs import Program
from analytics_assets_tests.deploy.shared_instance import LOCATION, REPOSITORY, SharedInstance
from analytics_assets_tests.safety.conftest import KEY, Site
from analytics_assets_tests.tiny import MONTHS, month, tiny_workspace

HOURS_AGO: Final = 2.5
SCHEDULE: Final = "sync_hourly"
BACKFILLED: Final = 2
RED: Final = ("FAILURE", "CANCELED", "CANCELING")

START_SCHEDULE: Final = """
mutation start($schedule: ScheduleSelector!) {
  startSchedule(scheduleSelector: $schedule) { ... on ScheduleStateResult { scheduleState { status } } }
}
"""
TICKS: Final = """
query ticks($schedule: ScheduleSelector!) {
  scheduleOrError(scheduleSelector: $schedule) { ... on Schedule { scheduleState { ticks { status runIds } } } }
}
"""
MONTHS_OF_ENTRIES: Final = '{ assetNodes(assetKeys: [{path: ["raw", "time_entries"]}]) { partitionKeys } }'
BACKFILL: Final = """
mutation backfill($months: [String!]!) {
  launchPartitionBackfill(backfillParams: {assetSelection: [{path: ["raw", "time_entries"]}], partitionNames: $months}) {
    ... on LaunchBackfillSuccess { backfillId }
  }
}
"""
STATE_OF_BACKFILL: Final = (
    "query of($id: String!) { partitionBackfillOrError(backfillId: $id) { ... on PartitionBackfill { status } } }"
)
ENDED: Final = {"partitionBackfillOrError": {"status": "COMPLETED_SUCCESS"}}
LAUNCH: Final = """
mutation launch($job: JobOrPipelineSelector!) {
  launchRun(executionParams: {selector: $job, runConfigData: {}}) { ... on LaunchRunSuccess { run { runId } } }
}
"""
TERMINATE: Final = "mutation end($run: String!) { terminateRun(runId: $run) { ... on TerminateRunSuccess { run { runId } } } }"
STATUS: Final = "query of($run: ID!) { runOrError(runId: $run) { ... on Run { status } } }"
RUNS: Final = "{ runsOrError { ... on Runs { results { runId status jobName tags { key value } } } } }"
MADE: Final = "{ assetNodes { assetKey { path } isMaterializable assetMaterializations { runId partition } } }"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """An empty warehouse beside a small workspace."""
    with DemoServer(tiny_workspace(), Behaviour(api_key=KEY)) as server:
        site = Site(server, tmp_path / "data", start=month(MONTHS - 1).first_moment.date())
        site.path.parent.mkdir()
        yield site


@pytest.fixture
def deployment(tmp_path: Path, site: Site) -> Iterator[SharedInstance]:
    """A deployment whose Postgres runs, and none of its other processes yet."""
    with postgres() as database:
        yield SharedInstance(tmp_path, database, site.variables())


def backdate(instance: DagsterInstance) -> None:
    """The schedule that was just switched on becomes one that was switched on hours ago; its ticks since then are due."""
    (state,) = instance.all_instigator_state(instigator_type=InstigatorType.SCHEDULE)
    assert isinstance(state.instigator_data, ScheduleInstigatorData)
    data = ScheduleInstigatorData(state.instigator_data.cron_schedule, time.time() - HOURS_AGO * 3600)
    instance.update_instigator_state(state.with_data(data))


def wait_until_green(shared: SharedInstance, daemon: Program, tag: str, value: str) -> str:
    """The id of the run with this tag, when it has succeeded."""

    def green() -> str | None:
        for run in shared.ask(RUNS)["runsOrError"]["results"]:
            if {"key": tag, "value": value} in run["tags"]:
                assert run["status"] not in RED, run
                return str(run["runId"]) if run["status"] == "SUCCESS" else None
        return None

    return daemon.wait_for(f"a green run with {tag} {value}", green)


def rows_in(variables: dict[str, str], query: str) -> list[tuple[Any, ...]]:
    """What Postgres itself says, asked past Dagster."""
    names = ("USER", "PASSWORD", "HOST", "PORT", "DB")
    user, password, host, port, name = (variables[f"DAGSTER_POSTGRES_{each}"] for each in names)
    engine = create_engine(URL.create("postgresql+psycopg2", user, password, host, int(port), name))
    try:
        with engine.connect() as con:
            return [tuple(row) for row in con.execute(text(query))]
    finally:
        engine.dispose()


@pytest.mark.timeout(600)
def test_a_schedule_and_a_backfill_run_in_a_deployment_of_several_processes(deployment: SharedInstance, site: Site) -> None:
    with deployment.running(), deployment.instance() as instance:
        daemon = a_schedule_and_a_backfill_run(deployment, instance, site)
        a_run_that_is_terminated_ends(deployment, daemon, site)


def a_schedule_and_a_backfill_run(deployment: SharedInstance, instance: DagsterInstance, site: Site) -> Program:
    schedule = {"repositoryLocationName": LOCATION, "repositoryName": REPOSITORY, "scheduleName": SCHEDULE}
    started = deployment.ask(START_SCHEDULE, schedule=schedule)["startSchedule"]
    assert started == {"scheduleState": {"status": "RUNNING"}}
    (node,) = deployment.ask(MONTHS_OF_ENTRIES)["assetNodes"]
    months = node["partitionKeys"][:BACKFILLED]
    backfill = deployment.ask(BACKFILL, months=months)["launchPartitionBackfill"]["backfillId"]
    backdate(instance)
    daemon = deployment.start_daemon()
    backfilled = wait_until_green(deployment, daemon, "dagster/backfill", backfill)
    synced = wait_until_green(deployment, daemon, SCHEDULE_NAME_TAG, SCHEDULE)
    daemon.wait_for("the end of the backfill", lambda: deployment.ask(STATE_OF_BACKFILL, id=backfill) == ENDED or None)
    site.assert_equals_api()

    ticks = deployment.ask(TICKS, schedule=schedule)["scheduleOrError"]["scheduleState"]["ticks"]
    assert {"status": "SUCCESS", "runIds": [synced]} in ticks
    made = {
        "/".join(asset["assetKey"]["path"]): {(each["runId"], each["partition"]) for each in asset["assetMaterializations"]}
        for asset in deployment.ask(MADE)["assetNodes"]
        if asset["isMaterializable"]
    }
    assert {(backfilled, month) for month in months} <= made["raw/time_entries"]
    assert {name for name, runs in made.items() if synced not in {run for run, _ in runs}} == set()

    statuses = dict(rows_in(deployment.variables, "SELECT run_id, status FROM runs"))
    assert {backfilled: statuses.get(backfilled), synced: statuses.get(synced)} == {backfilled: "SUCCESS", synced: "SUCCESS"}
    assert any((deployment.printed / synced).rglob("*.out")), "what the run has printed is where the web server looks for it"
    files = {path.suffix for path in deployment.home.rglob("*") if path.is_file()}
    assert ".db" not in files, "something of the instance is kept in files"
    return daemon


def a_run_that_is_terminated_ends(deployment: SharedInstance, daemon: Program, site: Site) -> None:
    site.change_something()
    before = site.contents()
    asked = len(site.server.requests)
    site.server.faults.add(Fault("stall", "time_entries", times=None))
    job = {
        "repositoryLocationName": LOCATION,
        "repositoryName": REPOSITORY,
        "jobName": "sync",
        "assetSelection": [{"path": ["raw", "users"]}, {"path": ["raw", "time_entries"]}],
    }
    run = deployment.ask(LAUNCH, job=job)["launchRun"]["run"]["runId"]

    def reads() -> bool | None:
        return any(request.resource == "time_entries" for request in site.server.requests[asked:]) or None

    daemon.wait_for("the reading", reads)
    assert deployment.ask(TERMINATE, run=run)["terminateRun"] == {"run": {"runId": run}}
    ended = {"runOrError": {"status": "CANCELED"}}
    daemon.wait_for("the end of the run", lambda: deployment.ask(STATUS, run=run) == ended or None)
    daemon.wait_for("the end of its process", lambda: not processes_with(run) or None)
    assert site.contents() == before
    site.server.faults.clear()
    site.sync()
    site.assert_equals_api()


def processes_with(word: str) -> list[str]:
    """The commands of the processes that have the word among their arguments."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            command = file.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            found += [command] if word in command else []
    return found


def test_old_runs_are_forgotten_in_postgres_with_their_events_and_results_of_checks(deployment: SharedInstance) -> None:
    label = f"{REPOSITORY}@{LOCATION}"
    with deployment.instance() as instance:
        runs = []
        for _ in range(3):
            run = create_run_for_test(instance, tags={REPOSITORY_LABEL_TAG: label})
            evaluation = AssetCheckEvaluation(AssetKey("tags"), "tags_are_known", True, {}, severity=AssetCheckSeverity.ERROR)
            instance.report_dagster_event(
                DagsterEvent(DagsterEventType.ASSET_CHECK_EVALUATION.value, run.job_name, event_specific_data=evaluation),
                run.run_id,
            )
            instance.report_run_failed(run)
            runs.append(run.run_id)
        check = AssetCheckKey(AssetKey("tags"), "tags_are_known")
        forgotten = forget_old_runs(instance, label=label, keep=1, checks=[check])
    assert forgotten == runs[:2]
    for table in ("runs", "event_logs", "asset_check_executions"):
        left = {run_id for (run_id,) in rows_in(deployment.variables, f"SELECT run_id FROM {table} WHERE run_id <> ''")}
        assert left == {runs[2]}, table


def connections_made(deployment: SharedInstance) -> int:
    """How many connections the server has had so far."""
    ((sessions,),) = rows_in(deployment.variables, "SELECT sum(sessions) FROM pg_stat_database")
    return int(sessions)


@asset
def failing() -> None:
    """Says a hundred things, and fails in a sentence."""
    for number in range(100):
        get_dagster_logger().info("%d", number)
    raise Failure("The API is ill.")


def test_connections_are_used_again_and_a_failure_is_shown_in_its_sentence(deployment: SharedInstance) -> None:
    """Dagster's own storage opens one for each question, and never gives back those with which it looks for tables."""
    with deployment.instance() as instance:
        before = connections_made(deployment)
        ended = materialize([failing], instance=instance, raise_on_error=False)
        assert len(instance.all_logs(ended.run_id)) > 100
        assert connections_made(deployment) - before <= 20, "each of the events had several of its own"
        (record,) = instance.get_records_for_run(ended.run_id, of_type=DagsterEventType.STEP_FAILURE).records
    assert record.event_log_entry.dagster_event is not None
    error = record.event_log_entry.dagster_event.step_failure_data.error
    assert error is not None and (error.message, error.stack, error.cause) == ("The API is ill.\n", [], None)


def test_a_run_whose_process_is_on_another_machine_is_not_reported_as_failed(deployment: SharedInstance) -> None:
    """Its number means nothing here: `analytics-assets sync` in one container would end the runs of another one."""
    with deployment.instance() as instance, subprocess.Popen(["true"]) as gone:
        gone.wait()
        run = create_run_for_test(instance, status=DagsterRunStatus.STARTED)
        instance.report_engine_event("Started", run, EngineEventData.in_process(gone.pid))
        assert end_orphaned_runs(instance) == []
        assert [each.status for each in instance.get_runs()] == [DagsterRunStatus.STARTED]
