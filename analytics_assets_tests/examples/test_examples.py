"""What `docs/building_on_the_marts.md` shows works as it stands there."""

import os
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import duckdb
import pytest
from dagster import AssetKey, DagsterInstance, Definitions, evaluate_automation_conditions, materialize

from analytics_assets_tests.dbt.conftest import Build
from analytics_assets_tests.orchestration.conftest import Project

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
UNBILLED = AssetKey("unbilled_hours")


def second_location() -> Definitions:
    """The definitions of the example."""
    spec = spec_from_file_location("second_code_location", EXAMPLES / "second_code_location.py")
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    definitions = module.defs
    assert isinstance(definitions, Definitions)
    return definitions


@pytest.mark.timeout(600)
def test_an_asset_of_a_second_code_location_is_made_when_the_mart_is(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANALYTICS_READER_PATH", str(project.rig.path.with_stem("analytics_reader")))
    example = second_location()
    both = Definitions.merge(project.definitions, example)
    instance: DagsterInstance = project.instance

    before = evaluate_automation_conditions(both, instance=instance)
    assert before.total_requested == 0
    assert project.run().success
    after = evaluate_automation_conditions(both, instance=instance, cursor=before.cursor)
    assert (after.get_num_requested(UNBILLED), after.total_requested) == (1, 1)

    asset = example.resolve_assets_def(UNBILLED)
    made = materialize([asset], instance=instance)
    (hours,) = project.rig.query(
        "select coalesce(sum(duration_seconds), 0) / 3600 from marts.fct_time_entries where not is_billable"
    )[0]
    (event,) = made.get_asset_materialization_events()
    assert event.step_materialization_data.materialization.metadata["hours"].value == pytest.approx(hours)
    settled = evaluate_automation_conditions(both, instance=instance, cursor=after.cursor)
    assert settled.total_requested == 0


def test_a_second_dbt_project_builds_on_the_marts_of_the_copy(lived_in: Build, tmp_path: Path) -> None:
    built = tmp_path / "on_top.duckdb"
    done = subprocess.run(
        [
            *(sys.executable, "-W", "ignore", "-m", "dbt.cli.main", "build"),
            *("--project-dir", str(EXAMPLES / "dbt"), "--profiles-dir", str(EXAMPLES / "dbt")),
            *("--target-path", str(tmp_path / "target"), "--log-path", str(tmp_path / "logs"), "--no-send-anonymous-usage-stats"),
        ],
        env={**os.environ, "ANALYTICS_READER_PATH": str(lived_in.warehouse), "ON_TOP_DUCKDB_PATH": str(built)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    expected = lived_in.rows(
        "select client_id, sum(duration_seconds) / 3600 from marts.fct_time_entries group by all order by all"
    )
    with duckdb.connect(str(built), read_only=True) as con:
        rows = con.execute("select client_id, hours from hours_by_client order by client_id").fetchall()
    assert [(client, pytest.approx(hours)) for client, hours in rows] == expected
    assert not {"target", "logs", "dbt_packages"} & {path.name for path in (EXAMPLES / "dbt").iterdir()}
