"""`make run` on a fresh machine: the whole demo workspace, value by value, and what the other commands say of it then."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from analytics_assets.cli.demo_process import DEMO_MONTHS
from analytics_assets.demo.build import build_workspace
from analytics_assets.demo.serving import DemoServer
from analytics_assets.source.columns import RESOURCE_NAMES
from analytics_assets_tests.rig import Rig, assert_rows_equal, served_records


@pytest.mark.timeout(600)
def test_the_main_job_loads_every_row_and_value_that_the_demo_api_serves(tmp_path: Path) -> None:
    result = command(tmp_path, "run")
    assert result.returncode == 0, result.stderr
    server = DemoServer(build_workspace(today=datetime.now(UTC).date(), months=DEMO_MONTHS))
    rig = Rig(server, tmp_path / "data")
    for resource in RESOURCE_NAMES:
        assert_rows_equal(resource, served_records(server, resource), rig.rows(resource))
    assert rig.query("SELECT count(*) FROM marts.fct_time_entries") == rig.query("SELECT count(*) FROM raw.time_entries")
    kinds = rig.query(
        "SELECT change_type, count(*) FROM marts.time_entry_changes WHERE is_certainly_late GROUP BY ALL ORDER BY ALL"
    )
    assert [kind for kind, _ in kinds] == ["added", "deleted", "edited"], "somebody changed closed months"
    doctor = command(tmp_path, "doctor")
    assert (doctor.returncode, "wrong" in doctor.stdout) == (0, False), doctor.stdout
    verified = command(tmp_path, "verify", "--from", f"{datetime.now(UTC):%Y-%m}")
    assert (verified.returncode, verified.stdout.endswith("The warehouse equals the API.\n")) == (0, True), verified.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data"], "nothing is written but the data folder"


def command(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command as a new user types it: in an empty folder, without a variable set."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("ANALYTICS_", "DAGSTER_"))}
    return subprocess.run(
        [sys.executable, "-m", "analytics_assets.cli", *arguments],
        cwd=folder,
        env={**environment, "HOME": str(folder / "home")},
        capture_output=True,
        text=True,
    )
