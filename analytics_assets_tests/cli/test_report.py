"""`sync` ends with the path of the report, and `report` writes it again without a key."""

import webbrowser
from pathlib import Path

import duckdb
import pytest

from analytics_assets.demo.serving import DemoServer
from analytics_assets_tests.cli.command import Ended, run_cli, variables_for


def test_a_sync_ends_with_the_report_which_knows_the_checks_of_that_run(synced: Ended, warehouse: Path) -> None:
    path = warehouse.parent / "report" / "overview.html"
    assert f"\nReport: {path}\n" in synced.out
    assert " checks of the data passed" in path.read_text(encoding="utf-8")


def test_the_command_writes_the_report_without_a_key_and_opens_it(
    synced: Ended, warehouse: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    opened: list[str] = []

    def browser(address: str) -> bool:
        opened.append(address)
        return True

    monkeypatch.setattr(webbrowser, "open", browser)
    copy = tmp_path / "analytics.duckdb"
    copy.write_bytes(warehouse.read_bytes())
    path = tmp_path / "report" / "overview.html"
    ended = run_cli("report", "--open", variables={"ANALYTICS_DUCKDB_PATH": str(copy)})
    assert (ended.code, ended.out, ended.err) == (0, f"Report: {path}\n", "")
    assert opened == [path.as_uri()]
    assert "not known here" in path.read_text(encoding="utf-8")


def test_a_comparison_of_all_history_by_hand_stands_in_the_next_report(
    synced: Ended, server: DemoServer, warehouse: Path, other_dagster_home: Path, tmp_path: Path
) -> None:
    """The page said "not compared yet" after `verify` had proven all of it, because only the check in Dagster counted."""
    copy = tmp_path / "analytics.duckdb"
    copy.write_bytes(warehouse.read_bytes())
    page = tmp_path / "report" / "overview.html"
    variables = variables_for(server, copy, other_dagster_home)

    def head() -> str:
        assert run_cli("report", variables=variables).code == 0
        return page.read_text(encoding="utf-8").partition("<main>")[0]

    assert run_cli("verify", "--from", "2026-01", variables=variables).code == 0
    assert "compared" not in head()
    assert run_cli("verify", variables=variables).code == 0
    assert "Equal to the API when it was compared" in head()
    with duckdb.connect(str(copy)) as con:
        con.execute("update raw.tags set name = 'theirs'")
    assert run_cli("verify", variables=variables).code == 1
    assert "Different from the API when it was compared" in head()


def test_a_missing_warehouse_is_one_sentence(tmp_path: Path) -> None:
    ended = run_cli("report", variables={"ANALYTICS_DUCKDB_PATH": str(tmp_path / "no.duckdb")})
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith(
        f"{tmp_path / 'no.duckdb'} does not exist, so there is nothing to report; `analytics-assets run` makes it"
    )
