"""The job `sync` and its schedules: what runs together, and when.

Which months a routine sync reads is decided in `pipeline/months.py`; the schedules only ask for them.
"""

from collections.abc import Sequence
from typing import Final

from dagster import (
    AssetCheckKey,
    AssetSelection,
    RunRequest,
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
from analytics_assets.pipeline.months import Month, Span, history_span, routine_span
from analytics_assets.settings import Settings
from analytics_assets.warehouse.errors import WarehouseError

SYNC: Final = "sync"
TICK_PATIENCE_SECONDS: Final = 20.0
"""Dagster gives a tick a minute."""

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
        f"{settings.lookback_months} months (ANALYTICS_LOOKBACK_MONTHS) and of every month since the last sync.",
    )
    def sync_hourly(context: ScheduleEvaluationContext, warehouse: Warehouse) -> RunRequest | SkipReason:
        try:
            last_covered = warehouse.last_covered(settings.start_date, patience_seconds=TICK_PATIENCE_SECONDS)
        except WarehouseError as error:
            return SkipReason(f"Another run is writing the warehouse; the next tick syncs again. {error}")
        now = Month.of(context.scheduled_execution_time)
        return _request(routine_span(settings.start_date, settings.lookback_months, last_covered, now=now), context)

    @schedule(
        job=sync_job,
        cron_schedule="30 3 * * 0",
        execution_timezone="UTC",
        description="Every Sunday at 03:30 UTC: the same over all history, so that edits and deletions of any age arrive.",
    )
    def reconcile_weekly(context: ScheduleEvaluationContext) -> RunRequest:
        return _request(history_span(settings.start_date, now=Month.of(context.scheduled_execution_time)), context)

    return [sync_hourly, reconcile_weekly]


def _request(span: Span, context: ScheduleEvaluationContext) -> RunRequest:
    return RunRequest(run_key=context.scheduled_execution_time.isoformat(), tags=range_tags(span))
