"""Runs the job `sync` in this process on the project's Dagster instance, without the output of the libraries.

`steps.py` decides what the run covers, `display.py` how it looks. All signals that stop a command are turned into one
here.
"""

import contextlib
import logging
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from dagster import (
    AssetKey,
    DagsterEvent,
    DagsterEventType,
    DagsterExecutionInterruptedError,
    DagsterInstance,
    DagsterRunStatus,
    EventLogEntry,
    JobDefinition,
)
from dagster._core.definitions.repository_definition import SINGLETON_REPOSITORY_NAME
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin
from dagster._core.storage.tags import MAX_RETRIES_TAG, REPOSITORY_LABEL_TAG
from dagster._core.utils import make_new_run_id
from dagster._utils.interrupts import capture_interrupts, check_captured_interrupt

from analytics_assets.cli.sync_run.display import showing
from analytics_assets.cli.sync_run.watch import RunWatch
from analytics_assets.orchestration.keys import Keys

CODE_LOCATION: Final = "analytics_assets.definitions"
INTERRUPTIONS: Final = {KeyboardInterrupt.__name__, DagsterExecutionInterruptedError.__name__}

NO_RETRY: Final = {MAX_RETRIES_TAG: "0"}
"""Otherwise the daemon would retry an interrupted run, and it can't launch a run that another process started."""


def label_in_ui(keys: Keys) -> str:
    """Repository and code location of the definitions of a workspace, as the UI names them.

    Args:
        keys: the keys of the workspace.
    """
    return f"{keys.workspace_name or SINGLETON_REPOSITORY_NAME}@{CODE_LOCATION}"


def run_job(
    job: JobDefinition,
    instance: DagsterInstance,
    watch: RunWatch,
    *,
    label: str,
    assets: Sequence[AssetKey] | None,
    tags: Mapping[str, str],
    verbose: bool,
) -> None:
    """Run the job to its end, green or red.

    Args:
        job: the job.
        instance: stores the run, so that the UI shows it.
        watch: filled with the events of the run.
        label: by which the UI finds the runs of a job; runs that the UI starts have it already.
        assets: only these; None means all of the job.
        tags: the run's tags, with the range of months.
        verbose: show Dagster's own log instead of a live table.
    """
    run_id, stream = make_new_run_id(), sys.stderr
    instance.add_event_listener(run_id, watch.take_event)
    instance.add_event_listener(run_id, lambda entry: _cancel_if_interrupted(instance, entry))
    instance.add_event_listener(run_id, lambda entry: _say_where_it_is_from(instance, entry, label))
    quiet = contextlib.nullcontext() if verbose else _output_to_nowhere()
    here = contextlib.chdir(Path.cwd())  # dbt moves into its project, and a run that is interrupted there must not stay
    # where Dagster expects no signal it waits for the next step, which is what Dagster does in its own processes
    with here, showing(watch, stream, plain=verbose), quiet, capture_interrupts():
        job.execute_in_process(
            instance=instance,
            run_id=run_id,
            raise_on_error=False,
            asset_selection=assets,
            tags={**tags, REPOSITORY_LABEL_TAG: label, **NO_RETRY},
        )


def _say_where_it_is_from(instance: DagsterInstance, entry: EventLogEntry, label: str) -> None:
    """Give a run that has begun the origin that runs of the UI have; the timeline, the UI's first page, shows no others."""
    event = entry.dagster_event
    if event is None or event.event_type is not DagsterEventType.PIPELINE_START:
        return
    if run := instance.get_run_by_id(entry.run_id):
        repository, _, location = label.partition("@")
        of_repository = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin(location), repository)
        instance.run_storage.replace_job_origin(run, RemoteJobOrigin(of_repository, run.job_name))


def _cancel_if_interrupted(instance: DagsterInstance, entry: EventLogEntry) -> None:
    """Say of a run that is being interrupted that somebody wanted it to end.

    Dagster knows that of runs that are ended in the UI; any other it takes for failed, and shows all of its assets red.
    """
    event = entry.dagster_event
    if event is None or not (check_captured_interrupt() or _is_of_interrupted_step(event)):
        return
    run = instance.get_run_by_id(entry.run_id)
    if run is not None and run.status is DagsterRunStatus.STARTED:
        instance.report_run_canceling(run, "The command was told to end.")


def _is_of_interrupted_step(event: DagsterEvent) -> bool:
    if event.event_type is not DagsterEventType.STEP_FAILURE:
        return False
    error = event.step_failure_data.error
    return error is not None and error.cls_name in INTERRUPTIONS


@contextlib.contextmanager
def _output_to_nowhere() -> Iterator[None]:
    """Keep the output of Dagster, dlt and dbt off the terminal; Dagster stores that of each step in the run's logs.

    There are two files, because Dagster captures the two streams of a step separately, by their descriptors.
    """
    with open(os.devnull, "w") as out, open(os.devnull, "w") as err:
        # of exactly this type: a handler of a file owns its stream, and Dagster closes such handlers when a run begins
        handlers = [handler for handler in logging.getLogger("dlt").handlers if type(handler) is logging.StreamHandler]
        # they took hold of stderr when the source was defined; setStream would flush it, and it may be closed by now
        streams = [handler.stream for handler in handlers]
        for handler in handlers:
            handler.stream = err
        logging.disable(logging.DEBUG)  # Dagster prints each of its 500 events, which the run stores and the UI shows anyway
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                yield
        finally:
            logging.disable(logging.NOTSET)
            for handler, stream in zip(handlers, streams, strict=True):
                handler.stream = stream
