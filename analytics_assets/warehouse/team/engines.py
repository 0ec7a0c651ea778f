"""The engine of a team's warehouse, chosen by its name."""

from collections.abc import Callable, Mapping
from typing import Final

from analytics_assets.warehouse.team.bigquery import BigQuery
from analytics_assets.warehouse.team.delivery import TeamWarehouse
from analytics_assets.warehouse.team.motherduck import MotherDuck
from analytics_assets.warehouse.team.postgres import Postgres
from analytics_assets.warehouse.team.snowflake import Snowflake

ENGINES: Final[Mapping[str, Callable[[str], TeamWarehouse]]] = {
    "postgres": Postgres,
    "motherduck": MotherDuck,
    "snowflake": Snowflake,
    "bigquery": BigQuery,
}


def team_warehouse(destination: str, address: str) -> TeamWarehouse:
    """The warehouse that tables are delivered to.

    Args:
        destination: a value of `ANALYTICS_DESTINATION` that is delivered to.
        address: where it is; a secret.
    """
    return ENGINES[destination](address)
