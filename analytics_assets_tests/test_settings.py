"""The variables become settings, or one message that names every wrong one."""

import json
from pathlib import Path

import duckdb
import pytest

from analytics_assets.settings import RESERVED_DATABASE_NAMES, SettingsError, load_settings, settings_of


def message_of(variables: dict[str, str]) -> str:
    with pytest.raises(SettingsError) as refused:
        settings_of(variables)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_five_wrong_variables_are_named_in_one_message() -> None:
    """Of a bad JSON and four other bad values only the JSON was named once."""
    message = message_of(
        {
            "ANALYTICS_API_URL": "ftp://example.com",
            "ANALYTICS_PAGE_SIZE": "many",
            "ANALYTICS_START_DATE": "2999-01-01",
            "ANALYTICS_EXTRA_PARAMS": "{users",
            "ANALYTICS_DUCKDB_PATH": "data/raw.duckdb",
        }
    )
    for name in (
        "API_URL must be",
        "PAGE_SIZE should be",
        "START_DATE must not",
        "EXTRA_PARAMS is not valid JSON",
        "DUCKDB_PATH",
    ):
        assert f"ANALYTICS_{name}" in message


def test_a_misspelt_variable_is_pointed_out_with_the_nearest_right_one() -> None:
    """It was ignored, and the default held where the person believed to have set something."""
    message = message_of({"ANALYTICS_PAGESIZE": "5000", "ANALYTICS_LOOKBACK_MONTHS": "0"})
    assert "ANALYTICS_PAGESIZE is not a setting, ANALYTICS_PAGE_SIZE may be meant" in message
    assert "ANALYTICS_LOOKBACK_MONTHS should be" in message


@pytest.mark.parametrize("name", ["page", "page-size", "start", "end"])
def test_a_parameter_that_the_reading_relies_on_is_refused(name: str) -> None:
    """`start` in the extra parameters hid live rows, which counted as deleted, and `verify` read with the same ones."""
    message = message_of({"ANALYTICS_EXTRA_PARAMS": json.dumps({"time_entries": {name: "1"}})})
    assert f"ANALYTICS_EXTRA_PARAMS sets {name}, which the reading itself relies on" in message


def test_a_variable_of_another_program_is_left_alone() -> None:
    assert settings_of({"ANALYTICS_COLOUR_OF_THE_LOGO": "blue", "OTHER": "x"}) == settings_of({})


def test_a_file_beside_the_workspace_is_read_below_the_environment_and_put_into_it_by_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The environment was filled from it once, and every later test and process saw a developer's own key."""
    (tmp_path / "workspace.yaml").touch()
    (tmp_path / ".env").write_text("ANALYTICS_PAGE_SIZE=7\nANALYTICS_CONCURRENCY=3\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ANALYTICS_CONCURRENCY", "4")
    settings = load_settings({"ANALYTICS_LOOKBACK_MONTHS": "5"})
    assert (settings.page_size, settings.concurrency, settings.lookback_months) == (7, 4, 5)
    assert settings.duckdb_path == tmp_path / "data" / "analytics.duckdb"
    monkeypatch.delenv("ANALYTICS_CONCURRENCY")
    assert load_settings().concurrency == 3


@pytest.mark.parametrize("name", ["acme.2026.duckdb", "o'brien.duckdb", 'a"b.duckdb', *sorted(RESERVED_DATABASE_NAMES)])
def test_a_warehouse_file_whose_name_cannot_work_is_refused_before_anything_starts(name: str) -> None:
    """`raw.duckdb` failed with an SQL error in the middle of a sync, `acme.2026.duckdb` in dbt."""
    assert f"ANALYTICS_DUCKDB_PATH names the file {name}" in message_of({"ANALYTICS_DUCKDB_PATH": f"data/{name}"})


@pytest.mark.parametrize("name", ["analytics.duckdb", "Acme-2026_final.db", "warehouse", "2026.duckdb"])
def test_the_database_of_an_accepted_file_has_the_name_that_dbt_derives(name: str, tmp_path: Path) -> None:
    path = settings_of({"ANALYTICS_DUCKDB_PATH": str(tmp_path / name)}).duckdb_path
    with duckdb.connect(str(path)) as con:
        assert con.execute("SELECT current_database()").fetchone() == (path.stem,)
        con.execute("CREATE SCHEMA raw")
        con.execute("CREATE TABLE raw.users (id VARCHAR)")


def test_a_start_of_history_before_anybody_tracked_time_is_refused() -> None:
    """The day before the first day of the calendar ended in a traceback."""
    assert "ANALYTICS_START_DATE must not lie before 1970-01-01" in message_of({"ANALYTICS_START_DATE": "0001-01-01"})


def test_a_zone_that_does_not_exist_is_named() -> None:
    assert settings_of({"ANALYTICS_REPORTING_TIME_ZONE": "Europe/Berlin"}).reporting_time_zone == "Europe/Berlin"
    message = message_of({"ANALYTICS_REPORTING_TIME_ZONE": "Mars/Olympus"})
    assert "ANALYTICS_REPORTING_TIME_ZONE is 'Mars/Olympus', which is not the name of a time zone" in message
