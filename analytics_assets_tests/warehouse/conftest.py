"""What the tests of the warehouse share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from analytics_assets.demo.serving import DemoServer
from analytics_assets_tests.tiny import tiny_workspace
from analytics_assets_tests.warehouse.own import change
from analytics_assets_tests.warehouse.two_workspaces import Both, second_workspace


@pytest.fixture
def both(tmp_path: Path) -> Iterator[Both]:
    """Two workspaces that have been loaded, and no file of both yet."""
    with DemoServer(tiny_workspace()) as server:
        server.neighbours.append(second_workspace())
        made = Both(server, tmp_path)
        made.first.sync()
        made.second.sync()
        yield made


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    """A small warehouse that no sync has made."""
    path = tmp_path / "own.duckdb"
    change(
        path,
        "CREATE SCHEMA raw; CREATE SCHEMA raw_history; CREATE SCHEMA marts; CREATE SCHEMA staging",
        "CREATE TABLE raw.tags AS FROM (VALUES ('1', 'one'), ('2', 'two')) AS t(id, name)",
        "CREATE TABLE raw_history.tags AS FROM raw.tags WHERE false",
        "CREATE TABLE marts.dim_tags AS SELECT id AS tag_id, name AS tag_name FROM raw.tags",
        "CREATE VIEW staging.stg_tags AS FROM raw.tags",
    )
    return path
