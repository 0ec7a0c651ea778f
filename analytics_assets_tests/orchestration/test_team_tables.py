"""The asset of the delivered tables comes where the settings name a database, and after the checks of the data."""

from pathlib import Path

import pytest
from dagster import AssetCheckSeverity

from analytics_assets.definitions import build_definitions
from analytics_assets.orchestration import team_tables
from analytics_assets.orchestration.keys import Keys
from analytics_assets.settings import Settings, load_settings
from analytics_assets.warehouse.errors import WarehouseError
from analytics_assets.warehouse.team.delivery import Delivery, TeamWarehouse, deliver
from analytics_assets.warehouse.team.postgres_session import postgres_session
from analytics_assets_tests.deploy.postgres import PASSWORD
from analytics_assets_tests.orchestration.conftest import Project, sentence
from analytics_assets_tests.orchestration.test_reader_copy import report_check
from analytics_assets_tests.team_database import Team


@pytest.fixture
def delivering(project: Project, team: Team, monkeypatch: pytest.MonkeyPatch) -> Project:
    """The project with a team's database."""
    monkeypatch.setenv("ANALYTICS_DESTINATION", "postgres")
    monkeypatch.setenv("ANALYTICS_DESTINATION_URL", team.url)
    return Project(project.rig, load_settings(), project.instance)


def test_tables_are_delivered_at_the_end_and_stay_while_a_check_fails(delivering: Project, team: Team) -> None:
    delivering.rig.sync(resources=("tags", "clients"))
    delivering.make_empty_marts()
    result = delivering.run("report/postgres")
    assert result.success
    (check,) = result.get_asset_check_evaluations()
    assert check.passed and check.metadata["tables that differ"].value == 0
    tags = len(delivering.rig.workspace.tags)
    assert team.rows("SELECT count(*) FROM raw.tags") == [(tags,)]
    (made,) = [event.step_materialization_data.materialization for event in result.get_asset_materialization_events()]
    assert made.metadata["database"].value == team.url.rpartition("@")[2]
    assert PASSWORD not in str(delivering.instance.all_logs(result.run_id))

    delivering.rig.workspace.delete("tags", delivering.rig.workspace.tags[0]["id"])
    delivering.rig.sync(resources=("tags",))
    report_check(delivering, AssetCheckSeverity.ERROR, passed=False)
    refused = delivering.run("report/postgres")
    failure = refused.get_step_failure_events()[0].step_failure_data.user_failure_data
    assert failure is not None
    assert str(failure.description).startswith("What is in Postgres stays, because these checks fail: ")
    assert team.rows("SELECT count(*) FROM raw.tags") == [(tags,)]


def test_a_warehouse_that_lost_its_marts_takes_none_away(delivering: Project, team: Team) -> None:
    """After the file was deleted and one list loaded, a delivery dropped all marts in the team's database, and was green."""
    delivering.rig.sync(resources=("tags",))
    delivering.make_empty_marts()
    assert delivering.run("report/postgres").success
    delivering.rig.path.unlink()
    delivering.rig.sync(resources=("tags",))
    assert sentence(delivering.run("report/postgres")).startswith(
        f"What is in Postgres stays, because {delivering.rig.path} lacks"
    )
    assert team.rows("SELECT count(*) FROM marts.billing_monthly") == [(0,)]


def test_tables_that_somebody_writes_to_are_reported(delivering: Project, team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    def deliver_and_lose(warehouse: Path, to: TeamWarehouse) -> Delivery:
        made = deliver(warehouse, to)
        team.run("DELETE FROM raw.tags")
        return made

    monkeypatch.setattr(team_tables, "deliver", deliver_and_lose)
    delivering.rig.sync(resources=("tags", "clients"))
    delivering.make_empty_marts()
    (check,) = delivering.run("report/postgres").get_asset_check_evaluations()
    assert not check.passed and check.severity is AssetCheckSeverity.ERROR
    assert check.metadata["which"].value == "raw.tags"


def test_a_database_that_is_not_there_is_one_sentence(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANALYTICS_DESTINATION", "postgres")
    monkeypatch.setenv("ANALYTICS_DESTINATION_URL", "postgresql://me:geheim@127.0.0.1:9/team")
    project.rig.sync(resources=("tags",))
    project.make_empty_marts()
    result = Project(project.rig, load_settings(), project.instance).run("report/postgres")
    failure = result.get_step_failure_events()[0].step_failure_data.user_failure_data
    assert failure is not None and str(failure.description).startswith("Postgres (127.0.0.1:9/team) refused: ")
    assert str(failure.description).endswith("Check ANALYTICS_DESTINATION_URL.")
    assert "geheim" not in str(project.instance.all_logs(result.run_id))


def test_a_short_password_is_hidden_where_it_stands_and_not_in_the_middle_of_words() -> None:
    """The password `p` made `lib***q` and `***ort` of the sentence, which told what it was."""
    with pytest.raises(WarehouseError) as refused, postgres_session("postgresql://me:p@127.0.0.1:9/team"):
        pass
    assert "port 9 failed" in str(refused.value) and "***" not in str(refused.value)


def test_without_the_setting_there_is_no_such_asset() -> None:
    assert not Keys().deliveries & build_definitions(Settings()).resolve_asset_graph().get_all_asset_keys()
