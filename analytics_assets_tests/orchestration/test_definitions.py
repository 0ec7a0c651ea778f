"""Loading the definitions needs nothing and does nothing; the schedules ask for the right months."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from dagster import DagsterInstance, RunRequest, ScheduleDefinition, build_schedule_context

from analytics_assets.definitions import build_definitions
from analytics_assets.orchestration.partitions import RANGE_END_TAG, RANGE_START_TAG, partition_key
from analytics_assets.pipeline.months import Month
from analytics_assets.settings import Settings, SettingsError, load_settings
from analytics_assets_tests.orchestration.conftest import Project

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


def test_every_asset_belongs_to_the_job_sync_and_the_proof_by_hand_does_not() -> None:
    definitions = build_definitions(Settings())
    job = definitions.resolve_job_def("sync")
    graph = definitions.resolve_asset_graph()
    assert job.asset_layer.selected_asset_keys == graph.materializable_asset_keys
    assert not [key for key in job.asset_layer.asset_graph.asset_check_keys if key.name == "raw_matches_api"]


def schedule_of(project: Project, name: str) -> ScheduleDefinition:
    """A schedule by its name."""
    return project.definitions.resolve_schedule_def(name)


def tick(project: Project, name: str, at: datetime) -> RunRequest:
    """The one run that a schedule asks for at a time."""
    with (
        DagsterInstance.ephemeral() as instance,
        build_schedule_context(
            instance=instance, scheduled_execution_time=at, resources=project.definitions.resources
        ) as context,
    ):
        (request,) = schedule_of(project, name).evaluate_tick(context).run_requests or []
    return request


def test_the_first_tick_of_sync_hourly_asks_for_all_history_and_later_ones_for_the_lookback(project: Project) -> None:
    now = datetime.now(UTC)
    this_month = Month.of(now)
    first = tick(project, "sync_hourly", now)
    assert first.tags[RANGE_START_TAG] == partition_key(Month.of(project.rig.start))
    project.rig.sync()
    later = tick(project, "sync_hourly", now)
    assert (later.tags[RANGE_START_TAG], later.tags[RANGE_END_TAG]) == (
        partition_key(this_month.plus(-1)),
        partition_key(this_month),
    )


def test_a_sync_after_a_long_pause_covers_the_months_in_between(project: Project) -> None:
    project.rig.sync()
    now = datetime.now(UTC)
    after_half_a_year = Month.of(now).plus(6).first_moment
    assert tick(project, "sync_hourly", after_half_a_year).tags[RANGE_START_TAG] == partition_key(Month.of(now))


def test_reconcile_weekly_asks_for_all_history(project: Project) -> None:
    project.rig.sync()
    now = datetime.now(UTC)
    request = tick(project, "reconcile_weekly", now)
    assert request.tags[RANGE_START_TAG] == partition_key(Month.of(project.rig.start))
    assert request.tags[RANGE_END_TAG] == partition_key(Month.of(now))
