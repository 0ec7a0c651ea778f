"""The job `sync` and its schedules: what runs together, and when.

Which months a routine sync reads is decided in `pipeline/months.py`, when the run holds the warehouse.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from dagster import (
    AssetCheckKey,
    AssetSelection,
    DagsterInstance,
    DagsterRunStatus,
    RunRequest,
    RunsFilter,
    ScheduleDefinition,
    ScheduleEvaluationContext,
    SkipReason,
    define_asset_job,
    schedule,
)
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from analytics_assets.orchestration.checks import CHECK_NAME, WORKSPACE_KEY
from analytics_assets.orchestration.partitions import range_tags
from analytics_assets.orchestration.resources import Warehouse
from analytics_assets.pipeline.months import Month, history_span
from analytics_assets.settings import Settings
from analytics_assets.warehouse.writer_lock import holder_of

SYNC: Final = "sync"
BEGINNING_SECONDS: Final = 120.0
"""How long a run may take until it holds the warehouse, its imports included."""

sync_job: UnresolvedAssetJobDefinition = define_asset_job(
    SYNC,
    selection=AssetSelection.all() - AssetSelection.checks(AssetCheckKey(WORKSPACE_KEY, CHECK_NAME)),
    description="Everything in one run: the API into raw, the dbt models on top, the checks. Without partitions it covers "
    "what a routine sync covers; with a range of months it reads just those.",
)


def build_schedules(settings: Settings) -> Sequence[ScheduleDefinition]:
    """`sync_hourly` for the lookback window and `reconcile_weekly` for all history; both stopped until started.

    They are off by default because they spend the API's requests, which only the owner of the key can allow.
    """

    @schedule(
        job=sync_job,
        cron_schedule="7 * * * *",
        execution_timezone="UTC",
        description="Every hour: all snapshots, and the time entries of the last "
        f"{settings.lookback_months} months (ANALYTICS_LOOKBACK_MONTHS) and of every month since the last sync. Skips an hour "
        "in which a sync is queued or running.",
    )
    def sync_hourly(context: ScheduleEvaluationContext, warehouse: Warehouse) -> RunRequest | SkipReason:
        if going_on := sync_going_on(context.instance, warehouse.path):
            return SkipReason(f"{going_on}; the next tick syncs again.")
        # without partitions: the run decides on its months when it holds the warehouse, which may be hours later
        return RunRequest(run_key=context.scheduled_execution_time.isoformat())

    @schedule(
        job=sync_job,
        cron_schedule="30 3 * * 0",
        execution_timezone="UTC",
        description="Every Sunday at 03:30 UTC: the same over all history, so that edits and deletions of any age arrive.",
    )
    def reconcile_weekly(context: ScheduleEvaluationContext) -> RunRequest:
        span = history_span(settings.start_date, now=Month.of(context.scheduled_execution_time))
        return RunRequest(run_key=context.scheduled_execution_time.isoformat(), tags=range_tags(span))

    return [sync_hourly, reconcile_weekly]


def sync_going_on(instance: DagsterInstance, warehouse: Path) -> str | None:
    """What makes another sync needless now, in words; None where nothing does.

    A run whose process was killed stays "started" for a day; what it held, the operating system has let go of, so a
    started run counts only while somebody holds the warehouse, or has hardly begun.

    Args:
        instance: where the runs are.
        warehouse: path of the warehouse file.
    """
    queued = RunsFilter(
        job_name=SYNC, statuses=[DagsterRunStatus.QUEUED, DagsterRunStatus.NOT_STARTED, DagsterRunStatus.STARTING]
    )
    if records := instance.get_run_records(queued, limit=1):
        return f"The sync of run {records[0].dagster_run.run_id[:8]} is waiting for its turn"
    started = RunsFilter(job_name=SYNC, statuses=[DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING])
    records = instance.get_run_records(started)
    if not records:
        return None
    if holder := holder_of(warehouse):
        return f"A sync is running: {holder} holds the warehouse"
    newest = max(record.start_time or 0.0 for record in records)
    return "A sync has just begun" if time.time() - newest < BEGINNING_SECONDS else None
