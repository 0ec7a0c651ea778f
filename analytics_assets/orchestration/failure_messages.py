"""What is told of a run that went wrong, in plain words: the job, what failed in it, the reason, and where to look.

Only the words belong here. When a message is due is decided in `notifications.py`.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from dagster import AssetCheckSeverity, DagsterEvent, DagsterEventType, DagsterInstance, DagsterRun
from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluation
from dagster_shared.error import SerializableErrorInfo

from analytics_assets.orchestration.run_history import workspace_of

MOST_LINES: Final = 10
"""So many things are named of one run; chat services cut longer messages off."""
IMPLICIT_JOB: Final = "__ASSET_JOB"
"""What Dagster calls the job of runs that materialize assets by hand, by backfill or by automation."""


@dataclass(frozen=True)
class Trouble:
    """What went wrong in one run: a line for each thing that failed."""

    run_id: str
    subject: str
    is_green: bool
    lines: Sequence[str]

    @property
    def title(self) -> str:
        """The message in one line."""
        return f"{self.subject} ended, but a check failed" if self.is_green else f"{self.subject} failed"

    @property
    def fingerprint(self) -> str:
        """The same for the same trouble of another run."""
        return hashlib.sha256("\n".join((self.title, *self.lines)).encode()).hexdigest()[:16]

    def text(self, ui_url: str | None) -> str:
        """The message itself.

        Args:
            ui_url: address of the Dagster UI, for the link to the run.
        """
        shown = [f"- {line}" for line in self.lines[:MOST_LINES]]
        if len(self.lines) > MOST_LINES:
            shown.append(f"- and {len(self.lines) - MOST_LINES} more")
        where = f"{ui_url.rstrip('/')}/runs/{self.run_id}" if ui_url else f"The run in the Dagster UI: {self.run_id}"
        return "\n".join((f"{self.title}:", *shown, where))


def trouble_of(instance: DagsterInstance, run: DagsterRun) -> Trouble | None:
    """What went wrong in a run that has ended; None where nothing did.

    A check counts if its severity is ERROR, whether it has failed its run or not; a warning does not.

    Args:
        instance: where the run is.
        run: the run, green or red.
    """
    lines = [*_failed_steps(instance, run), *_failed_checks(instance, run)]
    if not run.is_success and not lines:
        lines = [_first_sentence(_message_of_end(instance, run))]
    if not lines:
        return None
    subject = "A run of some assets" if run.job_name.startswith(IMPLICIT_JOB) else f"The job {run.job_name}"
    workspace = workspace_of(run)
    return Trouble(run.run_id, f"{subject} of workspace {workspace}" if workspace else subject, run.is_success, lines)


def _failed_steps(instance: DagsterInstance, run: DagsterRun) -> Iterator[str]:
    for event in _events(instance, run, DagsterEventType.STEP_FAILURE):
        data = event.step_failure_data
        told = data.user_failure_data.description if data.user_failure_data is not None else None
        yield f"{event.step_key}: {_first_sentence(told) if told else _unexpected(data.error)}"


def _failed_checks(instance: DagsterInstance, run: DagsterRun) -> Iterator[str]:
    for event in _events(instance, run, DagsterEventType.ASSET_CHECK_EVALUATION):
        evaluation = event.event_specific_data
        assert isinstance(evaluation, AssetCheckEvaluation)
        if evaluation.passed or evaluation.severity is not AssetCheckSeverity.ERROR:
            continue
        words = f"the check {evaluation.check_name} of {evaluation.asset_key.to_user_string()} failed"
        yield f"{words}: {_first_sentence(evaluation.description)}" if evaluation.description else f"{words}."


def _message_of_end(instance: DagsterInstance, run: DagsterRun) -> str:
    """What Dagster says of the end of a run without a failed step: its process was killed, or it did not start."""
    return next((event.message for event in _events(instance, run, DagsterEventType.RUN_FAILURE) if event.message), "") or (
        "It ended without a reason."
    )


def _events(instance: DagsterInstance, run: DagsterRun, kind: DagsterEventType) -> Iterator[DagsterEvent]:
    for record in instance.get_records_for_run(run.run_id, of_type=kind).records:
        if record.event_log_entry.dagster_event is not None:
            yield record.event_log_entry.dagster_event


def _unexpected(error: SerializableErrorInfo | None) -> str:
    """An error without a sentence; its text stays in the log, because nobody knows what it holds."""
    while error is not None and error.cause is not None:
        error = error.cause
    return f"an error that was not foreseen ({error.cls_name if error else 'unknown'}); the log of the run shows it."


def _first_sentence(text: str | None) -> str:
    line = next(iter((text or "").strip().splitlines()), "")
    return re.split(r"(?<=[.!?])\s+(?=[A-Z])", line, maxsplit=1)[0]
