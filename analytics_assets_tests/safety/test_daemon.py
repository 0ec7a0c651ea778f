"""`analytics-assets dev` with the real daemon: a schedule that is due syncs by itself, and old runs are forgotten."""

import time

import pytest
from dagster import DagsterInstance, DagsterRunStatus, RunsFilter
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.remote_origin import GrpcServerCodeLocationOrigin, RemoteInstigatorOrigin, RemoteRepositoryOrigin
from dagster._core.scheduler.instigation import InstigatorState, InstigatorStatus, ScheduleInstigatorData
from dagster._core.storage.tags import REPOSITORY_LABEL_TAG, SCHEDULE_NAME_TAG
from dagster._core.test_utils import create_run_for_test

from analytics_assets.orchestration.run_history import forget_old_runs
from analytics_assets_tests.safety.child import CommandOrder
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


@pytest.mark.timeout(300)
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
        # a run that the daemon has launched is told by where its job comes from: it has no tag
        create_run_for_test(instance, tags={REPOSITORY_LABEL_TAG: LABEL}, status=DagsterRunStatus.SUCCESS)
        for asset in instance.all_asset_keys():
            instance.wipe_assets([asset])
        assert synced.run_id in forget_old_runs(instance, label=LABEL, keep=1, checks=[])
