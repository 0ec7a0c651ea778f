"""The queries are the one list of what the report reads: the asset, the exposure and the page follow from it."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import duckdb
import pytest
from dagster import AssetKey

from analytics_assets.definitions import build_definitions
from analytics_assets.orchestration.keys import Keys
from analytics_assets.report.queries import FILE, MARTS, QUERIES, marts_of
from analytics_assets.report.writing import write_report
from analytics_assets.settings import Settings
from analytics_assets_tests.dbt.conftest import Build
from analytics_assets_tests.dbt.history import AS_OF

DOCUMENT = Path(__file__).parents[2] / "docs" / "queries.sql"
FIGURES = {
    "last_sync": "last_sync",
    "hours_by_month": "months",
    "money_by_month": "money",
    "hours_by_week_and_client": "weeks",
    "billable_by_week": "work_weeks",
    "money_by_client": "clients",
    "capacity_by_member": "members",
    "capacity_by_group": "groups",
    "budgets": "budgets",
    "changes_by_month_and_client": "changed_months",
    "largest_changes": "changes",
}
SINGLE_FIGURES = {"hours_at_the_same_day": "seconds_at_the_same_day", "date_of_marts": "as_of"}
"""Query → the field of the report's figures; those in the second are one value."""


@pytest.mark.parametrize("name", QUERIES)
def test_the_marts_of_a_query_are_the_tables_that_duckdb_finds_in_it(name: str) -> None:
    tables = duckdb.connect().get_table_names(QUERIES[name], qualified=True)
    assert {table.split(" AS ")[0] for table in tables if table.startswith("marts.")} == {
        f"marts.{mart}" for mart in marts_of(name)
    }


def test_the_file_of_queries_runs_in_a_plain_session_as_it_is(lived_in: Build) -> None:
    statements = [text for text in FILE.read_text(encoding="utf-8").split(";\n") if text.strip()]
    assert len(statements) == len(QUERIES) + 2, "the first statements set the zone and the date"
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
    node = build_definitions(Settings()).resolve_asset_graph().get(Keys().report)
    assert node.parent_keys == {AssetKey(["marts", mart]) for mart in MARTS}
    exposures = lived_in.manifest["exposures"]
    (exposure,) = [each for each in exposures.values() if each["name"] == "overview_report"]
    assert {each.split(".")[-1] for each in exposure["depends_on"]["nodes"]} == set(MARTS)


def test_the_queries_in_the_documents_are_those_of_the_report() -> None:
    assert DOCUMENT.read_bytes() == FILE.read_bytes(), f"copy {FILE.name} of the report to docs/"


@pytest.fixture(scope="module")
def answers(lived_in: Build) -> dict[str, list[dict[str, Any]]]:
    """What the document gives when it is pasted into a session far from UTC: the name of each query → its rows."""
    given = {}
    with duckdb.connect(str(lived_in.warehouse), read_only=True) as con:
        con.execute("set TimeZone = 'Pacific/Kiritimati'")
        for statement in DOCUMENT.read_text(encoding="utf-8").split(";\n"):
            result = con.execute(statement) if statement.strip() else None
            if result is not None and "-- name: " in statement:
                columns = [column[0] for column in result.description]
                name = statement.split("-- name: ")[1].splitlines()[0]
                given[name] = [dict(zip(columns, row, strict=True)) for row in result.fetchall()]
    return given


@pytest.mark.parametrize("name", QUERIES)
def test_each_query_of_the_document_gives_what_the_report_says(
    name: str, answers: dict[str, list[dict[str, Any]]], lived_in: Build, tmp_path: Path
) -> None:
    """Moments were compared with dates in the zone of the session, and today() is not the date of the marts."""
    figures = write_report(lived_in.warehouse, tmp_path / "overview.html", today=AS_OF.replace(year=2020)).figures
    if name in SINGLE_FIGURES:
        ((value,),) = [row.values() for row in answers[name]]
        assert value == getattr(figures, SINGLE_FIGURES[name])
    else:
        assert answers[name] == [asdict(row) for row in getattr(figures, FIGURES[name])] != []
