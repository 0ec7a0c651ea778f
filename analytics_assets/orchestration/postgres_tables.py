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
from analytics_assets.settings import Settings
from analytics_assets.warehouse.export import MARTS
from analytics_assets.warehouse.postgres import deliver, tables_that_differ
from analytics_assets.warehouse.postgres_session import shown_address
from analytics_assets.warehouse.writer_lock import writing

CHECK_NAME: Final = "postgres_has_the_rows_of_the_warehouse"
CHECK_DESCRIPTION: Final = (
    "Each table that was sent was read back, and has the rows of the warehouse, value by value. Where it has not, somebody has "
    "written there meanwhile; the next sync of everything sends it again. `analytics-assets verify` compares all tables."
)


def build_postgres_asset(
    settings: Settings, url: str, models: Iterable[AssetKey], checks: Iterable[AssetCheckKey]
) -> AssetsDefinition:
    """The asset of the delivered tables.

    Args:
        settings: which workspace it is of, and where the tables of several lie; of these, all are delivered.
        url: the database; a secret.
        models: all models; the tables are delivered when all marts are built.
        checks: the checks of the data. While one of severity ERROR fails, what is in Postgres stays.
    """
    keys, of_data, one = Keys.of(settings), sorted(checks), settings.one_of_several
    deps = sorted(key for key in models if layer(key) == MARTS) if one is None else [keys.reader_copy]

    @asset(
        key=keys.postgres,
        deps=deps,
        group_name=keys.group(REPORT),
        kinds={"postgres"},
        automation_condition=follows_raw(keys),
        check_specs=[AssetCheckSpec(CHECK_NAME, asset=keys.postgres, description=CHECK_DESCRIPTION)],
        description="The tables of raw, raw_history and marts once more in Postgres, under the same names: replaced in one "
        "transaction when all checks of severity ERROR pass. A table whose rows have not changed is not sent again. Of several "
        "workspaces it has the tables of all, as the common file has them.",
    )
    def postgres(context: AssetExecutionContext, warehouse: Warehouse) -> Iterator[MaterializeResult[Any]]:
        source = warehouse.path if one is None else one.together
        with (
            failures_in_a_sentence(),
            warnings_shown_in(context.log),
            writing(source, f"delivery to Postgres, run {context.run.run_id[:8]}"),
        ):
            what_stays = "What is in Postgres stays"
            refuse_while_checks_fail(context.instance, of_data, what_stays=what_stays, all_have_run=one is not None)
            made = deliver(source, url)
            differ = tables_that_differ(source, url, made.sent)
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
