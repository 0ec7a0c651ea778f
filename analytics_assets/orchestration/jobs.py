"""The jobs `sync` and `reconcile` and their schedules: what runs together, and when.

Which months a routine sync reads is decided in `pipeline/months.py`, when the run holds the warehouse.
"""

import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final

from dagster import (
    AssetSelection,
    DagsterInstance,
    DagsterRunStatus,
    RunRecord,
    RunRequest,
    RunsFilter,
    ScheduleDefinition,
    ScheduleEvaluationContext,
    SkipReason,
    define_asset_job,
    schedule,
)
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from analytics_assets.orchestration.failures import sentence_of
from analytics_assets.orchestration.keys import Keys
from analytics_assets.orchestration.partitions import range_tags
from analytics_assets.orchestration.resources import Warehouse, WorkspaceAccessResource
from analytics_assets.pipeline.look import SHORT_LIST, why_a_sync_would_fail
from analytics_assets.pipeline.months import Month, history_span
from analytics_assets.settings import Settings
from analytics_assets.source.columns import RESOURCE_NAMES, TABLES
from analytics_assets.source.page_size import largest
from analytics_assets.warehouse.connection import connection
from analytics_assets.warehouse.counting import count
from analytics_assets.warehouse.errors import WarehouseError
from analytics_assets.warehouse.tables import RAW, columns_of
from analytics_assets.warehouse.writer_lock import holder_of

SYNC: Final = "sync"
RECONCILE: Final = "reconcile"
REASON_TAG: Final = "analytics_assets/only_one_list_because"
WORKSPACE_TAG: Final = "analytics_assets/workspace"
BEGINNING_SECONDS: Final = 120.0
"""How long a run may take until it holds the warehouse, its imports included."""


@cache
def sync_job(keys: Keys) -> UnresolvedAssetJobDefinition:
    """The job `sync`: all assets in one run."""
    return define_asset_job(
        SYNC,
        selection=AssetSelection.all() - AssetSelection.checks(keys.proof),
        description="Everything in one run: the API into raw, the dbt models on top, the checks. Without partitions it covers "
        "what a routine sync covers; with a range of months it reads just those.",
        tags=workspace_tags(keys),
    )


@cache
def reconcile_job(keys: Keys) -> UnresolvedAssetJobDefinition:
    """The job `reconcile`: the same, and the proof.

    It is a job of its own, because a check that belongs to a job runs each time that its job is started by hand, and `sync`
    is started often. A second run after the first would be no proof of it: another sync may come between.
    """
    return define_asset_job(
        RECONCILE,
        selection=AssetSelection.all() | AssetSelection.checks(keys.proof),
        description="The same as `sync`, and then the proof: the check `raw_matches_api` reads the API a second time and "
        "compares.",
        tags=workspace_tags(keys),
    )


def build_schedules(settings: Settings) -> Sequence[ScheduleDefinition]:
    """`sync_hourly` for the lookback window and `reconcile_weekly` for all history; both stopped until started.

    They are off by default because they spend the API's requests, which only the owner of the key can allow.
    """
    keys = Keys.of(settings)

    @schedule(
        job=sync_job(keys),
        cron_schedule="7 * * * *",
        execution_timezone="UTC",
        description="Every hour: the whole lists of all but time entries, and the time entries of the last "
        f"{settings.lookback_months} months (ANALYTICS_LOOKBACK_MONTHS), of every month since the last sync, and all of members "
        "whose lists were not read before. Skips an hour in which a sync is queued or running. It is off until you start it, "
        "because it uses up requests of your API.",
    )
    def sync_hourly(
        context: ScheduleEvaluationContext, api: WorkspaceAccessResource, warehouse: Warehouse
    ) -> RunRequest | SkipReason:
        if going_on := sync_going_on(context.instance, keys, warehouse.path):
            return SkipReason(f"{going_on}; the next tick syncs again.")
        run_key = context.scheduled_execution_time.isoformat()
        if reason := why_it_would_fail(api, warehouse, settings):
            return run_that_fails(keys, run_key, reason)
        # without partitions: the run decides on its months when it holds the warehouse, which may be hours later
        return RunRequest(run_key=run_key)

    @schedule(
        job=reconcile_job(keys),
        cron_schedule="30 3 * * 0",
        execution_timezone="UTC",
        description="Every Sunday at 03:30 UTC: the same over all history, so that edits and deletions of any age arrive, and "
        "then the check `raw_matches_api`; without it where ANALYTICS_REQUESTS_PER_HOUR does not allow to read all history "
        "twice in an hour. It is off until you start it, because it uses up requests of your API.",
    )
    def reconcile_weekly(context: ScheduleEvaluationContext, api: WorkspaceAccessResource, warehouse: Warehouse) -> RunRequest:
        span = history_span(settings.start_date, now=Month.of(context.scheduled_execution_time))
        run_key, tags = context.scheduled_execution_time.isoformat(), range_tags(span)
        if reason := why_it_would_fail(api, warehouse, settings):
            return run_that_fails(keys, run_key, reason)
        if proof_is_allowed(settings, warehouse.path):
            return RunRequest(run_key=run_key, tags=tags)
        assert context.repository_def is not None
        graph = context.repository_def.asset_graph
        return RunRequest(
            run_key=run_key,
            tags=tags,
            asset_selection=sorted(graph.materializable_asset_keys),
            asset_check_keys=sorted(graph.asset_check_keys - {keys.proof}),
        )

    return [sync_hourly, reconcile_weekly]


def why_it_would_fail(api: WorkspaceAccessResource, warehouse: Warehouse, settings: Settings) -> str | None:
    """Why a run that begins now would fail at once, in a sentence; None where nothing is known against it."""
    try:
        return why_a_sync_would_fail(api.api(settings), warehouse.path)
    except Exception as error:
        if (sentence := sentence_of(error)) is None:
            raise
        return sentence


def run_that_fails(keys: Keys, run_key: str, reason: str) -> RunRequest:
    """A run of one short list, which fails for this reason.

    It is seen under Runs and reported by `notify_on_failure`, as a tick that fails is not. A run of everything would show
    every asset and month as failed.

    Args:
        keys: what the assets are called.
        run_key: the tick that it is of.
        reason: why it fails, for the run's tags.
    """
    return RunRequest(run_key=run_key, asset_selection=[keys.raw(SHORT_LIST)], tags={REASON_TAG: reason})


def workspace_tags(keys: Keys) -> dict[str, str]:
    """What the runs of a workspace are told by where several are loaded."""
    return {} if keys.workspace_name is None else {WORKSPACE_TAG: keys.workspace_name}


def sync_going_on(instance: DagsterInstance, keys: Keys, warehouse: Path) -> str | None:
    """What makes another sync needless now, in words; None where nothing does.

    A run whose process was killed stays "started" for a day; what it held, the operating system has let go of, so a
    started run counts only while somebody holds the warehouse, or has hardly begun.

    Args:
        instance: where the runs are.
        keys: the keys of the workspace.
        warehouse: path of the warehouse file.
    """
    queued = [DagsterRunStatus.QUEUED, DagsterRunStatus.NOT_STARTED, DagsterRunStatus.STARTING]
    if records := _records(instance, keys, queued):
        return f"The sync of run {records[0].dagster_run.run_id[:8]} is waiting for its turn"
    records = _records(instance, keys, [DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING])
    if not records:
        return None
    if holder := holder_of(warehouse):
        return f"A sync is running: {holder} holds the warehouse"
    newest = max(record.start_time or 0.0 for record in records)
    # one of the future began while the clock was ahead
    return "A sync has just begun" if abs(time.time() - newest) < BEGINNING_SECONDS else None


def _records(instance: DagsterInstance, keys: Keys, statuses: Sequence[DagsterRunStatus]) -> list[RunRecord]:
    """The workspace's runs of both jobs, for either is a sync."""
    tags = workspace_tags(keys)
    filters = [RunsFilter(job_name=name, statuses=list(statuses), tags=tags) for name in (SYNC, RECONCILE)]
    return [record for each in filters for record in instance.get_run_records(each)]


def proof_is_allowed(settings: Settings, warehouse: Path) -> bool:
    """Whether the hourly ceiling allows to read all history twice within an hour, as far as the warehouse knows its size.

    Where it knows nothing, or another program writes it just now, the sync matters more than its proof.

    Args:
        settings: the ceiling, and the rows of a page.
        warehouse: path of the warehouse file.
    """
    per_hour = settings.requests_per_hour
    if per_hour is None:
        return True
    if not warehouse.exists():
        return False
    try:
        with connection(warehouse, read_only=True, patience_seconds=0) as con:
            if not all(columns_of(con, RAW, name) for name in RESOURCE_NAMES):
                return False
            rows = {name: count(con, f"{RAW}.{name}") for name in RESOURCE_NAMES}
    except WarehouseError:
        return False
    # each list has one page at least, and is read twice where it has more
    lists = sum(1 if table.parent is None else rows[table.parent] for table in TABLES.values())
    one_reading = lists + 2 * sum(rows.values()) // largest(settings.page_size)
    return 2 * one_reading <= per_hour
