"""The report is replaced whole or not at all, and says what is missing."""

import os
from datetime import date
from pathlib import Path

import duckdb
import pytest

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
