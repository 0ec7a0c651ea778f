"""The asset `report/overview`: the page for the owner, written anew from the marts at the end of a sync.

What the page says is decided in `report/`; here it gets its place in the graph, the results of the checks that Dagster
keeps, and its figures in the UI.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from dagster import (
    AssetCheckKey,
    AssetCheckResult,
    AssetCheckSeverity,
    AssetCheckSpec,
    AssetExecutionContext,
    AssetsDefinition,
    DagsterInstance,
    MaterializeResult,
    MetadataValue,
    asset,
)

from analytics_assets.orchestration.automation import follows_raw
from analytics_assets.orchestration.failures import failures_in_a_sentence
from analytics_assets.orchestration.keys import REPORT, Keys
from analytics_assets.orchestration.latest_checks import ENDED, latest_results
from analytics_assets.orchestration.resources import Warehouse
from analytics_assets.orchestration.run_log import warnings_shown_in
from analytics_assets.report.page import preview
from analytics_assets.report.picture import hours_picture
from analytics_assets.report.quality_sections import Verified
from analytics_assets.report.queries import MARTS
from analytics_assets.report.writing import report_file, write_report
from analytics_assets.settings import Settings
from analytics_assets.warehouse.connection import connection

CHECK_NAME: Final = "marts_of_the_page_are_up_to_date"
CHECK_DESCRIPTION: Final = (
    "The marts that the page reads were built from the raw tables as they are now, with the present settings, today. Where they "
    "were not, because raw tables were loaded without them or dbt was run by hand, a sync of everything builds them."
)


def build_report_asset(
    settings: Settings, checks: Iterable[AssetCheckKey], stale_marts: Callable[[Path], Sequence[str]]
) -> AssetsDefinition:
    """The asset of the report.

    Args:
        settings: where the report lies, and which date counts as today.
        checks: the checks of the data, whose latest results stand on the page.
        stale_marts: which marts of the page a sync of the warehouse file would build anew.
    """
    keys, of_data = Keys.of(settings), sorted(checks)

    @asset(
        key=keys.report,
        deps=[keys.mart(mart) for mart in MARTS],
        group_name=keys.group(REPORT),
        automation_condition=follows_raw(keys),
        kinds={"html"},
        check_specs=[AssetCheckSpec(CHECK_NAME, asset=keys.report, description=CHECK_DESCRIPTION)],
        description="One HTML page for the owner of the workspace: hours, billable share, money, capacity, budgets and late "
        "changes, and the checks that did not pass. "
        "It needs no network and holds no script; each figure names the query it comes from.",
    )
    def overview(context: AssetExecutionContext, warehouse: Warehouse) -> Iterator[MaterializeResult[Any]]:
        with (
            failures_in_a_sentence(),
            warnings_shown_in(context.log),
            connection(warehouse.path, read_only=True),  # opened once for all that follows
        ):
            report = write_report(
                warehouse.path,
                report_file(warehouse.path.parent),
                today=settings.as_of_date or datetime.now(UTC).date(),
                checks=latest_results(context.instance, of_data),
                last_verified=last_comparison(context.instance, keys.proof),
            )
            stale = stale_marts(warehouse.path)
        metadata = {
            "path": MetadataValue.path(report.path),
            "size in bytes": MetadataValue.int(report.size_bytes),
            "as of": MetadataValue.text(report.figures.as_of.isoformat()),
            "at a glance": MetadataValue.md(preview(report.figures)),
        }
        if picture := hours_picture(report.figures):
            metadata["hours by week"] = MetadataValue.md(picture)
        up_to_date = AssetCheckResult(
            check_name=CHECK_NAME,
            passed=not stale,
            severity=AssetCheckSeverity.WARN,
            metadata={"marts out of date": len(stale), **({"which": ", ".join(stale)} if stale else {})},
        )
        yield MaterializeResult(metadata=metadata, check_results=[up_to_date])

    return overview


def last_comparison(instance: DagsterInstance, proof: AssetCheckKey) -> Verified | None:
    """How `raw_matches_api` ended when it ran last; None where it never did."""
    records = instance.event_log_storage.get_asset_check_execution_history(proof, limit=1, status=set(ENDED))
    if not records or records[0].evaluation is None:
        return None
    return Verified(datetime.fromtimestamp(records[0].create_timestamp, UTC), records[0].evaluation.passed)
