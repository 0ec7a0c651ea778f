"""The history of runs on the Dagster instance, kept bounded: each sync leaves a megabyte and four files there.

Dagster itself forgets ticks, but never a run. Which runs may go, and what of them is on the disk, is decided here; when
they go, by the sensor `forget_old_runs` and by the command line.
"""

import os
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

from dagster import (
    AssetCheckKey,
    AssetKey,
    AssetRecordsFilter,
    DagsterEventType,
    DagsterInstance,
    DagsterRun,
    DefaultSensorStatus,
    RunsFilter,
    SensorDefinition,
    SensorEvaluationContext,
    SkipReason,
    sensor,
)
from dagster._core.definitions.repository_definition import SINGLETON_REPOSITORY_NAME
from dagster._core.storage.dagster_run import FINISHED_STATUSES
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable
from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from dagster._core.storage.local_compute_log_manager import LocalComputeLogManager
from dagster._core.storage.tags import REPOSITORY_LABEL_TAG

from analytics_assets.settings import Settings

RUNS_AT_ONCE: Final = 50
"""A sensor's tick may take a minute; a run takes a tenth of a second to delete."""
SECONDS_BETWEEN: Final = 3600
MAX_RECORDS: Final = 500
"""So many records are asked for at once; Dagster refuses more than a thousand."""


def forget_old_runs(
    instance: DagsterInstance, *, label: str, keep: int, checks: Collection[AssetCheckKey], at_most: int = RUNS_AT_ONCE
) -> list[str]:
    """Delete the oldest runs beyond those that are kept, with their events and logs; their ids.

    A run that is not finished stays, and so does a run that holds the latest state of an asset, of a month of it or of
    a check, however old it is: what the UI shows of them does not change. One whose files belong to another user of the
    machine is left to that user.

    Args:
        instance: where the runs are.
        label: repository and code location of the runs; those of other projects on the instance are left alone.
        keep: how many of the newest runs stay in any case.
        checks: the checks whose latest results stay.
        at_most: how many runs are deleted by one call.
    """
    finished = RunsFilter(statuses=list(FINISHED_STATUSES))
    if instance.get_runs_count(finished) <= keep:
        return []
    run_ids = [run.run_id for run in instance.get_runs(finished) if label_of(run) == label]  # the newest first
    needed = set(_with_latest_state(instance, checks))
    old = [run_id for run_id in reversed(run_ids[keep:]) if run_id not in needed and _is_ours(instance, run_id)][:at_most]
    for run_id in old:
        _forget(instance, run_id)
    return old


def own_label(context: SensorEvaluationContext) -> str | None:
    """The label of the runs of the sensor's own code location; None where that is not known."""
    location, definitions = context.code_location_origin, context.repository_def
    return None if location is None or definitions is None else f"{definitions.name}@{location.location_name}"


def label_of(run: DagsterRun) -> str | None:
    """Where a run's job comes from: a tag of those that the UI or the command line started; schedules set none."""
    origin = run.remote_job_origin
    return run.tags.get(REPOSITORY_LABEL_TAG) or (origin.repository_origin.get_label() if origin else None)


def workspace_of(run: DagsterRun) -> str | None:
    """What the workspace of a run is called; None where one is loaded alone."""
    repository = (label_of(run) or SINGLETON_REPOSITORY_NAME).partition("@")[0]
    return None if repository == SINGLETON_REPOSITORY_NAME else repository


def _with_latest_state(instance: DagsterInstance, checks: Collection[AssetCheckKey]) -> Iterator[str]:
    """The runs that the latest state of something comes from."""
    for record in instance.get_asset_records(list(instance.all_asset_keys())):
        entry = record.asset_entry
        yield from (event.run_id for event in (entry.last_materialization, entry.last_observation) if event is not None)
        if entry.last_run_id is not None:
            yield entry.last_run_id
        yield from _with_latest_partitions(instance, entry.asset_key)
    latest = instance.event_log_storage.get_latest_asset_check_execution_by_key(list(checks))
    yield from (execution.run_id for execution in latest.values())


def _with_latest_partitions(instance: DagsterInstance, key: AssetKey) -> Iterator[str]:
    latest = instance.event_log_storage.get_latest_storage_id_by_partition(key, DagsterEventType.ASSET_MATERIALIZATION)
    ids = sorted(latest.values())
    for first in range(0, len(ids), MAX_RECORDS):
        some = ids[first : first + MAX_RECORDS]
        found = instance.fetch_materializations(AssetRecordsFilter(key, storage_ids=some), limit=len(some))
        yield from (record.run_id for record in found.records)


def _is_ours(instance: DagsterInstance, run_id: str) -> bool:
    """Whether the files of a run can be deleted, before Dagster deletes the run and stops half way at its events."""
    storage, logs = instance.event_log_storage, instance.compute_log_manager
    places = [Path(storage.path_for_shard(run_id))] if isinstance(storage, SqliteEventLogStorage) else []
    if isinstance(logs, LocalComputeLogManager):
        folder = Path(logs.get_captured_local_path([run_id, "step"], "out")).parent
        places += [folder, *folder.glob("*/")]
    return all(os.access(place, os.W_OK) for place in places if place.exists())


def _forget(instance: DagsterInstance, run_id: str) -> None:
    """Delete a run and what Dagster's own deletion leaves: results of checks, the text of its log, and on SQLite a file."""
    instance.delete_run(run_id)
    instance.compute_log_manager.delete_logs(prefix=[run_id])
    storage = instance.event_log_storage
    if isinstance(storage, SqlEventLogStorage):
        with storage.index_connection() as con:
            con.execute(AssetCheckExecutionsTable.delete().where(AssetCheckExecutionsTable.c.run_id == run_id))
    if isinstance(storage, SqliteEventLogStorage):
        for ending in ("", "-wal", "-shm"):
            Path(f"{storage.path_for_shard(run_id)}{ending}").unlink(missing_ok=True)


def build_forget_old_runs(settings: Settings) -> SensorDefinition:
    """The sensor that keeps the history bounded while the UI's daemon runs; on until it is stopped."""

    @sensor(
        name="forget_old_runs",
        minimum_interval_seconds=SECONDS_BETWEEN,
        default_status=DefaultSensorStatus.RUNNING,
        description=f"Every hour: deletes the oldest runs with their logs beyond the newest {settings.keep_runs} "
        "(ANALYTICS_KEEP_RUNS). Runs that hold the latest state of an asset, a month or a check stay. It is on because "
        "otherwise a year of hourly syncs would leave 11 GB.",
    )
    def evaluate(context: SensorEvaluationContext) -> SkipReason:
        label, definitions = own_label(context), context.repository_def
        if label is None or definitions is None:
            return SkipReason("The runs of this code location can't be told from others here.")
        forgotten = forget_old_runs(
            context.instance,
            label=label,
            keep=settings.keep_runs,
            checks=definitions.asset_graph.asset_check_keys,
        )
        if not forgotten:
            return SkipReason(f"No run is older than the newest {settings.keep_runs} and needless.")
        return SkipReason(f"{len(forgotten)} old runs deleted.")

    return evaluate
