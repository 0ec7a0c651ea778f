"""`make run` on a fresh machine: the whole demo workspace, value by value."""

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
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("ANALYTICS_", "DAGSTER_"))}
    result = subprocess.run(
        [sys.executable, "-m", "analytics_assets.cli", "run"],
        cwd=tmp_path,
        env={**environment, "HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    server = DemoServer(build_workspace(today=datetime.now(UTC).date(), months=DEMO_MONTHS))
    rig = Rig(server, tmp_path / "data")
    for resource in RESOURCE_NAMES:
        assert_rows_equal(resource, served_records(server, resource), rig.rows(resource))
    assert rig.query("SELECT count(*) FROM marts.fct_time_entries") == rig.query("SELECT count(*) FROM raw.time_entries")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data"], "nothing is written but the data folder"
