"""The report is replaced whole or not at all, and says what is missing."""

import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from analytics_assets.report.kept_results import keep_comparison
from analytics_assets.report.quality_sections import CheckResult, Verified
from analytics_assets.report.writing import report_file, write_report, write_whole
from analytics_assets.warehouse.errors import WarehouseError
from analytics_assets_tests.dbt.conftest import Build
from analytics_assets_tests.dbt.history import AS_OF

TODAY = date(2026, 1, 1)


def test_the_report_speaks_of_the_date_of_the_marts_and_is_there_whole(lived_in: Build, tmp_path: Path) -> None:
    report = write_report(lived_in.warehouse, report_file(tmp_path), today=TODAY)
    assert report.path == tmp_path / "report" / "overview.html"
    assert report.figures.as_of == AS_OF
    assert report.path.stat().st_size == report.size_bytes
    assert report.path.read_text(encoding="utf-8").rstrip().endswith("</html>")
    assert [path.name for path in report.path.parent.iterdir()] == ["overview.html"]


def test_a_write_that_fails_leaves_the_old_report_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "overview.html"
    write_whole(path, "old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_whole(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_warehouse_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(WarehouseError, match="does not exist, so there is nothing to report"):
        write_report(tmp_path / "no.duckdb", tmp_path / "x.html", today=TODAY)
    assert list(tmp_path.iterdir()) == []


def test_a_warehouse_without_marts_says_what_builds_them(tmp_path: Path) -> None:
    path = tmp_path / "bare.duckdb"
    duckdb.connect(str(path)).close()
    with pytest.raises(WarehouseError, match=r"lacks the marts billing_monthly, .*`analytics-assets sync` builds them"):
        write_report(path, tmp_path / "x.html", today=TODAY)


def test_marts_of_another_version_say_so(tmp_path: Path, lived_in: Build) -> None:
    path = tmp_path / "older.duckdb"
    path.write_bytes(lived_in.warehouse.read_bytes())
    with duckdb.connect(str(path)) as con:
        con.execute("alter table marts.timesheet_daily drop column work_seconds")
    with pytest.raises(WarehouseError, match=r"not those that the report reads .*work_seconds"):
        write_report(path, tmp_path / "x.html", today=TODAY)


@pytest.fixture
def of_w(lived_in: Build, tmp_path: Path) -> Path:
    """A warehouse that says which workspace it holds."""
    path = tmp_path / "analytics.duckdb"
    path.write_bytes(lived_in.warehouse.read_bytes())
    with duckdb.connect(str(path)) as con:
        con.execute("create or replace table raw._workspace as select 'w' as workspace_id, 'api.example.com' as api_host")
    return path


CHECKS = [
    CheckResult("days_are_short", "marts/timesheet_daily", passed=False, is_warning=True, rows=1234),
    CheckResult("all_is_well", "marts/dim_users", passed=True, is_warning=False),
]
AT = datetime(2026, 11, 23, 14, 5, tzinfo=UTC)


def test_a_report_by_hand_keeps_what_the_sync_before_knew_of_the_checks(of_w: Path, tmp_path: Path) -> None:
    """They are in Dagster's instance alone, and the command wrote over them that nothing was known."""
    page = report_file(tmp_path)
    write_report(of_w, page, today=TODAY, checks=CHECKS, last_verified=Verified(AT, True))
    of_sync = page.read_text()
    assert "That was so when" not in of_sync
    by_hand = write_report(of_w, page, today=TODAY).path.read_text()
    for text in (of_sync, by_hand):
        assert "1 check of the data passed, 1 warning." in text
        assert "days are short" in text and "1,234" in text
        assert "Equal to the API when it was compared 23 Nov 2026, 14:05 UTC." in text
    assert f"That was so when a sync wrote this report {datetime.now(UTC):%-d %b %Y}" in by_hand


def test_results_of_another_workspace_or_that_cannot_be_read_are_not_known(of_w: Path, tmp_path: Path) -> None:
    page = report_file(tmp_path)
    write_report(of_w, page, today=TODAY, checks=CHECKS, last_verified=Verified(AT, True))
    with duckdb.connect(str(of_w)) as con:
        con.execute("update raw._workspace set workspace_id = 'another'")
    text = write_report(of_w, page, today=TODAY).path.read_text()
    assert "not known here" in text and "compared" not in text.partition("<main>")[0]
    for file in page.parent.glob("*.json"):
        file.write_text("{")
    assert "not known here" in write_report(of_w, page, today=TODAY).path.read_text()


def test_the_later_comparison_counts_whoever_made_it(of_w: Path, tmp_path: Path) -> None:
    page = report_file(tmp_path)
    of_dagster = Verified(AT, True)
    for hours, sentence in [(-1, "Equal to the API when it was compared 23 Nov"), (1, "Different from the API when it was")]:
        keep_comparison(page, "w", Verified(AT + timedelta(hours=hours), False))
        text = write_report(of_w, page, today=TODAY, checks=CHECKS, last_verified=of_dagster).path.read_text()
        assert sentence in text
