"""The asset `report/postgres`: all tables once more in a team's warehouse, delivered at the end of a green sync.

How they are delivered stands in `warehouse/postgres.py`; here it gets its place behind all models and their checks.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from dagster import (
    AssetCheckKey,
    AssetCheckResult,
    AssetCheckSeverity,
    AssetCheckSpec,
    AssetExecutionContext,
    AssetKey,
    AssetsDefinition,
    MaterializeResult,
    MetadataValue,
    asset,
)

from analytics_assets.orchestration.automation import follows_raw
from analytics_assets.orchestration.failures import failures_in_a_sentence
from analytics_assets.orchestration.keys import REPORT, Keys, layer
from analytics_assets.orchestration.latest_checks import refuse_while_checks_fail
from analytics_assets.orchestration.resources import Warehouse
from analytics_assets.orchestration.run_log import warnings_shown_in
from analytics_assets.warehouse.export import MARTS
from analytics_assets.warehouse.postgres import deliver, tables_that_differ
from analytics_assets.warehouse.postgres_session import shown_address

CHECK_NAME: Final = "postgres_has_the_rows_of_the_warehouse"
CHECK_DESCRIPTION: Final = (
    "Each table that was sent was read back, and has the rows of the warehouse, value by value. Where it has not, somebody has "
    "written there meanwhile; the next sync of everything sends it again. `analytics-assets verify` compares all tables."
)


def build_postgres_asset(url: str, keys: Keys, models: Iterable[AssetKey], checks: Iterable[AssetCheckKey]) -> AssetsDefinition:
    """The asset of the delivered tables.

    Args:
        url: the database; a secret.
        keys: what the assets are called.
        models: all models; the tables are delivered when all marts are built.
        checks: the checks of the data. While one of severity ERROR fails, what is in Postgres stays.
    """
    deps, of_data = sorted(key for key in models if layer(key) == MARTS), sorted(checks)

    @asset(
        key=keys.postgres,
        deps=deps,
        group_name=keys.group(REPORT),
        kinds={"postgres"},
        automation_condition=follows_raw(keys),
        check_specs=[AssetCheckSpec(CHECK_NAME, asset=keys.postgres, description=CHECK_DESCRIPTION)],
        description="The tables of raw, raw_history and marts once more in Postgres, under the same names: replaced in one "
        "transaction when all checks of severity ERROR pass. A table whose rows have not changed is not sent again.",
    )
    def postgres(context: AssetExecutionContext, warehouse: Warehouse) -> Iterator[MaterializeResult[Any]]:
        with (
            failures_in_a_sentence(),
            warnings_shown_in(context.log),
            warehouse.writing(f"delivery to Postgres, run {context.run.run_id[:8]}"),
        ):
            refuse_while_checks_fail(context.instance, of_data, what_stays="What is in Postgres stays")
            made = deliver(warehouse.path, url)
            differ = tables_that_differ(warehouse.path, url, made.sent)
        yield MaterializeResult(
            metadata={
                "database": MetadataValue.text(shown_address(url)),
                "tables": len(made.rows),
                "tables sent": len(made.sent),
                "rows sent": sum(made.rows[table] for table in made.sent),
                **({"which were sent": ", ".join(made.sent)} if made.sent else {}),
            },
            check_results=[
                AssetCheckResult(
                    check_name=CHECK_NAME,
                    passed=not differ,
                    severity=AssetCheckSeverity.ERROR,
                    metadata={"tables that differ": len(differ), **({"which": ", ".join(differ)} if differ else {})},
                )
            ],
        )

    return postgres
