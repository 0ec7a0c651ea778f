"""The dbt project as a whole: what blocks, what warns, what is described."""

from pathlib import Path

import duckdb

from analytics_assets.orchestration.dbt_sources import SOURCES_FILE, source_tables, sources_yaml
from analytics_assets.warehouse.tables import BUILT, HISTORY, RAW, ensure_tables
from analytics_assets_tests.dbt.conftest import Build
from analytics_assets_tests.dbt.warehouse import create_warehouse

WARNED_OF_ODD_ROWS = {
    "billed_time_has_a_rate_and_a_currency",
    "days_have_no_more_tracked_time_than_hours",
    "durations_equal_end_minus_start",
    "members_have_plausible_values",
    "members_have_time_zones_that_are_known",
    "rates_are_not_negative",
    "time_entries_are_of_known_types",
    "time_entries_end_after_they_start",
    "time_entries_have_known_projects",
    "time_entries_have_known_tags",
    "time_entries_have_known_tasks",
    "time_entries_have_known_users",
    "time_entries_have_plausible_values",
}


def test_odd_rows_of_the_api_warn_and_block_nothing(lived_in: Build) -> None:
    assert lived_in.success, lived_in.messages
    assert lived_in.nodes_with("warn") == WARNED_OF_ODD_ROWS
    assert set(lived_in.status.values()) == {"success", "pass", "warn"}


def test_an_entry_without_a_start_warns_and_is_in_no_sum(undated: Build) -> None:
    assert undated.success, undated.messages
    assert undated.nodes_with("warn") == {"time_entries_have_a_start"}
    assert undated.rows("select duration_seconds, amount_minor from marts.fct_time_entries where started_at is null") == [(0, 0)]


def test_a_row_that_stands_twice_blocks_everything_built_on_it(broken: Build) -> None:
    assert not broken.success
    assert broken.nodes_with("fail") == {"every_project_stands_once_in_dim_projects"}
    built_on_it = {"fct_time_entries", "billing_monthly", "project_budgets", "task_budgets", "timesheet_daily"}
    assert built_on_it <= broken.nodes_with("skipped")
    # what was there before is there still
    assert broken.rows("select count(*) from marts.fct_time_entries") == [(0,)]


def test_descriptions_are_single_paragraphs(empty: Build) -> None:
    """They are the comments of the columns, and BI tools show a line that breaks in its midst as it is."""
    models = [node for node in empty.manifest["nodes"].values() if node["resource_type"] == "model"]
    texts = {f"{model['name']}.{name}": column["description"] for model in models for name, column in model["columns"].items()}
    texts |= {model["name"]: model["description"] for model in models}
    assert [name for name, text in texts.items() if "\n" in text.strip() or "  " in text] == []


def test_an_empty_workspace_gives_empty_tables_and_no_warning(empty: Build, lived_in: Build) -> None:
    assert empty.success, empty.messages
    assert set(empty.status.values()) == {"success", "pass"}
    columns = (
        "select table_schema, table_name, column_name, data_type from information_schema.columns "
        "where table_schema in ('staging', 'marts') order by all"
    )
    assert empty.rows(columns) == lived_in.rows(columns)
    assert empty.rows("select count(*) from marts.timesheet_daily") == [(0,)]


def test_sources_are_the_declared_columns_and_those_that_the_tables_have(empty: Build) -> None:
    assert SOURCES_FILE.read_text(encoding="utf-8") == sources_yaml(), (
        "run `python -m analytics_assets.orchestration.dbt_sources` and look whether the staging models need the change"
    )
    for schema in (RAW, HISTORY):
        declared = {(table.name, column.name, column.data_type) for table in source_tables(schema) for column in table.columns}
        found = empty.rows(
            f"select table_name, column_name, data_type from information_schema.columns where table_schema = '{schema}' "
            f"and table_name <> '{BUILT.split('.')[1]}'"  # no model reads it
        )
        assert set(found) == declared


def test_every_model_says_its_grain_and_every_column_is_described(empty: Build) -> None:
    tables = set(empty.rows("select table_schema, table_name from information_schema.tables"))
    models = [node for node in empty.manifest["nodes"].values() if node["resource_type"] == "model"]
    assert {(node["schema"], node["name"]) for node in models} == {key for key in tables if key[0] in {"staging", "marts"}}
    for node in models:
        assert node["description"].startswith("One row per "), node["name"]
        found = empty.rows(
            "select column_name from information_schema.columns "
            f"where table_schema = '{node['schema']}' and table_name = '{node['name']}'"
        )
        assert {column for (column,) in found} == node["columns"].keys(), node["name"]
        assert all(column["description"] for column in node["columns"].values()), node["name"]


def test_descriptions_stand_in_the_warehouse_too(empty: Build) -> None:
    """Views had none, and the history said of itself what is true of the table of current rows."""
    relations = dict(
        empty.rows(
            "select schema_name || '.' || table_name, comment from duckdb_tables() "
            "union all select schema_name || '.' || view_name, comment from duckdb_views() where not internal"
        )
    )
    assert {name: text for name, text in relations.items() if not (text or "").startswith("One row per ")} == {}
    assert relations["raw_history.users"] == "One row per superseded version of a row of raw.users."
    assert (
        empty.rows("select schema_name, table_name, column_name from duckdb_columns() where not internal and comment is null")
        == []
    )


def test_a_warehouse_of_an_older_version_is_described_too(tmp_path: Path) -> None:
    comments = (
        "select table_name, null, comment from duckdb_tables() where comment is not null "
        "union all select table_name, column_name, comment from duckdb_columns() where comment is not null order by all"
    )
    with duckdb.connect(str(create_warehouse(tmp_path / "older.duckdb"))) as connection:
        described = connection.execute(comments).fetchall()
        connection.execute("comment on column raw_history.users._valid_to is null")
        connection.execute("comment on table raw_history.users is 'One row per member.'")
        connection.execute("alter table raw.users add column own varchar")
        connection.execute("comment on column raw.users.own is 'My own.'")
        ensure_tables(connection)
        assert sorted(set(connection.execute(comments).fetchall()) - set(described)) == [("users", "own", "My own.")]
        assert set(described) - set(connection.execute(comments).fetchall()) == set()


def test_units_stand_in_the_description_of_every_measure(empty: Build) -> None:
    for node in empty.manifest["nodes"].values():
        for column in node.get("columns", {}).values():
            text = column["description"].lower()
            if column["name"].endswith("_minor"):
                assert "minor unit" in text, f"{node['name']}.{column['name']}"
            if column["name"].endswith("_seconds"):
                assert "second" in text, f"{node['name']}.{column['name']}"
            if column["name"].endswith("_at") and node["resource_type"] == "model":
                assert "utc" in text, f"{node['name']}.{column['name']}"


def test_money_of_the_facts_stands_in_minor_units_and_in_units_of_its_currency(empty: Build) -> None:
    marts = (
        "fct_time_entries",
        "billing_daily",
        "billing_monthly",
        "billing_monthly_history",
        "billing_monthly_rounded",
        "time_entry_changes",
    )
    for mart in (*marts, "project_budgets", "project_budget_periods", "task_budgets"):
        rows = empty.rows(f"select column_name, data_type from information_schema.columns where table_name = '{mart}'")
        types = dict(rows)
        in_units = {column: types.get(column.replace("_minor", "")) for column in types if "_minor" in column}
        assert in_units == dict.fromkeys(in_units, "DECIMAL(38,4)") != {}, mart


def test_every_calculation_has_a_unit_test(lived_in: Build) -> None:
    tested = {test["model"] for test in lived_in.manifest["unit_tests"].values()}
    assert tested >= {
        "stg_projects",
        "stg_tasks",
        "stg_time_entry_versions",
        "stg_users",
        "dim_projects",
        "dim_users",
        "fct_time_entries",
        "fct_time_entry_tags",
        "timesheet_daily",
        "billing_daily",
        "billing_monthly",
        "billing_monthly_history",
        "billing_monthly_rounded",
        "utilization_weekly",
        "project_budget_periods",
        "project_budgets",
        "task_budgets",
        "time_entry_custom_fields",
        "user_group_members",
        "utilization_weekly_by_group",
        "time_entry_changes",
    }


def test_every_check_says_what_holds_and_a_warning_what_its_rows_are(lived_in: Build) -> None:
    checks = {node["name"]: node for node in lived_in.manifest["nodes"].values() if node["resource_type"] == "test"}
    assert [name for name, node in checks.items() if not node["description"].strip().endswith(".")] == []
    warnings = {name: node["description"] for name, node in checks.items() if node["config"]["severity"].lower() == "warn"}
    assert [name for name, text in warnings.items() if text.count(". ") + text.count("; ") < 1] == []


def test_checks_are_named_as_sentences(lived_in: Build) -> None:
    names = [node["name"] for node in lived_in.manifest["nodes"].values() if node["resource_type"] == "test"]
    assert [name for name in names if len(name.split("_")) < 4] == []
    assert len(set(names)) == len(names), "a run selects them by name"
