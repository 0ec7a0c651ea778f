"""`analytics-assets dev` with the real daemon: schedules and sensors do by themselves what they say."""

import itertools
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from dagster import AssetKey, DagsterEventType, DagsterInstance, DagsterRun, DagsterRunStatus, RunsFilter
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.remote_origin import GrpcServerCodeLocationOrigin, RemoteInstigatorOrigin, RemoteRepositoryOrigin
from dagster._core.scheduler.instigation import InstigatorState, InstigatorStatus, ScheduleInstigatorData, SensorInstigatorData
from dagster._core.storage.tags import REPOSITORY_LABEL_TAG, SCHEDULE_NAME_TAG, SENSOR_NAME_TAG
from dagster._core.test_utils import create_run_for_test

from analytics_assets.demo.faults import Fault
from analytics_assets.orchestration.run_history import forget_old_runs
from analytics_assets_tests.orchestration.postbox import TOKEN, Postbox
from analytics_assets_tests.safety.child import CommandOrder, DagsterOrder
from analytics_assets_tests.safety.conftest import Site
from analytics_assets_tests.safety.processes import Processes

REPOSITORY, LOCATION = "__repository__", "analytics_assets.definitions"
LABEL = f"{REPOSITORY}@{LOCATION}"
HOURS_AGO = 2.5


def start_schedule_hours_ago(instance: DagsterInstance, name: str, cron: str) -> None:
    """Switch a schedule on as if somebody had done so hours ago: the daemon makes up for the ticks that are due."""
    place = GrpcServerCodeLocationOrigin(host="localhost", port=1, location_name=LOCATION)  # only the names count
    origin = RemoteInstigatorOrigin(RemoteRepositoryOrigin(place, REPOSITORY), name)
    data = ScheduleInstigatorData(cron, time.time() - HOURS_AGO * 3600)
    instance.add_instigator_state(InstigatorState(origin, InstigatorType.SCHEDULE, InstigatorStatus.RUNNING, data))


@pytest.mark.timeout(600)
def test_a_schedule_that_is_due_syncs_and_old_runs_are_forgotten_without_anybodys_hand(site: Site, processes: Processes) -> None:
    with site.instance() as instance:
        old = [
            create_run_for_test(instance, tags={REPOSITORY_LABEL_TAG: LABEL}, status=DagsterRunStatus.SUCCESS) for _ in range(3)
        ]
        start_schedule_hours_ago(instance, "sync_hourly", "7 * * * *")
        site.change_something()
        dev = processes.start(CommandOrder(("dev", "--port", "0")), site.variables(ANALYTICS_KEEP_RUNS="1"))
        dev.wait_until_it_says("2 old runs deleted")
        dev.wait_until_it_says("RUN_SUCCESS - ")
        site.assert_equals_api()
        assert len(set(instance.get_run_ids()) & {run.run_id for run in old}) == 1
        (synced,) = instance.get_runs(RunsFilter(job_name="sync", statuses=[DagsterRunStatus.SUCCESS]))
        assert synced.tags[SCHEDULE_NAME_TAG] == "sync_hourly"
        # while it runs it may write of assets that are being wiped: once the run still counted as the latest state of something
        dev.send(signal.SIGINT)
        dev.end()
        # a run that the daemon has launched is told by where its job comes from: it has no tag
        create_run_for_test(instance, tags={REPOSITORY_LABEL_TAG: LABEL}, status=DagsterRunStatus.SUCCESS)
        for asset in instance.all_asset_keys():
            instance.wipe_assets([asset])
        assert synced.run_id in forget_old_runs(instance, label=LABEL, keep=1, checks=[])


def start_sensor(instance: DagsterInstance, name: str) -> None:
    """Switch a sensor on."""
    place = GrpcServerCodeLocationOrigin(host="localhost", port=1, location_name=LOCATION)  # only the names count
    origin = RemoteInstigatorOrigin(RemoteRepositoryOrigin(place, REPOSITORY), name)
    instance.add_instigator_state(
        InstigatorState(origin, InstigatorType.SENSOR, InstigatorStatus.RUNNING, SensorInstigatorData(min_interval=900))
    )


@pytest.mark.soak  # two minutes, most of them the half minutes between the daemon's ticks
@pytest.mark.timeout(600)
def test_a_new_project_is_synced_marts_follow_a_raw_asset_and_a_failure_is_told(site: Site, processes: Processes) -> None:
    with site.instance() as instance, Postbox() as postbox, ThreadPoolExecutor(1) as pool:
        pool.submit(postbox.serve_forever, 0.01)
        with ExitStack() as stack:
            stack.callback(postbox.shutdown)
            start_sensor(instance, "sync_on_new_parents")
            project = site.workspace.new("projects", name="New project")
            site.workspace.new("tasks", project["id"], name="New task")
            variables = site.variables(ANALYTICS_NOTIFY_URLS=postbox.url)
            dev = processes.start(CommandOrder(("dev", "--port", "0")), variables)
            dev.wait_until_it_says('RUN_SUCCESS - Finished execution of run for "sync"')
            site.assert_equals_api(resources=["projects", "tasks"])
            (synced,) = instance.get_runs(RunsFilter(job_name="sync"))
            assert synced.tags[SENSOR_NAME_TAG] == "sync_on_new_parents"
            assert AssetKey(["raw", "time_entries"]) not in (synced.asset_selection or set())

            dev.wait_until_it_says("Finished auto-materialization tick")
            site.workspace.new("tags", name="A tag by hand")
            assert processes.start(DagsterOrder(("raw/tags",)), variables).end().result["success"]
            followed: list[DagsterRun] = []
            runs = itertools.count(1)
            while not followed:  # a tick at the very end of the sync may have asked once more for what the sync made last
                dev.wait_until_it_says('RUN_SUCCESS - Finished execution of run for "__ASSET_JOB"', times=next(runs))
                succeeded = instance.get_runs(RunsFilter(job_name="__ASSET_JOB", statuses=[DagsterRunStatus.SUCCESS]))
                followed = [run for run in succeeded if AssetKey(["marts", "dim_tags"]) in (run.asset_selection or set())]
            assert site.query("SELECT count(*) FROM marts.dim_tags WHERE tag_name = 'A tag by hand'") == [(1,)]
            assert [run.tags[SENSOR_NAME_TAG] for run in followed] == ["marts_follow_raw"]
            assert AssetKey(["staging", "stg_tags"]) in (followed[0].asset_selection or set())
            checked = instance.get_records_for_run(followed[0].run_id, of_type=DagsterEventType.ASSET_CHECK_EVALUATION)
            assert checked.records, "what is built is checked too"

            dev.wait_until_it_says("Nothing new has failed")
            site.server.faults.add(Fault("status", "tags", status=403, body=b"{}", times=None))
            red = processes.start(DagsterOrder(("raw/tags",), ((REPOSITORY_LABEL_TAG, LABEL),)), variables).end().result
            assert not red["success"]
            dev.wait_until_it_says("Told: The job sync failed")
            ((title, text),) = postbox.taken()
            assert title == "The job sync failed"
            assert red["run_id"] in text
            assert TOKEN not in dev.said
