"""How the models are built: with which variables, where, and what dbt itself would build."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from dbt.artifacts.schemas.run import RunExecutionResult
from dbt.contracts.graph.nodes import UnitTestNode
from dbt_manifest import USUAL_TEST, what_no_sync_does

from analytics_assets_tests.dbt.conftest import Build, Builder
from analytics_assets_tests.dbt.warehouse import create_warehouse

WRONG: dict[str, list[object]] = {
    "default_time_zone": ["Mars/Olympus", "CET+1", "", None, "europe/berlin", "O'Higgins"],
    "reporting_time_zone": ["Mars/Olympus", "MEZ+1"],
    "default_week_start": ["Funday", "", 1],
    "default_currency": ["euro", "€", "EU", "EUR\n", 5],
    "weekly_capacity_hours": ["forty", -1, 169, None, True, "1e2"],
    "burn_rate_days": [0, -3, 2.5, "", "month", 10**9],
    "month_close_days": [-1, "soon", 366, 1.5],
    "as_of_date": ["yesterday", "2025-02-30", "20250630", "30.06.2025", "9999-12-31", "2025-06-30'", 20250630],
}
RIGHT: dict[str, list[object]] = {
    "default_time_zone": ["Asia/Kathmandu"],
    "reporting_time_zone": ["", "Europe/Berlin"],
    "default_week_start": ["sunday"],
    "default_currency": ["", "CHF"],
    "weekly_capacity_hours": [0, 37.5, "38.5"],
    "burn_rate_days": ["14"],
    "month_close_days": [5],
    "as_of_date": ["", "2024-02-29"],
}


def _given(values: dict[str, list[object]]) -> list[tuple[str, object]]:
    return [(name, value) for name, given in values.items() for value in given]


@pytest.mark.parametrize(("name", "value"), _given(WRONG))
def test_a_wrong_variable_is_refused_in_a_sentence(builder: Builder, name: str, value: object) -> None:
    message = builder.refusal({name: value})
    assert re.search(rf"The dbt variable {name} is '.*', but it must be .*; no model was built.", message, re.DOTALL), message


def test_right_variables_are_taken(builder: Builder) -> None:
    for values in zip(*(given * 3 for given in RIGHT.values()), strict=False):
        assert builder.refusal(dict(zip(RIGHT, values, strict=True))) == ""


def test_a_folder_may_hold_quotes(builder: Builder) -> None:
    def prepare(path: Path) -> None:
        create_warehouse(path)
        with duckdb.connect(str(path)) as connection:
            connection.execute(
                "insert into raw.time_entries (id, _users_id, _loaded_at) values ('e', 'u', '2025-01-01 00:00:00+00')"
            )

    build = builder.once('o\'brien "x"', prepare)
    assert build.success, build.messages
    assert build.rows("select count(*) from staging.stg_time_entries") == [(1,)]


def test_a_view_where_a_table_belongs_and_the_other_way_round_are_replaced(builder: Builder, empty: Build) -> None:
    """An earlier version of the project, or its owner, may have made them; DuckDB replaces only what is of one kind."""

    def prepare(path: Path) -> None:
        shutil.copy(empty.warehouse, path)
        with duckdb.connect(str(path)) as connection:
            connection.execute("drop view staging.stg_tags; create table staging.stg_tags as select 1 as one")
            connection.execute("drop table marts.dim_tags; create view marts.dim_tags as select 1 as one")

    build = builder.once("of_another_kind", prepare, lambda nodes, node: nodes.name(node) in ("stg_tags", "dim_tags"))
    assert build.success, build.messages
    kinds = build.rows("select table_name, table_type from information_schema.tables where table_name like '%_tags'")
    assert {("dim_tags", "BASE TABLE"), ("stg_tags", "VIEW")} <= set(kinds)


def test_dbt_by_hand_builds_what_a_sync_builds_and_forgets_what_that_was_built_from(builder: Builder, lived_in: Build) -> None:
    """Whoever runs it, with whatever variables: else a sync would take the models for those that it has built itself."""

    def everything(path: Path) -> dict[str, object]:
        with duckdb.connect(str(path), read_only=True) as connection:
            connection.execute("set TimeZone = 'UTC'")
            models = [builder.nodes.relation(model) for model in builder.nodes.models]
            queries = {f"{schema}.{name}": f"from {schema}.{name} order by all" for schema, name in models}
            queries |= {
                "columns": "select schema_name, table_name, column_name, data_type, comment from duckdb_columns() "
                "where schema_name in ('staging', 'marts') order by all",
                "tables": "select schema_name, table_name, comment from duckdb_tables() where schema_name = 'marts' order by all",
                "views": "select schema_name, view_name, comment from duckdb_views() where schema_name = 'staging' order by all",
            }
            return {name: connection.execute(query).fetchall() for name, query in queries.items()}

    by_sync = everything(lived_in.warehouse)
    place = Builder(builder.folder / "by_hand", builder.nodes)
    place.folder.mkdir()
    shutil.copy(lived_in.warehouse, place.path)
    with duckdb.connect(str(place.path)) as connection:
        connection.execute("insert into raw._built select unnest(?), 'all that is', 0, '{}', now()", [[*builder.nodes.in_order]])
        for model in builder.nodes.models:
            schema, name = builder.nodes.relation(model)
            connection.execute(f"drop {builder.nodes.models[model]['config']['materialized']} {schema}.{name}")
    done = place.by_hand("--exclude-resource-type", "unit_test")
    assert done.success, done.exception
    by_hand = everything(place.path)
    assert by_hand.keys() == by_sync.keys()
    assert [name for name, rows in by_hand.items() if rows != by_sync[name]] == []
    with duckdb.connect(str(place.path)) as connection:
        assert connection.execute("select node from raw._built").fetchall() == []


def test_the_unit_tests_of_the_models_pass(builder: Builder, empty: Build) -> None:
    place = Builder(builder.folder / "unit_tested", builder.nodes)
    place.folder.mkdir()
    shutil.copy(empty.warehouse, place.path)
    done = place.by_hand("--select", "test_type:unit", command="test")
    assert isinstance(done.result, RunExecutionResult)
    ended = {result.node.name: str(result.status) for result in done.result.results if isinstance(result.node, UnitTestNode)}
    assert [name for name, status in ended.items() if status != "pass"] == []
    assert len(ended) == len(empty.manifest["unit_tests"])


def test_what_only_dbt_itself_would_do_is_refused_when_the_project_is_prepared(empty: Build) -> None:
    """A `not_null` of a contract was taken and not made, once tables were no longer made by dbt-duckdb."""
    nodes = empty.manifest["nodes"]
    model, test = (
        nodes["model.analytics_assets.dim_tags"],
        next(node for node in nodes.values() if node["resource_type"] == "test"),
    )
    assert list(what_no_sync_does(nodes.values())) == []
    constraint = [{"type": "not_null"}]
    wrong = {
        "incremental": {**model, "config": {**model["config"], "materialized": "incremental"}},
        "hooks": {**model, "config": {**model["config"], "post-hook": [{"sql": "select 1"}]}},
        "constraints": {**model, "constraints": constraint},
        "has constraints": {**model, "columns": {"tag_id": {**model["columns"]["tag_id"], "constraints": constraint}}},
        "is a seed": {**model, "resource_type": "seed"},
        "sets error_if;": {**test, "config": {**test["config"], "error_if": "> 10"}},
        "sets fail_calc and limit;": {**test, "config": {**test["config"], "fail_calc": "max(n)", "limit": 10}},
    }
    assert USUAL_TEST.keys() <= test["config"].keys()
    for said, node in wrong.items():
        (refusal,) = what_no_sync_does([node])
        assert node["name"] in refusal and said in refusal


def test_times_are_read_in_utc_wherever_the_machine_stands(tmp_path: Path) -> None:
    """Models are built by connections of their own, which took the zone of the machine for theirs."""
    program = (
        "import sys, pathlib\n"
        "from analytics_assets.warehouse.building import Model, build_all\n"
        "from analytics_assets.warehouse.connection import connection\n"
        "query = \"select cast(timestamptz '2025-01-01 12:00:00+00' as timestamp) as clock\"\n"
        "with connection(pathlib.Path(sys.argv[1])) as con:\n"
        "    node = Model(('marts', 'clocks'), 'table', query, {}, '', {})\n"
        "    print([ended.status for _, ended in build_all(con, {'clocks': node}, {'clocks': set()}, lambda *_: None)])\n"
        "    print(con.execute('from marts.clocks').fetchall())\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "w.duckdb")]
    done = subprocess.run(command, env={**os.environ, "TZ": "Asia/Tokyo"}, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == ["['success']", "[(datetime.datetime(2025, 1, 1, 12, 0),)]"], done.stderr
