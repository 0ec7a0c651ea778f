"""What the command says of the warehouse when a run has failed."""

import pytest
from dagster import AssetKey

from analytics_assets.cli.sync_run.outcome import print_outcome
from analytics_assets.cli.sync_run.watch import FailedStep, RunWatch

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
