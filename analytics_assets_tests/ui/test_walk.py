"""The walk of a person through the Dagster UI, in a real browser: sync, backfill, look, prove, read the report.

The steps are in order and stand on each other: a warehouse that the first has filled is what the others look at. Only what
a person does and sees belongs here; what the runs write is tested elsewhere.
"""

import re

import pytest
from playwright.sync_api import expect

from analytics_assets.demo.serving import DemoServer
from analytics_assets.orchestration.jobs import SYNC
from analytics_assets.orchestration.keys import PROOF
from analytics_assets.source.columns import TABLES
from analytics_assets_tests.tiny import MONTHS, month
from analytics_assets_tests.ui.dev_server import LOCATION
from analytics_assets_tests.ui.walk import Walk

pytestmark = [pytest.mark.ui, pytest.mark.timeout(900)]

FIRST_DAYS = [month(back).first_moment.date().isoformat() for back in range(MONTHS)]
JOBS = f"/locations/{LOCATION}/jobs"


def test_one_click_starts_a_routine_sync_that_ends_green(walk: Walk) -> None:
    walk.open(f"{JOBS}/sync_now")
    walk.page.get_by_role("tab", name="Launchpad").click()
    launch = walk.button("Launch Run")
    expect(launch).to_be_enabled()
    walk.picture("launchpad")
    launch.click()
    walk.page.wait_for_url("**/runs/*")
    walk.sees("Success")
    walk.picture("asked")
    walk.opens_green_run(walk.server.wait_until_green(SYNC, "dagster/sensor_name", "sync_on_request"))


def test_a_month_that_is_chosen_in_the_dialog_is_backfilled_and_ends_green(walk: Walk) -> None:
    walk.open(f"{JOBS}/{SYNC}")
    walk.button("Materialize all…").click()
    dialog = walk.page.get_by_role("dialog")
    walk.button("Latest", dialog).click()
    walk.sees("1 partition", dialog)
    expect(dialog.get_by_role("textbox").first).to_have_value(FIRST_DAYS[0])
    walk.picture("chosen")
    walk.button("Launch 1 run", dialog).click()
    expect(walk.page.get_by_text("Launched run")).to_be_visible()
    walk.picture("launched")
    walk.opens_green_run(walk.server.wait_until_green(SYNC, "dagster/partition", FIRST_DAYS[0]))


def test_the_checks_of_the_time_entries_are_green_and_say_what_they_check(walk: Walk) -> None:
    walk.open("/assets/marts/fct_time_entries?view=checks")
    heading = walk.page.get_by_text(re.compile(r"^Checks \(\d+\)$"))
    expect(heading).to_be_visible()
    checks = int(re.sub(r"\D", "", heading.inner_text()))
    assert checks > 10
    expect(walk.page.get_by_text("Succeeded", exact=True)).to_have_count(checks)
    walk.picture("checks")
    walk.page.get_by_text("rates_are_not_negative").filter(visible=True).first.click()
    walk.sees("No rate is negative. Rows here lower an invoice; see whether that is meant.")
    walk.sees("Passed")
    walk.picture("check")


def test_a_materialization_shows_its_rows_its_columns_and_its_months(walk: Walk, demo: DemoServer) -> None:
    walk.open("/assets/raw/time_entries")
    row_count = walk.page.get_by_text("Row count", exact=True).locator("..")
    expect(row_count).to_contain_text(str(len(demo.workspace.records("time_entries"))))
    for column in TABLES["time_entries"].columns:
        expect(walk.row(column.name).first).to_contain_text(column.description)
    walk.picture("columns")
    walk.page.get_by_role("tab", name="Partitions").click()
    walk.sees(f"Materialized ({MONTHS})")
    for day in FIRST_DAYS:
        walk.sees(day)
    walk.picture("months")


def test_a_mart_shows_some_of_its_rows(walk: Walk) -> None:
    walk.open("/assets/marts/dim_clients?view=events")
    walk.sees("Client of Ada")
    walk.picture("rows")


def test_the_check_that_compares_with_the_api_passes_when_it_is_run_by_hand(walk: Walk) -> None:
    walk.open("/assets/api/workspace?view=checks")
    walk.sees(PROOF)
    walk.picture("before")
    walk.button("Execute").click()
    walk.sees("The raw tables equal the API.")
    walk.sees("Passed")
    walk.picture("passed")


def test_the_report_is_found_from_its_asset_and_asks_for_nothing_beyond_its_file(walk: Walk) -> None:
    file = walk.server.folder / "data" / "report" / "overview.html"
    walk.open("/assets/report/overview")
    expect(walk.row("path")).to_contain_text(str(file))
    walk.page.get_by_text("[Show Markdown]").click()
    hours = walk.page.get_by_role("img", name="Hours by week").first
    expect(hours).to_be_visible()
    assert hours.evaluate("image => image.naturalWidth > 0"), "the picture is not drawn"
    walk.picture("asset")
    requests: list[str] = []
    walk.page.goto("about:blank")
    walk.page.on("request", lambda request: requests.append(request.url))
    walk.page.goto(file.as_uri(), wait_until="networkidle")
    headings = walk.page.get_by_role("heading").all_inner_texts()
    assert headings[:3] == ["Overview", "At a glance", "Hours by week and client"]
    assert {"Capacity", "Budgets", "Data quality", "About these numbers"} <= set(headings)
    walk.picture("report")
    assert requests == [file.as_uri()]
