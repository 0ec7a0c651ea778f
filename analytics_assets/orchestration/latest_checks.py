"""How the checks of the data ended when they ran last, for what is made after them."""

from collections.abc import Iterable
from typing import Final

from dagster import AssetCheckKey, AssetCheckSeverity, DagsterInstance, Failure
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus

from analytics_assets.orchestration.dbt_events import FAILED_ROWS
from analytics_assets.report.quality_sections import CheckResult

ENDED: Final = (AssetCheckExecutionRecordStatus.SUCCEEDED, AssetCheckExecutionRecordStatus.FAILED)


def latest_results(instance: DagsterInstance, keys: Iterable[AssetCheckKey]) -> list[CheckResult]:
    """How each check ended when it ran last; those that never ran, or could not, are left out."""
    records = instance.event_log_storage.get_latest_asset_check_execution_by_key(list(keys))
    results = []
    for key, record in sorted(records.items()):
        evaluation = record.evaluation
        if evaluation is None or record.status not in ENDED:
            continue
        rows = evaluation.metadata.get(FAILED_ROWS)
        results.append(
            CheckResult(
                name=key.name,
                asset=key.asset_key.to_user_string(),
                passed=evaluation.passed,
                is_warning=evaluation.severity is AssetCheckSeverity.WARN,
                rows=rows.value if rows is not None and isinstance(rows.value, int) else None,
            )
        )
    return results


def refuse_while_checks_fail(
    instance: DagsterInstance, keys: Iterable[AssetCheckKey], *, what_stays: str, all_have_run: bool = False
) -> None:
    """End the step if a check of severity ERROR failed when it ran last.

    Args:
        instance: where the results are.
        keys: the checks.
        what_stays: what is not replaced, for the message.
        all_have_run: end it also if one never ran, because of a workspace that has got another name Dagster knows no result.

    Raises:
        Failure: one failed, or should have run.
    """
    keys = set(keys)
    failed = [each for each in latest_results(instance, keys) if not each.passed and not each.is_warning]
    if failed:
        names = ", ".join(f"{each.name} of {each.asset}" for each in failed)
        raise Failure(f"{what_stays}, because these checks fail: {names}.", allow_retries=False)
    if not all_have_run:
        return
    if never_ran := keys - instance.event_log_storage.get_latest_asset_check_execution_by_key(list(keys)).keys():
        few = sorted(f"{key.name} of {key.asset_key.to_user_string()}" for key in never_ran)
        shown = ", ".join(few[:3]) + (f" and {len(few) - 3} more" if len(few) > 3 else "")
        raise Failure(
            f"{what_stays}, because these checks have not run under these names yet: {shown}. Run a sync of everything.",
            allow_retries=False,
        )
