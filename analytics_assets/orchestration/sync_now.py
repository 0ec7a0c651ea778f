"""The job `sync_now`: a routine sync that a person starts in the UI with one click.

The dialog of `sync` offers months alone, because one of its assets has partitions. So this job does nothing itself; the sensor
that follows it starts `sync` as the schedule does.
"""

from typing import Final

from dagster import (
    DagsterRunStatus,
    DefaultSensorStatus,
    JobDefinition,
    OpExecutionContext,
    RunRequest,
    RunStatusSensorContext,
    SensorDefinition,
    job,
    op,
    run_status_sensor,
)

from analytics_assets.orchestration.jobs import sync_job
from analytics_assets.settings import Settings

SECONDS_BETWEEN: Final = 5
"""The daemon looks no more often."""


@op
def ask_for_a_sync(context: OpExecutionContext) -> None:
    """Asks for a run of `sync`, which the sensor `sync_on_request` starts within some seconds."""
    context.log.info("A run of `sync` follows within some seconds, if the daemon runs; it stands beside this one under Runs.")


def build_sync_now(settings: Settings) -> tuple[JobDefinition, SensorDefinition]:
    """The job, and the sensor that starts `sync` after each of its runs.

    Args:
        settings: which months a routine sync covers.
    """

    @job(
        description="Press Launch Run to sync now: all snapshots, and the time entries of the last "
        f"{settings.lookback_months} months (ANALYTICS_LOOKBACK_MONTHS) and of every month since the last sync, as "
        "`analytics-assets sync` does. The run of `sync` follows within some seconds. For other months start `sync` itself."
    )
    def sync_now() -> None:
        ask_for_a_sync()

    @run_status_sensor(
        run_status=DagsterRunStatus.SUCCESS,
        name="sync_on_request",
        monitored_jobs=[sync_now],
        request_job=sync_job,
        minimum_interval_seconds=SECONDS_BETWEEN,
        default_status=DefaultSensorStatus.RUNNING,
        description="Starts `sync` once after each run of `sync_now`. It is on because it does nothing until a person starts "
        "that job.",
    )
    def sync_on_request(context: RunStatusSensorContext) -> RunRequest:
        # without partitions: the run decides on its months when it holds the warehouse
        return RunRequest(run_key=context.dagster_run.run_id)

    return sync_now, sync_on_request
