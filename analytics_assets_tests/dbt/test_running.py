"""What dbt is run with: variables, and the place of the warehouse."""

import json
import re
import shutil
from pathlib import Path

import duckdb
import pytest
from filelock import FileLock

from analytics_assets_tests.dbt.conftest import WITHOUT_UNIT_TESTS, Build, Builder
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


def test_a_wrong_variable_ends_a_run_before_anything_is_built(builder: Builder, empty: Build) -> None:
    """A time zone that the warehouse does not know failed a mart after the dimensions had been rebuilt with it."""
    with FileLock(builder.folder / "lock"):
        shutil.copy(empty.warehouse, builder.path)
        with duckdb.connect(str(builder.path)) as connection:
            connection.execute("drop view staging.stg_tags")
        done = builder.invoke("--select", "stg_tags", "--vars", json.dumps({"default_time_zone": "Mars/Olympus"}))
        with duckdb.connect(str(builder.path)) as connection:
            views = connection.execute("select view_name from duckdb_views() where view_name = 'stg_tags'").fetchall()
        builder.path.unlink()
    assert not done.success
    assert "The dbt variable default_time_zone is 'Mars/Olympus'" in str(done.exception)
    assert views == []


def test_a_folder_may_hold_quotes(builder: Builder) -> None:
    def prepare(path: Path) -> None:
        create_warehouse(path)
        with duckdb.connect(str(path)) as connection:
            connection.execute(
                "insert into raw.time_entries (id, _users_id, _loaded_at) values ('e', 'u', '2025-01-01 00:00:00+00')"
            )

    name = 'o\'brien "x"'
    # the way in which a sync says where the warehouse is
    where = json.dumps({"warehouse_path": str(builder.folder / name / "analytics.duckdb")})
    build = builder.once(name, prepare, *WITHOUT_UNIT_TESTS, "--vars", where)
    assert build.success, build.messages
    assert build.rows("select count(*) from staging.stg_time_entries") == [(1,)]


def test_a_view_where_a_table_belongs_and_the_other_way_round_are_replaced(builder: Builder, empty: Build) -> None:
    """An earlier version of the project, or its owner, may have made them; DuckDB replaces only what is of one kind."""
    with FileLock(builder.folder / "lock"):
        shutil.copy(empty.warehouse, builder.path)
        with duckdb.connect(str(builder.path)) as connection:
            connection.execute("drop view staging.stg_tags; create table staging.stg_tags as select 1 as one")
            connection.execute("drop table marts.dim_tags; create view marts.dim_tags as select 1 as one")
        done = builder.invoke("--select", "stg_tags dim_tags")
        with duckdb.connect(str(builder.path)) as connection:
            kinds = connection.execute(
                "select table_name, table_type from information_schema.tables where table_name like '%_tags' order by 1"
            ).fetchall()
        builder.path.unlink()
    assert done.success, done.exception
    assert {("dim_tags", "BASE TABLE"), ("stg_tags", "VIEW")} <= set(kinds)


def test_dbt_forgets_what_models_were_built_from_before_it_builds_them(builder: Builder, empty: Build) -> None:
    """Whoever runs it, with whatever variables: else a sync would take the models for those that it has built itself."""
    with FileLock(builder.folder / "lock"):
        shutil.copy(empty.warehouse, builder.path)
        with duckdb.connect(str(builder.path)) as connection:
            for node in ("model.analytics_assets.stg_tags", "model.analytics_assets.dim_tags"):
                connection.execute("insert into raw._built values (?, 'all that is', 0, '{}', now())", [node])
        done = builder.invoke("--select", "stg_tags")
        with duckdb.connect(str(builder.path)) as connection:
            left = connection.execute("select node from raw._built").fetchall()
        builder.path.unlink()
    assert done.success, done.exception
    assert left == [("model.analytics_assets.dim_tags",)]
