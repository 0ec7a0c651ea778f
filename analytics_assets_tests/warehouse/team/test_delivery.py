"""What is delivered to MotherDuck, Snowflake or BigQuery is the warehouse, value by value; or one sentence says why not.

A DuckDB file stands for each: for MotherDuck, whose statements are DuckDB's, and for the others, see `snowflake_on_duckdb.py` and
`bigquery_on_duckdb.py`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import duckdb
import pytest

from analytics_assets.warehouse.errors import WarehouseError
from analytics_assets.warehouse.team import bigquery, snowflake
from analytics_assets.warehouse.team.bigquery import BigQuery, BigQueryReceiver
from analytics_assets.warehouse.team.delivery import TeamWarehouse, deliver, tables_that_differ
from analytics_assets.warehouse.team.motherduck import MotherDuck, MotherDuckReceiver
from analytics_assets.warehouse.team.snowflake import Snowflake, SnowflakeReceiver
from analytics_assets_tests.rig import Rig
from analytics_assets_tests.warehouse.own import change
from analytics_assets_tests.warehouse.team.bigquery_on_duckdb import sessions_on_duckdb
from analytics_assets_tests.warehouse.team.snowflake_on_duckdb import OnDuckDB, session_on_duckdb
from analytics_assets_tests.warehouse.two_workspaces import Both

ENGINES: Final[dict[str, tuple[Callable[[str], TeamWarehouse], type]]] = {
    "MotherDuck": (MotherDuck, MotherDuckReceiver),
    "Snowflake": (lambda path: Snowflake(f"snowflake://{path}"), SnowflakeReceiver),
    "BigQuery": (lambda path: BigQuery("bigquery://team"), BigQueryReceiver),
}


@dataclass(frozen=True)
class Theirs:
    """A team's warehouse, and the file that stands for it."""

    warehouse: TeamWarehouse
    receiver: Any
    path: Path

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What somebody else finds there."""
        with duckdb.connect(str(self.path), read_only=True) as con:
            return con.execute(sql).fetchall()


@pytest.fixture(params=[*ENGINES])
def team(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Theirs:
    monkeypatch.setattr(snowflake, "snowflake_session", session_on_duckdb)
    make, receiver = ENGINES[request.param]
    path = tmp_path / "team.duckdb"
    monkeypatch.setattr(bigquery, "bigquery_session", sessions_on_duckdb(path))
    return Theirs(make(str(path)), receiver, path)


def refusal(path: Path, team: TeamWarehouse) -> str:
    """The sentence of a delivery that must be refused."""
    with pytest.raises(WarehouseError) as caught:
        deliver(path, team)
    return str(caught.value)


def test_only_tables_that_have_changed_there_or_here_are_sent_again(team: Theirs, warehouse: Path) -> None:
    assert set(deliver(warehouse, team.warehouse).sent) == {"marts.dim_tags", "raw.tags", "raw_history.tags"}
    assert deliver(warehouse, team.warehouse).sent == []
    change(warehouse, "UPDATE raw.tags SET name = 'three' WHERE id = '2'")
    assert tables_that_differ(warehouse, team.warehouse) == ["raw.tags"]
    assert deliver(warehouse, team.warehouse).sent == ["raw.tags"]
    for somebody_else in (
        "DELETE FROM raw.tags WHERE id = '1'",
        "UPDATE raw.tags SET name = 'theirs' WHERE id = '1'",
        "INSERT INTO raw.tags FROM raw.tags",
        "ALTER TABLE raw.tags ADD COLUMN theirs INTEGER",
        "ALTER TABLE raw.tags RENAME COLUMN name TO called",
        "DROP TABLE raw.tags",
    ):
        change(team.path, somebody_else)
        assert tables_that_differ(warehouse, team.warehouse) == ["raw.tags"], somebody_else
        assert deliver(warehouse, team.warehouse).sent == ["raw.tags"], somebody_else
        assert tables_that_differ(warehouse, team.warehouse) == []


def test_views_of_others_outlive_a_delivery_and_a_table_that_is_gone_is_taken_out(team: Theirs, warehouse: Path) -> None:
    deliver(warehouse, team.warehouse)
    change(team.path, "CREATE VIEW main.theirs AS SELECT tag_name FROM marts.dim_tags", "CREATE TABLE marts.own AS SELECT 1 a")
    change(warehouse, "ALTER TABLE marts.dim_tags ADD COLUMN is_deleted BOOLEAN", "DROP TABLE raw_history.tags")
    assert deliver(warehouse, team.warehouse).sent == ["marts.dim_tags"]
    assert team.rows("SELECT count(*) FROM main.theirs") == [(2,)]
    tables = team.rows("SELECT lower(schema_name || '.' || table_name) FROM duckdb_tables() ORDER BY ALL")
    assert [name for (name,) in tables] == ["marts.dim_tags", "marts.own", "raw._delivered", "raw.tags"]


def test_a_delivery_that_fails_half_way_leaves_everything_as_it_was(
    team: Theirs, warehouse: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(warehouse, team.warehouse)
    change(warehouse, "UPDATE marts.dim_tags SET tag_name = 'newer'", "UPDATE raw.tags SET name = 'newer'")
    send = team.receiver.send

    def send_one_and_lose_the_way(self: Any, table: Any) -> None:
        send(self, table)
        raise WarehouseError("the line is down")

    monkeypatch.setattr(team.receiver, "send", send_one_and_lose_the_way)
    assert refusal(warehouse, team.warehouse) == "the line is down"
    assert team.rows("SELECT name FROM raw.tags UNION ALL SELECT tag_name FROM marts.dim_tags ORDER BY 1") == [
        ("one",),
        ("one",),
        ("two",),
        ("two",),
    ]


def test_a_first_delivery_that_was_cut_off_is_done_by_the_next(
    team: Theirs, warehouse: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Snowflake makes tables outside of the transaction; an empty one that was left over must not count as somebody else's."""
    with monkeypatch.context() as patched:
        sent: list[Any] = []

        def send_two_and_lose_the_way(self: Any, table: Any) -> None:
            if len(sent) == 2:
                raise WarehouseError("the line is down")
            sent.append(table)
            send(self, table)

        send = team.receiver.send
        patched.setattr(team.receiver, "send", send_two_and_lose_the_way)
        assert refusal(warehouse, team.warehouse) == "the line is down"
    assert set(deliver(warehouse, team.warehouse).sent) == {"marts.dim_tags", "raw.tags", "raw_history.tags"}
    assert tables_that_differ(warehouse, team.warehouse) == []


def test_in_snowflake_rows_change_in_one_transaction(warehouse: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It came to its last statement, and there the line was cut."""
    monkeypatch.setattr(snowflake, "snowflake_session", session_on_duckdb)
    path = tmp_path / "team.duckdb"
    team = Theirs(Snowflake(f"snowflake://{path}"), SnowflakeReceiver, path)
    deliver(warehouse, team.warehouse)
    change(warehouse, "UPDATE marts.dim_tags SET tag_name = 'newer'", "DELETE FROM raw.tags")

    def run_until_the_commit(self: OnDuckDB, sql: str) -> None:
        if sql == "COMMIT":
            raise WarehouseError("the line is down")
        OnDuckDB.rows(self, sql)

    with monkeypatch.context() as patched:
        patched.setattr(OnDuckDB, "run", run_until_the_commit)
        assert refusal(warehouse, team.warehouse) == "the line is down"
    assert team.rows("SELECT (SELECT count(*) FROM raw.tags), (SELECT max(tag_name) FROM marts.dim_tags)") == [(2, "two")]
    assert set(deliver(warehouse, team.warehouse).sent) == {"marts.dim_tags", "raw.tags"}


def test_snowflake_without_a_server_is_a_sentence_without_the_password(warehouse: Path) -> None:
    """The real driver; nobody listens on the port."""
    team = Snowflake("snowflake://me:ge%23heim@127.0.0.1:9/team?account=nobody&protocol=http&loginTimeout=1")
    sentence = refusal(warehouse, team)
    assert sentence.startswith("Snowflake (127.0.0.1:9/team) refused: ")
    assert sentence.endswith(" Check ANALYTICS_DESTINATION_URL.")
    assert "ge%23heim" not in sentence and "ge#heim" not in sentence and "\n" not in sentence


def test_a_table_of_somebody_else_is_not_touched(team: Theirs, warehouse: Path) -> None:
    schema, table = ("raw", "tags") if team.warehouse.engine == "BigQuery" else ("RAW", "TAGS")  # which tells them apart
    change(team.path, f"CREATE SCHEMA {schema}", f"CREATE TABLE {schema}.{table} AS SELECT 42 AS mine")
    assert refusal(warehouse, team.warehouse).startswith(
        f"{team.warehouse.engine} has a table raw.tags that this project has not made: "
    )
    assert team.rows("FROM raw.tags") == [(42,)]
    assert team.rows("SELECT count(*) FROM duckdb_tables()") == [(1,)]


def test_a_second_workspace_is_not_delivered_over_the_first(team: Theirs, tiny: Rig) -> None:
    tiny.sync(resources=("tags",))
    deliver(tiny.path, team.warehouse)
    change(tiny.path, "UPDATE raw._workspace SET workspace_id = 'another'", "DELETE FROM raw.tags")
    sentence = refusal(tiny.path, team.warehouse)
    assert sentence.startswith(f"{team.warehouse.engine} holds workspace {tiny.workspace_id}, not workspace another: ")
    assert team.rows("SELECT count(*) FROM raw.tags") == [(len(tiny.workspace.tags),)]


def test_it_follows_the_file_of_all_workspaces(team: Theirs, both: Both) -> None:
    both.put(both.first)
    both.put(both.second)
    deliver(both.together, team.warehouse)
    assert tables_that_differ(both.together, team.warehouse) == []
    assert len(team.rows("SELECT DISTINCT workspace_id FROM raw.users")) == 2


def test_what_it_refuses_is_a_sentence(warehouse: Path, tmp_path: Path) -> None:
    (tmp_path / "team.duckdb").write_text("no database at all")
    sentence = refusal(warehouse, MotherDuck(str(tmp_path / "team.duckdb")))
    assert "not a valid DuckDB database file" in sentence and sentence.endswith(". Check ANALYTICS_DESTINATION_URL.")
    assert "\n" not in sentence


def test_without_a_token_no_browser_is_opened(warehouse: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """MotherDuck's extension would open one and wait for a person."""
    monkeypatch.delenv("motherduck_token", raising=False)
    team = MotherDuck("md:team")
    assert refusal(warehouse, team) == (
        "MotherDuck needs a token: set the variable motherduck_token, or end ANALYTICS_DESTINATION_URL with ?motherduck_token=, "
        "the token behind it."
    )
    with pytest.raises(WarehouseError, match=r"^MotherDuck needs a token"):
        team.assert_reachable()


def test_a_column_that_goes_or_gets_another_type_is_followed_in_one_step(team: Theirs, warehouse: Path) -> None:
    deliver(warehouse, team.warehouse)
    change(
        warehouse,
        "ALTER TABLE marts.dim_tags ALTER tag_id TYPE BIGINT",
        "ALTER TABLE raw.tags DROP COLUMN name",
        "COMMENT ON COLUMN raw_history.tags.name IS 'another \\ comment, it''s'",
    )
    assert set(deliver(warehouse, team.warehouse).sent) == {"marts.dim_tags", "raw.tags", "raw_history.tags"}
    assert tables_that_differ(warehouse, team.warehouse) == []
    assert deliver(warehouse, team.warehouse).sent == []
    assert team.rows("SELECT tag_id + 1 FROM marts.dim_tags ORDER BY 1") == [(2,), (3,)]
    assert team.rows("FROM raw.tags ORDER BY 1") == [("1",), ("2",)]
    assert len(team.rows("FROM duckdb_tables()")) == 4  # nothing is left beside them but the notes


def test_each_value_of_each_type_arrives_as_it_is(team: Theirs, warehouse: Path) -> None:
    change(
        warehouse,
        "CREATE TABLE marts.odd (n INTEGER, s VARCHAR, b BOOLEAN, i BIGINT, h HUGEINT, f DOUBLE, m DECIMAL(18, 2), "
        'w DECIMAL(38, 4), d DATE, t TIMESTAMPTZ, j JSON, l VARCHAR[], u UUID, "select ""it""" VARCHAR)',
        f"""INSERT INTO marts.odd VALUES
            (1, 's', true, {2**63 - 1}, {10**37}, 0.1, 9999999999999999.99, 9999999999999999999999999999999999.9999,
             '9999-12-31', '9999-12-31T23:59:59.999999Z', '{{"b": 1.00000000000000000001, "a": [null, "ü"]}}',
             ['x', NULL, '', 'a, b'], '6a1f5b3c-0000-4000-8000-000000000001', 'x'),
            (2, '', false, {-(2**63)}, {-(10**37)}, -1.7976931348623157e308, -0.01, -0.0001, '0001-01-01',
             '1970-01-01T00:00:00.000001Z', 'null', [], NULL, ''),
            (3, 'it''s \\ "so"', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)""",
    )
    deliver(warehouse, team.warehouse)
    assert tables_that_differ(warehouse, team.warehouse) == []
    texts = ", ".join(f"{column}::VARCHAR" for column in "nihmwdju")
    as_texts = f"SELECT {texts}, s, b, f, epoch_us(t)"
    with duckdb.connect(str(warehouse), read_only=True) as con:
        expected = con.execute(f"{as_texts} FROM marts.odd ORDER BY n").fetchall()
    assert team.rows(f"{as_texts} FROM marts.odd ORDER BY n") == expected
    lists = team.rows("SELECT l FROM marts.odd ORDER BY n")
    assert lists in ([(["x", None, "", "a, b"],), ([],), (None,)], [('["x",null,"","a, b"]',), ("[]",), (None,)])
