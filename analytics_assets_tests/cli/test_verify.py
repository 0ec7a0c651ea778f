"""`verify` compares what was delivered too, where the settings name a database."""

from pathlib import Path

from analytics_assets.demo.serving import DemoServer
from analytics_assets.warehouse.team.delivery import deliver
from analytics_assets.warehouse.team.postgres import Postgres
from analytics_assets_tests.cli.command import Ended, run_cli, variables_for
from analytics_assets_tests.team_database import Team


def test_what_somebody_has_written_in_postgres_is_found(
    synced: Ended, server: DemoServer, warehouse: Path, other_dagster_home: Path, team: Team
) -> None:
    assert synced.code == 0, synced.said
    delivering = {"ANALYTICS_DESTINATION": "postgres", "ANALYTICS_DESTINATION_URL": team.url}
    variables = variables_for(server, warehouse, other_dagster_home, **delivering)
    nothing_there = run_cli("verify", variables=variables)
    assert nothing_there.code == 1 and "Postgres differs from the warehouse in " in nothing_there.out
    deliver(warehouse, Postgres(team.url))
    equal = run_cli("verify", variables=variables)
    assert equal.code == 0, equal.said
    assert equal.out.endswith("The warehouse equals the API.\nPostgres equals the warehouse.\n")
    team.run("UPDATE marts.dim_tags SET tag_name = 'theirs'")
    changed = run_cli("verify", variables=variables)
    assert changed.code == 1
    assert changed.out.endswith("Postgres differs from the warehouse in marts.dim_tags.\nRepair it:  analytics-assets sync\n")
