"""Asset checks that need more than dbt: the proof that the warehouse equals the API.

Checks of the data itself are dbt tests and stand beside the models in `dbt_project/`.
"""

from collections.abc import Iterator, Mapping

from dagster import (
    AssetCheckExecutionContext,
    AssetCheckResult,
    AssetChecksDefinition,
    AssetCheckSeverity,
    AssetCheckSpec,
    AssetSpec,
    MetadataValue,
    TableColumn,
    TableRecord,
    TableSchema,
    multi_asset_check,
)

from analytics_assets.orchestration.failures import failures_in_a_sentence
from analytics_assets.orchestration.keys import PROOF, Keys
from analytics_assets.orchestration.resources import Warehouse, WorkspaceAccessResource
from analytics_assets.orchestration.run_log import reading_shown_in, warnings_shown_in
from analytics_assets.pipeline.months import AskedMonths
from analytics_assets.pipeline.progress import ReadingProgress
from analytics_assets.pipeline.verification import verify
from analytics_assets.settings import Settings
from analytics_assets.source.columns import RESOURCE_NAMES, ResourceName
from analytics_assets.warehouse.difference import Difference


def workspace_asset(keys: Keys) -> AssetSpec:
    """The workspace as an asset: a place for the check, which would run with each load if it were on the raw assets."""
    return AssetSpec(
        keys.workspace,
        description="The workspace behind the REST API, from which everything is loaded. Its check `raw_matches_api` reads the "
        "API again, all of it, and compares it with the raw tables.",
        group_name=keys.group("api"),
        kinds={"api"},
    )


def build_checks(settings: Settings) -> AssetChecksDefinition:
    """`raw_matches_api`: every id and value of the raw tables against the API, over all history."""
    keys = Keys.of(settings)

    @multi_asset_check(
        specs=[
            AssetCheckSpec(
                PROOF,
                asset=keys.workspace,
                # in a run that loads them it comes after them
                additional_deps=[keys.raw(name) for name in RESOURCE_NAMES],
                description="Every record that the API serves is in the raw tables with the same values, and nothing else is. "
                "Reads the whole API again; run it by hand, before an invoice or after a doubt. `reconcile_weekly` ends with it.",
            )
        ]
    )
    def raw_matches_api(
        context: AssetCheckExecutionContext, api: WorkspaceAccessResource, warehouse: Warehouse
    ) -> Iterator[AssetCheckResult]:
        progress = ReadingProgress()
        with failures_in_a_sentence(), warnings_shown_in(context.log), reading_shown_in(context.log, progress):
            found = verify(
                api=api.api(settings),
                warehouse=warehouse.path,
                months=AskedMonths.all_history(settings.start_date),
                progress=progress,
            )
        yield AssetCheckResult(
            check_name=PROOF,
            asset_key=keys.workspace,
            passed=not found.unequal,
            severity=AssetCheckSeverity.ERROR,
            description="The raw tables equal the API."
            if not found.unequal
            else f"These tables differ from the API: {', '.join(found.unequal)}. A sync of all history repairs them.",
            metadata={"comparison": comparison_table(found.differences), **_figures(found.differences)},
        )

    return raw_matches_api


def _figures(differences: Mapping[ResourceName, Difference]) -> dict[str, int]:
    """The sums over all tables, as numbers that the UI plots."""
    every = differences.values()
    return {
        "rows of the API": sum(each.api_rows for each in every),
        "rows that differ": sum(each.missing + each.extra + each.different + each.repeated for each in every),
        "rows not compared": sum(sum(each.not_compared.values()) for each in every),
    }


def comparison_table(differences: Mapping[ResourceName, Difference]) -> MetadataValue:
    """The comparison as a table of the UI, a row per resource."""
    columns = ["resource", "API rows", "warehouse rows", "missing", "extra", "different", "repeated"]
    records = [
        TableRecord(
            {
                "resource": name,
                "API rows": difference.api_rows,
                "warehouse rows": difference.warehouse_rows,
                "missing": difference.missing,
                "extra": difference.extra,
                "different": difference.different,
                "repeated": difference.repeated,
                "not compared": sum(difference.not_compared.values()),
                "for example": ", ".join(difference.examples),
            }
        )
        for name, difference in differences.items()
    ]
    schema = TableSchema(
        [
            *(TableColumn(name, "int" if name != "resource" else "string") for name in columns),
            TableColumn("not compared", "int"),
            TableColumn("for example"),
        ]
    )
    return MetadataValue.table(records, schema)
