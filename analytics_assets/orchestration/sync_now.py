"""The job `sync_now`: a routine sync that a person starts in the UI with one click.

The dialog of `sync` offers months alone, because one of its assets has partitions. So this job only asks the API whether it
can be read; the sensor that follows it starts `sync` as the schedule does. Dagster shows every asset that a failed run was
to make as failed, so that a wrong key is better found by a run that makes none.
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

from analytics_assets.orchestration.failures import failures_in_a_sentence
from analytics_assets.orchestration.jobs import sync_job
from analytics_assets.orchestration.keys import Keys
from analytics_assets.orchestration.resources import WorkspaceAccessResource
from analytics_assets.pipeline.look import SHORT_LIST
from analytics_assets.pipeline.progress import ReadingProgress
from analytics_assets.settings import Settings

SECONDS_BETWEEN: Final = 5
"""The daemon looks no more often."""


def build_sync_now(settings: Settings) -> tuple[JobDefinition, SensorDefinition]:
    """The job, and the sensor that starts `sync` after each of its runs.

    Args:
        settings: how the API is asked, and which months a routine sync covers.
    """

    @op
    def ask_for_a_sync(context: OpExecutionContext, api: WorkspaceAccessResource) -> None:
        """Asks the API for one short list, and for a run of `sync`, which `sync_on_request` starts within some seconds."""
        progress = ReadingProgress()
        with failures_in_a_sentence(), progress.meter.ending.at_exit_or_signal():
            clients = len(set(api.api(settings).listed(SHORT_LIST, progress)))
        context.log.info(
            f"The API accepts the key and lists {clients:,} {SHORT_LIST}. A run of `sync` follows within some seconds, if the "
            "daemon runs; it stands beside this one under Runs."
        )

    @job(
        description="Press Launch Run to sync now: the whole lists of all but time entries, and the time entries of the last "
        f"{settings.lookback_months} months (ANALYTICS_LOOKBACK_MONTHS), of every month since the last sync, and all of members "
        "whose lists were not read before, as `analytics-assets sync` does. The run of `sync` follows within some seconds, where "
        "the API can be read. For other months start `sync` itself."
    )
    def sync_now() -> None:
        ask_for_a_sync()

    @run_status_sensor(
        run_status=DagsterRunStatus.SUCCESS,
        name="sync_on_request",
        monitored_jobs=[sync_now],
        request_job=sync_job(Keys.of(settings)),
        minimum_interval_seconds=SECONDS_BETWEEN,
        default_status=DefaultSensorStatus.RUNNING,
        description="Starts `sync` once after each run of `sync_now`. It is on because it does nothing until a person starts "
        "that job.",
    )
    def sync_on_request(context: RunStatusSensorContext) -> RunRequest:
        # without partitions: the run decides on its months when it holds the warehouse
        return RunRequest(run_key=context.dagster_run.run_id)

    return sync_now, sync_on_request
