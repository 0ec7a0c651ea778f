"""What the command says of the warehouse when a run has failed."""

import pytest
from dagster import AssetCheckEvaluation, AssetCheckSeverity, AssetKey, MetadataValue

from analytics_assets.cli.sync_run.outcome import exit_code_of, print_outcome
from analytics_assets.cli.sync_run.watch import FailedStep, RunWatch
from analytics_assets.orchestration.dbt_events import FAILED_ROWS
from analytics_assets.orchestration.keys import READER_COPY_STEP, REPORT_STEP, Keys

TAGS, DIM_TAGS = AssetKey(["raw", "tags"]), AssetKey(["marts", "dim_tags"])


@pytest.mark.parametrize(
    ("planned", "begun", "sentence"),
    [
        ({TAGS, DIM_TAGS}, {"raw"}, "The warehouse is as it was before."),
        ({DIM_TAGS}, set(), "The warehouse is as it was before."),
        ({DIM_TAGS}, {"dbt"}, "The raw tables are as they were before; some models may be new, the next sync builds the others."),
    ],
    ids=["reading failed", "nothing began", "dbt failed"],
)
def test_a_failed_run_claims_no_more_than_is_so(
    capsys: pytest.CaptureFixture[str], planned: set[AssetKey], begun: set[str], sentence: str
) -> None:
    """After a failed dbt step it said that the warehouse was as before, although some models were new."""
    watch = RunWatch(planned=planned, begun=begun, failed_steps=[FailedStep("step", "It went wrong.", "")])
    print_outcome(watch, verbose=False)
    assert capsys.readouterr().err == f"Sync failed: It went wrong.\n{sentence}\n"


def test_a_failed_report_is_not_told_as_a_failed_load(capsys: pytest.CaptureFixture[str]) -> None:
    failed = FailedStep(REPORT_STEP, "/data/report can't be read or written: Permission denied.", "")
    watch = RunWatch(planned={TAGS, DIM_TAGS, Keys().report}, begun={"raw", "dbt", REPORT_STEP}, failed_steps=[failed])
    print_outcome(watch, verbose=False)
    assert exit_code_of(watch) == 1
    assert capsys.readouterr().err == (
        "Report failed: /data/report can't be read or written: Permission denied.\n"
        "The warehouse is as it should be; only the report is not new. `analytics-assets report` writes it again.\n"
    )


def test_a_failed_copy_is_not_told_as_a_failed_load(capsys: pytest.CaptureFixture[str]) -> None:
    failed = FailedStep(READER_COPY_STEP, "The disk of /data is full.", "")
    watch = RunWatch(planned={TAGS, DIM_TAGS, Keys().report}, begun={"raw", "dbt", READER_COPY_STEP}, failed_steps=[failed])
    print_outcome(watch, verbose=False)
    assert exit_code_of(watch) == 1
    assert capsys.readouterr().err == (
        "Copy for BI tools failed: The disk of /data is full.\n"
        "What was asked for is in the warehouse; only the copy for BI tools is not new. The next sync makes what is missing.\n"
    )


@pytest.mark.parametrize(("rows", "counted"), [(1, "1 row"), (2, "2 rows")])
def test_a_failed_check_counts_its_rows(rows: int, counted: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One row was told as `1 rows`."""
    check = AssetCheckEvaluation(
        check_name="ids_are_known",
        asset_key=TAGS,
        passed=False,
        metadata={FAILED_ROWS: MetadataValue.int(rows)},
        severity=AssetCheckSeverity.ERROR,
    )
    print_outcome(RunWatch(checks=[check]), verbose=False)
    assert capsys.readouterr().err == f"Check failed: ids_are_known of raw/tags ({counted}).\n"
