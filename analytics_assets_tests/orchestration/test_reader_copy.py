"""The copy for BI tools comes with each green run, and from no run after which a check of severity ERROR fails."""

from pathlib import Path

import duckdb
import pytest
from dagster import AssetCheckEvaluation, AssetCheckSeverity, AssetKey

from analytics_assets.definitions import build_definitions
from analytics_assets.orchestration import reader_copy
from analytics_assets.orchestration.keys import Keys
from analytics_assets.settings import load_settings
from analytics_assets.warehouse.reader_copy import ReaderCopy, copy_for_readers
from analytics_assets_tests.orchestration.conftest import Project, sentence


def report_check(project: Project, severity: AssetCheckSeverity, *, passed: bool) -> None:
    """A result of a check, as a run would have stored it."""
    check = next(
        key
        for key in project.definitions.resolve_asset_graph().asset_check_keys
        if key.asset_key == AssetKey(["marts", "dim_tags"])
    )
    project.instance.report_runless_asset_event(
        AssetCheckEvaluation(asset_key=check.asset_key, check_name=check.name, passed=passed, metadata={}, severity=severity)
    )


@pytest.mark.timeout(600)
def test_a_green_run_ends_with_a_copy_and_a_failed_check_keeps_the_old_one(project: Project) -> None:
    copy = project.rig.path.with_stem("analytics_reader")
    assert project.run().success
    with duckdb.connect(str(copy), read_only=True) as con:
        copied = con.execute("select count(*) from marts.fct_time_entries").fetchall()
        assert con.execute("select count(*) from staging.stg_users").fetchall() != [(0,)]
    assert copied == project.rig.query("select count(*) from marts.fct_time_entries") != [(0,)]
    before = copy.stat().st_ino

    report_check(project, AssetCheckSeverity.ERROR, passed=False)
    refused = project.run("report/reader_copy")
    assert not refused.success
    assert sentence(refused).startswith("The old copy stays, because these checks fail: ")
    assert sentence(refused).endswith(" of marts/dim_tags.")
    assert copy.stat().st_ino == before

    report_check(project, AssetCheckSeverity.WARN, passed=False)
    assert project.run("report/reader_copy").success
    assert copy.stat().st_ino != before


def test_a_copy_that_lacks_rows_is_reported(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def cut(warehouse: Path, to: Path) -> ReaderCopy:
        made = copy_for_readers(warehouse, to)
        with duckdb.connect(str(to)) as con:
            con.execute("DELETE FROM raw.tags WHERE id = (SELECT min(id) FROM raw.tags)")
            con.execute("DROP TABLE raw.clients")
        return made

    monkeypatch.setattr(reader_copy, "copy_for_readers", cut)
    project.rig.sync(resources=("tags", "clients"))
    project.make_empty_marts()
    tags, clients = len(project.rig.rows("tags")), len(project.rig.rows("clients"))
    (check,) = project.run("report/reader_copy").get_asset_check_evaluations()
    assert not check.passed
    assert check.severity is AssetCheckSeverity.ERROR
    assert check.metadata["which"].value == (
        f"- `raw.clients`: {clients:,} rows in the warehouse, no table in the copy\n"
        f"- `raw.tags`: {tags:,} rows in the warehouse, {tags - 1:,} rows in the copy"
    )


def test_a_warehouse_that_lost_its_marts_takes_them_from_no_copy(project: Project) -> None:
    """After the file was deleted, the copy was replaced by the one table that was loaded since, and the run was green."""
    copy = project.rig.path.with_stem("analytics_reader")
    project.rig.sync(resources=("tags",))
    project.make_empty_marts()
    assert project.run("report/reader_copy").success
    before = copy.read_bytes()

    project.rig.path.unlink()
    assert "does not exist; a sync of everything makes it" in sentence(project.run("report/reader_copy"))
    project.rig.sync(resources=("tags",))
    assert sentence(project.run("report/reader_copy")) == (
        f"The old copy stays, because {project.rig.path} lacks the marts billing_daily, billing_monthly, billing_monthly_history "
        "and 18 more; a sync of everything builds them."
    )
    assert copy.read_bytes() == before


def test_the_copy_comes_after_all_marts(project: Project) -> None:
    graph = project.definitions.resolve_asset_graph()
    marts = {key for key in graph.materializable_asset_keys if key.path[0] == "marts"}
    assert graph.get(Keys().reader_copy).parent_keys == marts


def test_no_copy_is_made_where_the_setting_is_empty(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANALYTICS_READER_PATH", "")
    assert Keys().reader_copy not in build_definitions(load_settings()).resolve_asset_graph().get_all_asset_keys()
