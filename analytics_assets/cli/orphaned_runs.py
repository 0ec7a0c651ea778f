"""Runs whose process is gone: Dagster's default launcher can't be asked for their health, so they stay "started".

A run that was killed, or whose UI was ended, would hold its slot of the queue, and four of them hold up every other run.
Only runs of an instance in files are judged, by the processes that their own events name.
"""

import logging
import os
from collections.abc import Iterator

from dagster import DagsterEventType, DagsterInstance, DagsterRun, DagsterRunStatus, RunsFilter
from dagster._core.storage.runs.sqlite.sqlite_run_storage import SqliteRunStorage

logger = logging.getLogger(__name__)

UNFINISHED = (DagsterRunStatus.STARTING, DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING)
WHY = "The process of this run has ended without a word: it was killed, or the Dagster UI that had started it was ended."


def end_orphaned_runs(instance: DagsterInstance) -> list[str]:
    """Report each run as failed whose events name processes of which none is alive; their ids.

    On an instance that several machines or containers share (deploy/) nothing is judged: the number of a process says
    nothing outside of the machine that it runs on, so a run that is alive elsewhere would be reported as failed.
    """
    if not isinstance(instance.run_storage, SqliteRunStorage):
        return []
    orphans = [run for run in instance.get_runs(RunsFilter(statuses=list(UNFINISHED))) if _is_orphaned(instance, run)]
    for run in orphans:
        logger.warning("Run %s has no process any more and is reported as failed", run.run_id[:8])
        instance.report_run_failed(run, message=WHY)
    return [run.run_id for run in orphans]


def _is_orphaned(instance: DagsterInstance, run: DagsterRun) -> bool:
    processes = set(_processes_of(instance, run))
    return bool(processes) and not any(map(_is_alive, processes))


def _processes_of(instance: DagsterInstance, run: DagsterRun) -> Iterator[int]:
    for entry in instance.all_logs(run.run_id, of_type=DagsterEventType.ENGINE_EVENT):
        event = entry.dagster_event
        pid = event.engine_event_data.metadata.get("pid") if event is not None else None
        if pid is not None and str(pid.value).isdigit():
            yield int(str(pid.value))


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
