"""What is BigQuery's own in a delivery: its transaction, what comes before and after it, its names, and how it is reached."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from sqlglot.expressions import Commit, Expression

from analytics_assets.warehouse.errors import WarehouseError
from analytics_assets.warehouse.team import bigquery, bigquery_session
from analytics_assets.warehouse.team.bigquery import BigQuery
from analytics_assets.warehouse.team.bigquery_types import name_of, way_of
from analytics_assets.warehouse.team.delivery import deliver, tables_that_differ
from analytics_assets_tests.warehouse.own import change
from analytics_assets_tests.warehouse.team.bigquery_on_duckdb import BigQueryOnDuckDB, sessions_on_duckdb

TEAM = BigQuery("bigquery://team")


@pytest.fixture
def team(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that stands for the project."""
    path = tmp_path / "team.duckdb"
    monkeypatch.setattr(bigquery, "bigquery_session", sessions_on_duckdb(path))
    return path


def rows(team: Path, sql: str) -> list[tuple[Any, ...]]:
    """What somebody else finds there."""
    with duckdb.connect(str(team), read_only=True) as con:
        return con.execute(sql).fetchall()


def test_rows_change_in_one_transaction(warehouse: Path, team: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It came to its last statement, and failed there."""
    deliver(warehouse, TEAM)
    change(warehouse, "UPDATE marts.dim_tags SET tag_name = 'newer'", "DELETE FROM raw.tags")
    one = BigQueryOnDuckDB.one

    def one_until_the_commit(self: BigQueryOnDuckDB, statement: Expression) -> list[tuple[Any, ...]]:
        if isinstance(statement, Commit):
            raise WarehouseError("the quota is used up")
        return one(self, statement)

    with monkeypatch.context() as patched:
        patched.setattr(BigQueryOnDuckDB, "one", one_until_the_commit)
        with pytest.raises(WarehouseError, match="the quota is used up"):
            deliver(warehouse, TEAM)
    assert rows(team, "SELECT (SELECT count(*) FROM raw.tags), (SELECT max(tag_name) FROM marts.dim_tags)") == [(2, "two")]
    assert set(deliver(warehouse, TEAM).sent) == {"marts.dim_tags", "raw.tags"}
    assert tables_that_differ(warehouse, TEAM) == []


def test_it_is_made_up_for_wherever_it_was_cut_off(warehouse: Path, team: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before each of its statements; one table is new, one gets another type, one another row, and one goes.

    What is delivered then has another row of the table with another type.
    """
    change(
        warehouse, "CREATE OR REPLACE TABLE marts.dim_tags (tag_id BIGINT, note VARCHAR)", "CREATE TABLE raw.gone AS SELECT 1 a"
    )
    deliver(warehouse, TEAM)
    change(
        warehouse,
        "ALTER TABLE marts.dim_tags ALTER tag_id TYPE VARCHAR",
        "UPDATE raw.tags SET name = 'newer'",
        "DROP TABLE raw.gone",
        "CREATE TABLE marts.newer AS SELECT 7 AS n",
    )
    before, delivered = warehouse.read_bytes(), team.read_bytes()
    one = BigQueryOnDuckDB.one
    for statements in range(60):
        warehouse.write_bytes(before)
        team.write_bytes(delivered)
        left = [statements]

        def counted(self: BigQueryOnDuckDB, statement: Expression, left: list[int] = left) -> list[tuple[Any, ...]]:
            if not left[0]:
                raise WarehouseError("the line is down")
            left[0] -= 1
            return one(self, statement)

        was_cut_off = False
        with monkeypatch.context() as patched:
            patched.setattr(BigQueryOnDuckDB, "one", counted)
            try:
                deliver(warehouse, TEAM)
            except WarehouseError:
                was_cut_off = True
        change(warehouse, "INSERT INTO marts.dim_tags VALUES ('no number', NULL)")
        deliver(warehouse, TEAM)
        assert deliver(warehouse, TEAM).sent == [], statements
        assert rows(team, "SELECT tag_id FROM marts.dim_tags UNION ALL SELECT max(name) FROM raw.tags") == [
            ("no number",),
            ("newer",),
        ]
        tables = [table for (table,) in rows(team, "SELECT table_name FROM duckdb_tables() ORDER BY ALL")]
        assert tables == ["_delivered", "dim_tags", "newer", "tags", "tags"], statements
        if not was_cut_off:
            assert statements > 15
            return
    pytest.fail("it has more statements than that")


def test_a_prefix_keeps_datasets_of_others_apart(warehouse: Path, team: Path) -> None:
    change(team, "CREATE SCHEMA raw", "CREATE TABLE raw.tags AS SELECT 42 AS mine")
    deliver(warehouse, BigQuery("bigquery://team/tracked?location=EU"))
    assert rows(team, "FROM raw.tags") == [(42,)]
    assert rows(team, "SELECT name FROM tracked_raw.tags ORDER BY 1") == [("one",), ("two",)]
    assert {schema for (schema,) in rows(team, "SELECT schema_name FROM duckdb_tables()")} == {
        "raw",
        "tracked_raw",
        "tracked_raw_history",
        "tracked_marts",
    }


@pytest.mark.parametrize(
    ("name", "there"),
    [("user_id", "user_id"), ("größe", "größe"), ("_change", "_change"), ("n" * 300, "n" * 300)],
)
def test_a_name_that_bigquery_takes_stays(name: str, there: str) -> None:
    assert name_of(name) == there


def test_names_that_bigquery_refuses_get_others_that_differ() -> None:
    names = ["a b", "a.b", "a`b", "_TABLE_x", "_partitiontime", "1st", "n" * 301, "n" * 302]
    given = [name_of(name) for name in names]
    assert len({*given}) == len(names)
    for name in given:
        assert name.isidentifier() and len(name.encode()) <= 300
        assert not name.casefold().startswith(("_table_", "_partition"))


@pytest.mark.parametrize(
    ("duckdb_type", "there"),
    [
        ("DECIMAL(18,2)", "NUMERIC"),
        ("DECIMAL(38,9)", "NUMERIC"),
        ("DECIMAL(38,4)", "BIGNUMERIC"),
        ("DECIMAL(38,10)", "BIGNUMERIC"),
        ("HUGEINT", "BIGNUMERIC"),
    ],
)
def test_a_number_gets_a_type_that_has_all_its_digits(duckdb_type: str, there: str) -> None:
    assert way_of(duckdb_type).type == there


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A port on which nobody answers; Google's real client is told to ask there."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        number = server.getsockname()[1]
        monkeypatch.setenv(bigquery_session.EMULATOR, f"http://127.0.0.1:{number}")
        monkeypatch.setattr(bigquery_session, "ANSWER_SECONDS", 0.1)
        yield number


def test_a_service_that_says_nothing_is_a_sentence(port: int) -> None:
    with pytest.raises(WarehouseError) as refused:
        BigQuery("bigquery://team/tracked").assert_reachable()
    assert str(refused.value) == "BigQuery (team/tracked) refused: it has not answered for 0 s. Check ANALYTICS_DESTINATION_URL."


def test_a_key_file_that_is_none_is_named_and_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(bigquery_session.EMULATOR, raising=False)
    key = tmp_path / "key.json"
    for content in (None, "geheim", json.dumps({"type": "service_account", "private_key": "geheim"})):
        if content is not None:
            key.write_text(content)
        with pytest.raises(WarehouseError) as refused:
            BigQuery(f"bigquery://team?credentials={key}").assert_reachable()
        assert str(refused.value).startswith(f"ANALYTICS_DESTINATION_URL names {key} as credentials, which is no key file")
        assert "geheim" not in str(refused.value)


def test_without_credentials_the_ways_to_give_them_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in (bigquery_session.EMULATOR, "GOOGLE_APPLICATION_CREDENTIALS"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.setenv("NO_GCE_CHECK", "true")  # else it asks the network whether this machine is Google's
    with pytest.raises(WarehouseError, match=r"^BigQuery needs credentials: .*GOOGLE_APPLICATION_CREDENTIALS"):
        BigQuery("bigquery://team").assert_reachable()
