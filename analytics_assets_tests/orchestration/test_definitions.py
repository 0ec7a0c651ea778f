"""Loading the definitions needs nothing and does nothing, and each asset tells of itself."""

import json
import os
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from dagster import (
    AssetKey,
    DagsterInvalidConfigError,
    FreshnessPolicy,
    ScheduleDefinition,
    SensorDefinition,
    validate_run_config,
)

from analytics_assets.definitions import build_definitions
from analytics_assets.orchestration.keys import Keys
from analytics_assets.setting_errors import SettingsError
from analytics_assets.settings import Settings, load_settings

ROOT = Path(__file__).parents[2]

LOAD_AND_TELL = """
import json, sys
touched = []
def watch(event, args):
    if event in ("socket.connect", "os.mkdir", "os.rename", "os.remove", "sqlite3.connect"):
        touched.append([event, str(args)])
    if event == "open" and isinstance(args[0], str) and args[2] & 0o3:
        touched.append([event, args[0]])
sys.addaudithook(watch)
sys.dont_write_bytecode = True
import analytics_assets.definitions
print(json.dumps([what for what in touched if not what[1].startswith(("/dev/", "/proc/"))]))
"""


def bare_environment(home: Path) -> dict[str, str]:
    """The environment without any of the project's variables, and with a home of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANALYTICS_", "DAGSTER_"))}
    return {**kept, "HOME": str(home), "TMPDIR": str(home)}


def test_loading_the_definitions_writes_nothing_and_opens_no_connection(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", LOAD_AND_TELL],
        cwd=tmp_path,
        env={**bare_environment(tmp_path), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(result.stdout.splitlines()[-1]) == []
    assert list(tmp_path.iterdir()) == []


def test_dagster_validates_the_definitions_with_no_variable_set(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "dagster", "definitions", "validate", "-w", "workspace.yaml"],
        cwd=ROOT,
        env=bare_environment(tmp_path),
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    assert "Validation successful" in result.stdout + result.stderr


def test_a_bad_value_is_named_before_anything_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANALYTICS_PAGE_SIZE", "many")
    monkeypatch.setenv("ANALYTICS_START_DATE", "2999-01-01")
    with pytest.raises(SettingsError, match=r"ANALYTICS_PAGE_SIZE .*integer.*ANALYTICS_START_DATE must not lie in the future"):
        load_settings()


def test_every_asset_carries_a_check_and_every_check_a_description() -> None:
    graph = build_definitions(Settings()).resolve_asset_graph()
    assert {key.asset_key for key in graph.asset_check_keys} == graph.executable_asset_keys | {Keys().workspace}
    assert [key for key in graph.asset_check_keys if len(graph.get_check_spec(key).description or "") < 30] == []


def test_every_asset_belongs_to_the_job_sync_and_the_proof_by_hand_does_not() -> None:
    definitions = build_definitions(Settings())
    job = definitions.resolve_job_def("sync")
    graph = definitions.resolve_asset_graph()
    assert job.asset_layer.selected_asset_keys == graph.materializable_asset_keys
    assert not [key for key in job.asset_layer.asset_graph.asset_check_keys if key.name == "raw_matches_api"]


def test_the_readme_lists_each_schedule_and_sensor_as_it_is_at_first_and_each_says_why() -> None:
    repository = build_definitions(Settings()).get_repository_def()
    shown = dict(re.findall(r"^\| `(\w+)` \| (on|off)\b", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE))
    starting: list[ScheduleDefinition | SensorDefinition] = [*repository.schedule_defs, *repository.sensor_defs]
    assert shown.keys() == {each.name for each in starting}
    for each in starting:
        is_on = each.default_status.value == "RUNNING"
        assert f"It is {'on' if is_on else 'off'} " in str(each.description), each.name
        # notify_on_failure depends on a setting, which is not set here
        assert is_on == (shown[each.name] == "on") or each.name == "notify_on_failure"


def test_every_check_of_the_models_says_in_the_ui_what_holds() -> None:
    """The descriptions stood in the dbt project alone: dagster-dbt did not pass them on."""
    graph = build_definitions(Settings()).resolve_asset_graph()
    specs = [graph.get_check_spec(key) for key in graph.asset_check_keys]
    assert len(specs) > 70
    assert [spec.name for spec in specs if not (spec.description or "").endswith(".")] == []
    assert any(spec.blocking for spec in specs) and not all(spec.blocking for spec in specs)


def test_models_are_assets_with_their_columns_lineage_and_place() -> None:
    graph = build_definitions(Settings(duckdb_path=Path("data/ours.duckdb"))).resolve_asset_graph()
    changes = graph.get(AssetKey(["marts", "time_entry_changes"]))
    assert {AssetKey(["raw", "time_entries"]), AssetKey(["staging", "stg_time_entry_versions"])} <= changes.parent_keys
    assert changes.metadata["dagster/table_name"] == "ours.marts.time_entry_changes"
    columns = changes.metadata["dagster/column_schema"].schema.columns
    assert {"time_entry_id", "currency"} <= {column.name for column in columns}
    assert all(column.description and column.type != "?" for column in columns)


def test_the_owners_of_the_settings_are_those_of_every_asset_and_nobody_is_invented() -> None:
    def owners_of(settings: Settings) -> set[tuple[str, ...]]:
        graph = build_definitions(settings).resolve_asset_graph()
        return {tuple(graph.get(key).owners) for key in graph.get_all_asset_keys()}

    assert owners_of(Settings()) == {()}
    assert owners_of(Settings(owners=" ada@example.com , team:finance")) == {("ada@example.com", "team:finance")}


def test_everything_that_a_sync_makes_is_out_of_date_after_the_hours_of_the_setting() -> None:
    """Nothing in the UI said that the last sync had been days ago."""

    def policies_of(settings: Settings) -> dict[str, object]:
        graph = build_definitions(settings).resolve_asset_graph()
        return {key.to_user_string(): graph.get(key).freshness_policy for key in graph.get_all_asset_keys()}

    assert set(policies_of(Settings()).values()) == {None}, "schedules are off at first, and everything would be red at night"
    policies = policies_of(Settings(fresh_within_hours=3))
    assert {key for key, policy in policies.items() if policy is None} == {"api/workspace", "raw/time_entries"}
    expected = FreshnessPolicy.time_window(timedelta(hours=3))
    assert all(policy == expected for policy in policies.values() if policy is not None)


def test_the_ui_leads_from_each_asset_to_where_it_is_made() -> None:
    graph = build_definitions(Settings()).resolve_asset_graph()
    for key in graph.materializable_asset_keys:
        (reference,) = graph.get(key).metadata["dagster/code_references"].code_references
        file = Path(reference.file_path)
        if key.path[0] in ("staging", "marts"):
            assert file.name == f"{key.path[-1]}.sql" and file.exists()
        else:
            lines = file.read_text().splitlines()[reference.line_number - 1 :]
            assert lines[0].strip() in ("@dlt_assets(", "@asset("), key


def test_loading_the_definitions_does_not_import_dbt() -> None:
    """It takes two seconds, and most processes never run it."""
    code = "import sys, analytics_assets.definitions; print([name for name in sys.modules if name.split('.')[0] == 'dbt'])"
    result = subprocess.run([sys.executable, "-W", "ignore", "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("start", ["import analytics_assets.definitions", "from analytics_assets.cli import program; program()"])
def test_a_process_looks_seldom_for_circles_of_objects(start: str) -> None:
    """Dagster, dlt and dbt make millions of objects that stay; to look at them again and again took a tenth of a sync."""
    code = f"import atexit, gc; atexit.register(lambda: print(gc.get_threshold()[0])); {start}"
    result = subprocess.run([sys.executable, "-W", "ignore", "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert int(result.stdout.splitlines()[-1]) > 100_000


def test_no_launchpad_sends_a_run_to_another_warehouse() -> None:
    """A run that was tried out on another file put that one's tables into the copy for BI tools and the team's database."""
    job = build_definitions(Settings(duckdb_path=Path("data/ours.duckdb"))).resolve_job_def("sync")
    elsewhere = {"resources": {"warehouse": {"config": {"duckdb_path": "tried_out.duckdb"}}}}
    with pytest.raises(DagsterInvalidConfigError, match="warehouse"):
        validate_run_config(job, elsewhere)
    assert "ours.duckdb, see ANALYTICS_DUCKDB_PATH" in str(job.resource_defs["warehouse"].description)
