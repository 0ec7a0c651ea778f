"""The outcome of a run: its exit code, and for a red run one sentence that names what failed and what to do.

The figures of a run are printed by `summary.py`.
"""

from typing import Final

from dagster import AssetCheckEvaluation, AssetCheckSeverity

from analytics_assets.cli.errors import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_OK, say
from analytics_assets.cli.sync_run.watch import RunWatch
from analytics_assets.orchestration.dbt_events import FAILED_ROWS
from analytics_assets.orchestration.keys import DELIVERY_STEPS, READER_COPY_STEP, REPORT_STEP

UNCHANGED: Final = "The warehouse is as it was before."
NOT_THE_SYNC: Final = {
    REPORT_STEP: "Report",
    READER_COPY_STEP: "Copy for BI tools",
    **{step: f"Delivery to {engine}" for step, engine in DELIVERY_STEPS.items()},
}
"""Steps that come when the warehouse is as it should be."""
IN_WORDS: Final = {
    REPORT_STEP: "the report",
    READER_COPY_STEP: "the copy for BI tools",
    **{step: f"what is in {engine}" for step, engine in DELIVERY_STEPS.items()},
}


def failed_checks(watch: RunWatch, severity: AssetCheckSeverity) -> list[AssetCheckEvaluation]:
    """The checks of this severity that did not pass."""
    return [check for check in watch.checks if not check.passed and check.severity is severity]


def exit_code_of(watch: RunWatch) -> int:
    """The exit code of the command."""
    if watch.is_interrupted:
        return EXIT_INTERRUPTED
    is_red = not watch.is_green or failed_checks(watch, AssetCheckSeverity.ERROR)
    return EXIT_FAILED if is_red else EXIT_OK


def print_outcome(watch: RunWatch, *, verbose: bool) -> None:
    """Print to stderr what went wrong; nothing if nothing did."""
    for check in failed_checks(watch, AssetCheckSeverity.WARN):
        say(f"Warning: {_check_text(check)}")
    if watch.is_interrupted:
        say(f"Interrupted. {_what_stayed(watch)}")
        return
    for check in failed_checks(watch, AssetCheckSeverity.ERROR):
        say(f"Check failed: {_check_text(check)}")
    for step in watch.failed_steps:
        say(f"{NOT_THE_SYNC.get(step.name, 'Sync')} failed: {step.sentence}")
        if verbose:
            say(step.story)
    if watch.failed_steps:
        say(_what_stayed(watch))


def _what_stayed(watch: RunWatch) -> str:
    failed = {step.name for step in watch.failed_steps}
    if failed == {REPORT_STEP}:
        return "The warehouse is as it should be; only the report is not new. `analytics-assets report` writes it again."
    if failed and failed <= NOT_THE_SYNC.keys():
        what = " and ".join(words for step, words in IN_WORDS.items() if step in failed)
        are = "are" if len(failed) > 1 else "is"
        return f"What was asked for is in the warehouse; only {what} {are} not new. The next sync makes what is missing."
    if watch.models_planned and not watch.has_raw and not watch.is_green and watch.has_begun_models:
        return "The raw tables are as they were before; some models may be new, the next sync builds the others."
    if not watch.landed:
        return UNCHANGED
    if not watch.is_green and watch.models_planned:
        return "The raw tables are loaded; not all models were built again; the next sync builds them."
    return "What was asked for is in the warehouse."


def _check_text(check: AssetCheckEvaluation) -> str:
    text = f"{check.check_name} of {check.asset_key.to_user_string()}"
    failures = check.metadata.get(FAILED_ROWS)
    if failures is not None and failures.value:
        text += f" ({failures.value} row{'' if failures.value == 1 else 's'})"
    return f"{text}: {check.description}" if check.description else f"{text}."
