"""The asset `report/postgres`, or that of another engine: all tables in a team's warehouse, delivered at the end of a green sync.

How they are delivered stands in `warehouse/team/delivery.py`; here it gets its place behind all models and their checks.
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

from analytics_assets.orchestration.all_marts import refuse_without_marts
from analytics_assets.orchestration.automation import follows_raw
from analytics_assets.orchestration.failures import failures_in_a_sentence
from analytics_assets.orchestration.keys import REPORT, Keys, layer
from analytics_assets.orchestration.latest_checks import refuse_while_checks_fail
from analytics_assets.orchestration.resources import Warehouse
from analytics_assets.orchestration.run_log import warnings_shown_in
from analytics_assets.settings import Settings
from analytics_assets.warehouse.export import MARTS
from analytics_assets.warehouse.team.delivery import TeamWarehouse, deliver, tables_that_differ
from analytics_assets.warehouse.writer_lock import writing

DELIVERED_TABLES: Final = "tables"
SENT_TABLES: Final = "tables sent"
CHECK_DESCRIPTION: Final = (
    "Each table that was sent was read back, and has the rows of the warehouse, value by value. Where it has not, somebody has "
    "written there meanwhile; the next sync of everything sends it again. `analytics-assets verify` compares all tables."
)


def build_team_tables(
    settings: Settings, team: TeamWarehouse, models: Iterable[AssetKey], checks: Iterable[AssetCheckKey]
) -> AssetsDefinition:
    """The asset of the delivered tables.

    Args:
        settings: which workspace it is of, and where the tables of several lie; of these, all are delivered.
        team: where to.
        models: all models; the tables are delivered when all marts are built.
        checks: the checks of the data. While one of severity ERROR fails, what is there stays.
    """
    keys, of_data, one = Keys.of(settings), sorted(checks), settings.one_of_several
    key, check_name = keys.delivery(settings.destination), f"{settings.destination}_has_the_rows_of_the_warehouse"
    marts = sorted(key for key in models if layer(key) == MARTS)
    deps = marts if one is None else [keys.reader_copy]

    @asset(
        key=key,
        deps=deps,
        group_name=keys.group(REPORT),
        kinds={settings.destination},
        automation_condition=follows_raw(keys),
        check_specs=[AssetCheckSpec(check_name, asset=key, description=CHECK_DESCRIPTION)],
        description=f"The tables of raw, raw_history and marts once more in {team.engine}, under the same names: replaced in one "
        "transaction when all checks of severity ERROR pass. A table whose rows have not changed is not sent again. Of several "
        "workspaces it has the tables of all, as the common file has them.",
    )
    def delivered(context: AssetExecutionContext, warehouse: Warehouse) -> Iterator[MaterializeResult[Any]]:
        source = warehouse.path if one is None else one.together
        with (
            failures_in_a_sentence(),
            warnings_shown_in(context.log),
            writing(source, f"delivery to {team.engine}, run {context.run.run_id[:8]}"),
        ):
            what_stays = f"What is in {team.engine} stays"
            refuse_while_checks_fail(context.instance, of_data, what_stays=what_stays, all_have_run=one is not None)
            refuse_without_marts(source, marts, what_stays=what_stays)
            made = deliver(source, team)
            differ = tables_that_differ(source, team, made.sent)
        yield MaterializeResult(
            metadata={
                "engine": team.engine,
                "database": MetadataValue.text(team.shown_address),
                DELIVERED_TABLES: len(made.rows),
                SENT_TABLES: len(made.sent),
                "rows sent": sum(made.rows[table] for table in made.sent),
                **({"which were sent": ", ".join(made.sent)} if made.sent else {}),
            },
            check_results=[
                AssetCheckResult(
                    check_name=check_name,
                    passed=not differ,
                    severity=AssetCheckSeverity.ERROR,
                    metadata={"tables that differ": len(differ), **({"which": ", ".join(differ)} if differ else {})},
                )
            ],
        )

    return delivered
