"""The queries are the one list of what the report reads: the asset, the exposure and the page follow from it."""

import json

import duckdb
import pytest
from dagster import AssetKey

from analytics_assets.definitions import build_definitions
from analytics_assets.orchestration.report_asset import REPORT_KEY
from analytics_assets.report.queries import FILE, MARTS, QUERIES, marts_of
from analytics_assets.settings import Settings
from analytics_assets_tests.dbt.conftest import Build
from analytics_assets_tests.dbt.history import AS_OF


@pytest.mark.parametrize("name", QUERIES)
def test_the_marts_of_a_query_are_the_tables_that_duckdb_finds_in_it(name: str) -> None:
    tables = duckdb.connect().get_table_names(QUERIES[name], qualified=True)
    assert {table.split(" AS ")[0] for table in tables if table.startswith("marts.")} == {
        f"marts.{mart}" for mart in marts_of(name)
    }


def test_the_file_of_queries_runs_in_a_plain_session_as_it_is(lived_in: Build) -> None:
    statements = [text for text in FILE.read_text(encoding="utf-8").split(";\n") if text.strip()]
    assert len(statements) == len(QUERIES) + 1, "the first line of code sets the date"
    with duckdb.connect(str(lived_in.warehouse), read_only=True) as con:
        for statement in statements:
            con.execute(statement)


@pytest.mark.parametrize(
    "name", [name for name in QUERIES if name not in ("last_sync", "date_of_marts", "hours_at_the_same_day")]
)
def test_every_query_orders_its_rows_wholly(lived_in: Build, name: str) -> None:
    with duckdb.connect(str(lived_in.warehouse), read_only=True) as con:
        con.execute(f"set variable as_of = date '{AS_OF}'")
        first = con.execute(QUERIES[name]).fetchall()
        con.execute("set threads = 1")
        assert con.execute(QUERIES[name]).fetchall() == first


def test_asset_and_exposure_depend_on_the_marts_that_the_queries_read(lived_in: Build) -> None:
    assert MARTS
    node = build_definitions(Settings()).resolve_asset_graph().get(REPORT_KEY)
    assert node.parent_keys == {AssetKey(["marts", mart]) for mart in MARTS}
    exposures = json.loads((lived_in.target / "manifest.json").read_text())["exposures"]
    (exposure,) = [each for each in exposures.values() if each["name"] == "overview_report"]
    assert {each.split(".")[-1] for each in exposure["depends_on"]["nodes"]} == set(MARTS)
