"""The variables become settings, or one message that names every wrong one."""

import json
from datetime import date
from pathlib import Path

import duckdb
import pytest

from analytics_assets.setting_errors import SettingsError
from analytics_assets.setting_values import RESERVED_DATABASE_NAMES
from analytics_assets.settings import load_settings, settings_of
from analytics_assets.warehouse.team.engines import team_warehouse


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
        "PAGE_SIZE is 'many'",
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
    assert "analytics_api_key is not a setting, ANALYTICS_API_KEY may be meant" in message_of({"analytics_api_key": "geheim"})


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


@pytest.mark.parametrize("name", ["DUCKDB_PATH", "READER_PATH", "MEMBER_CAPACITIES", "ROUNDING_RULES"])
def test_a_path_that_is_none_on_this_machine_is_said_in_a_sentence(name: str) -> None:
    """The home of a user that there is not was a traceback; bytes that are no text ended a sync that `doctor` allowed."""
    of_nobody = message_of({f"ANALYTICS_{name}": "~no-such-user/x/a.duckdb"})
    assert f"ANALYTICS_{name} begins with ~no-such-user, but no home of such a user is known; write the whole path" in of_nobody
    of_bytes = message_of({f"ANALYTICS_{name}": "b\udcffd/a.duckdb"})
    assert f"ANALYTICS_{name} leads to b\\udcffd/a.duckdb, which is no text in UTF-8; choose a place whose path is" in of_bytes


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


@pytest.mark.parametrize("name", ["REPORTING_TIME_ZONE", "DEFAULT_TIME_ZONE"])
def test_a_zone_that_does_not_exist_is_named(name: str) -> None:
    assert getattr(settings_of({f"ANALYTICS_{name}": "Europe/Berlin"}), name.lower()) == "Europe/Berlin"
    for unknown in ("Mars/Olympus", "localtime"):
        message = message_of({f"ANALYTICS_{name}": unknown})
        assert f"ANALYTICS_{name} is '{unknown}', which is not the name of a time zone" in message


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("DEFAULT_WEEK_START", "Funday", "should be 'MONDAY', 'TUESDAY',"),
        ("DEFAULT_CURRENCY", "euro", "is 'euro', which is not an ISO 4217 code"),
        ("DEFAULT_CURRENCY", "€", "is '€', which is not an ISO 4217 code"),
        ("WEEKLY_CAPACITY_HOURS", "forty", "should be a valid number"),
        ("WEEKLY_CAPACITY_HOURS", "169", "should be less than or equal to 168"),
        ("WEEKLY_CAPACITY_HOURS", "nan", "should be "),
        ("BURN_RATE_DAYS", "0", "should be greater than or equal to 1"),
        ("BURN_RATE_DAYS", "2.5", "should be a valid integer"),
        ("MONTH_CLOSE_DAYS", "366", "should be less than or equal to 365"),
        ("AS_OF_DATE", "yesterday", "is 'yesterday', which is not a date; write it like 2025-06-30"),
        ("AS_OF_DATE", "20250630", "is '20250630', which is not a date"),
        ("AS_OF_DATE", "2025-02-30", "should be a valid date"),
        ("AS_OF_DATE", "2100-01-01", "must lie between 1970-01-01 and 2099-12-31"),
    ],
)
def test_a_wrong_value_that_the_marts_would_count_by_is_refused_in_a_sentence(name: str, value: str, problem: str) -> None:
    """Those values could be given to dbt alone, in a file inside the package."""
    assert message_of({f"ANALYTICS_{name}": value}).startswith(f"ANALYTICS_{name} {problem}")


def test_values_that_the_marts_count_by_are_taken_as_people_write_them() -> None:
    settings = settings_of(
        {
            "ANALYTICS_DEFAULT_WEEK_START": "sunday",
            "ANALYTICS_DEFAULT_CURRENCY": " CHF ",
            "ANALYTICS_WEEKLY_CAPACITY_HOURS": "37.5",
            "ANALYTICS_AS_OF_DATE": "2024-02-29",
        }
    )
    assert (settings.default_week_start, settings.default_currency) == ("SUNDAY", "CHF")
    assert (settings.weekly_capacity_hours, settings.as_of_date) == (37.5, date(2024, 2, 29))


@pytest.mark.parametrize(
    ("variables", "copy"),
    [
        ({}, "data/analytics_reader.duckdb"),
        ({"ANALYTICS_DUCKDB_PATH": "own/acme.db"}, "own/acme_reader.db"),
        ({"ANALYTICS_DUCKDB_PATH": "data/analytics_reader.duckdb"}, "data/analytics_reader_reader.duckdb"),
        ({"ANALYTICS_READER_PATH": "bi/copy.duckdb"}, "bi/copy.duckdb"),
        ({"ANALYTICS_READER_PATH": "  "}, None),
    ],
)
def test_the_copy_for_readers_lies_beside_its_warehouse_or_where_it_is_told_to(
    variables: dict[str, str], copy: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With one default for all, two warehouses in a folder would have replaced each other's copy."""
    monkeypatch.chdir(tmp_path)
    assert settings_of(variables).reader_copy == (copy and tmp_path / copy)


def test_a_copy_for_readers_that_is_the_warehouse_itself_is_refused(tmp_path: Path) -> None:
    (tmp_path / "linked").symlink_to(tmp_path)
    variables = {
        "ANALYTICS_DUCKDB_PATH": str(tmp_path / "own.duckdb"),
        "ANALYTICS_READER_PATH": str(tmp_path / "linked" / "own.duckdb"),
    }
    assert "ANALYTICS_READER_PATH names the warehouse itself; choose another file for the copy" in message_of(variables)


def test_the_copy_for_bi_tools_can_not_take_the_place_of_a_workspaces_warehouse(tmp_path: Path) -> None:
    variables = {
        "ANALYTICS_WORKSPACE_ID": "north,south",
        "ANALYTICS_DUCKDB_PATH": str(tmp_path / "all.duckdb"),
        "ANALYTICS_READER_PATH": str(tmp_path / "workspaces" / "north" / "all.duckdb"),
    }
    assert f"ANALYTICS_READER_PATH lies in {tmp_path / 'workspaces'}, where the warehouses of workspaces" in message_of(variables)


@pytest.mark.parametrize("wrong", ["Ada", "ada@", "team:", "team:two words", "ada@example.com; bob@example.com"])
def test_an_owner_that_the_ui_would_refuse_is_named(wrong: str) -> None:
    """Dagster refuses it when the definitions are loaded, with a traceback."""
    assert "ANALYTICS_OWNERS names" in message_of({"ANALYTICS_OWNERS": wrong})


def to(destination: str, address: str) -> dict[str, str]:
    """The variables of a team's warehouse."""
    return {"ANALYTICS_DESTINATION": destination, "ANALYTICS_DESTINATION_URL": address}


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"ANALYTICS_DESTINATION": "bigquery"}, "must be an address like bigquery://project/prefix?location=EU&credentials="),
        *(
            (to("bigquery", address), "must be an address like bigquery://project/prefix?location=EU&credentials=")
            for address in (
                "project",
                "bigquery://",
                "bigquery://Project",
                "bigquery://project/a/b",
                "bigquery://project/a-b",
                "bigquery://project?location=EU&dataset=x",
                "bigquery://project?credentials=key.json",
            )
        ),
        (
            {"ANALYTICS_DESTINATION": "oracle"},
            "should be 'duckdb', 'postgres', 'motherduck', 'snowflake' or 'bigquery'",
        ),
        (to("postgres", "host=x password=geheim"), "ANALYTICS_DESTINATION_URL must be an address like postgresql://"),
        (to("postgres", "postgresql://u:geheim@h:99999/d"), "ANALYTICS_DESTINATION_URL must be an address like postgresql://"),
        (to("postgres", "md:team"), "ANALYTICS_DESTINATION_URL must be an address like postgresql://"),
        (to("motherduck", "postgresql://u:geheim@h/d"), "ANALYTICS_DESTINATION_URL must be an address like md:database"),
        (to("snowflake", "snowflake://account/database"), "must be an address like snowflake://user:password@account/database?"),
        (to("snowflake", "snowflake://u:geheim@account"), "must be an address like snowflake://user:password@account/database?"),
        *(
            (to(engine, address), "; in a user or password @ is written as %40, : as %3A, / as %2F, ")
            for engine, address in (
                ("snowflake", "snowflake://u:geheim#1@account/database"),
                ("snowflake", "snowflake://u:geheim?1@account/database"),
                ("snowflake", "snowflake://u:[geheim@account/database"),
                ("snowflake", "snowflake://u:\u2100geheim@account/database"),
                ("snowflake", "snowflake://u:geheim%@account/database"),
                ("postgres", "postgresql://u:12#geheim@h/d"),
                ("postgres", "postgresql://u:12/geheim@h/d"),
                ("postgres", "postgresql://u:12?geheim@h/d"),
                ("postgres", "postgresql://u:1@geheim@h/d"),
                ("postgres", "postgresql://h/d?user=u&password=geheim%zz"),
                ("postgres", "POSTGRESQL://u:geheim@h/d"),
            )
        ),
        (
            to("motherduck", "md:Raw?motherduck_token=geheim"),
            "names a database that is called Raw, like a schema; it needs another",
        ),
        (to("motherduck", "md:?motherduck_token=geheim"), "ANALYTICS_DESTINATION_URL must be an address like md:database"),
        ({"ANALYTICS_DESTINATION": "motherduck"}, "ANALYTICS_DESTINATION_URL must be an address like md:database"),
        (to("motherduck", "md:Analytics?motherduck_token=geheim"), "called as the file analytics.duckdb; give either of them"),
    ],
)
def test_a_destination_that_can_not_be_delivered_to_is_refused(variables: dict[str, str], sentence: str) -> None:
    message = message_of(variables)
    assert sentence in message and "geheim" not in message


def test_the_address_of_a_team_is_used_where_its_engine_is_asked_for_and_shown_nowhere() -> None:
    url = "postgresql://u:geheim@h/d"
    assert settings_of({"ANALYTICS_DESTINATION_URL": url}).delivers_to is None
    settings = settings_of({"ANALYTICS_DESTINATION_URL": url, "ANALYTICS_DESTINATION": " Postgres "})
    assert settings.delivers_to == ("postgres", url) and "geheim" not in repr(settings)
    assert settings_of({"ANALYTICS_DESTINATION": "postgres"}).delivers_to == ("postgres", "postgresql://")
    in_snowflake = to("snowflake", "snowflake://u:geheim@org-account/DB/PUBLIC?warehouse=wh&role=r")
    assert settings_of(in_snowflake).delivers_to == ("snowflake", in_snowflake["ANALYTICS_DESTINATION_URL"])
    for address in ("bigquery://team", "bigquery://team-1/tracked?credentials=/k.json&location=europe-west3"):
        assert settings_of(to("bigquery", address)).delivers_to == ("bigquery", address)
    in_motherduck = settings_of(to("motherduck", "md:team_1?motherduck_token=geheim"))
    assert in_motherduck.delivers_to == ("motherduck", "md:team_1?motherduck_token=geheim")
    assert "geheim" not in repr(in_motherduck)
    for each in (settings, settings_of(in_snowflake), in_motherduck):
        assert each.delivers_to is not None and "geheim" not in repr(team_warehouse(*each.delivers_to))


@pytest.mark.parametrize("folder", ["o'brien", "per%20cent", "what?"])
def test_a_folder_that_dlt_or_duckdb_would_misread_is_refused(folder: str, tmp_path: Path) -> None:
    """The sync ended in an error of a parser, or wrote into another folder."""
    with pytest.raises(
        SettingsError, match=r"ANALYTICS_DUCKDB_PATH leads to the folder .*; the names of the folders may not hold"
    ):
        settings_of({"ANALYTICS_DUCKDB_PATH": str(tmp_path / folder / "analytics.duckdb")})


def test_several_workspaces_have_names_and_warehouses_of_their_own(tmp_path: Path) -> None:
    named = {"ANALYTICS_WORKSPACE_ID": "north = 64f0, 64-f1", "ANALYTICS_DUCKDB_PATH": str(tmp_path / "all.duckdb")}
    north, other = settings_of(named).of_each_workspace()
    assert [(each.workspace_id, each.workspace_name) for each in (north, other)] == [("64f0", "north"), ("64-f1", "64_f1")]
    assert north.duckdb_path == tmp_path / "workspaces" / "64f0" / "all.duckdb"
    assert {each.named_file for each in (north, other)} == {tmp_path / "all.duckdb"}
    assert {each.reader_copy for each in (north, other)} == {tmp_path / "all_reader.duckdb"}
    alone = settings_of({**named, "ANALYTICS_WORKSPACE_ID": "north=64f0,"})
    assert (alone.workspace_id, alone.workspace_name, alone.of_each_workspace()) == ("64f0", None, [alone])


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("64f0,64F0", "differ in nothing but capitals and signs"),
        ("a=64f0,A=64f1", "differ in nothing but capitals and signs"),
        ("a-b,a_b", "differ in nothing but capitals and signs"),
        ("no rth=64f0,64f1", "may call a workspace only by letters"),
        ("64f0,..", "must not be . or .."),
        (",", "may hold only letters"),
    ],
)
def test_a_list_of_workspaces_that_can_not_be_told_apart_is_refused(value: str, problem: str) -> None:
    with pytest.raises(SettingsError, match=problem):
        settings_of({"ANALYTICS_WORKSPACE_ID": value})
