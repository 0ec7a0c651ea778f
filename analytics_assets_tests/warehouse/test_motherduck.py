"""What is delivered to MotherDuck is the warehouse, value by value; or MotherDuck stays as it was, and one sentence says why.

A database in a file stands for MotherDuck: DuckDB is spoken to in the same way, and only the connection is another one.
"""

from pathlib import Path
from typing import Any

import duckdb
import pytest

from analytics_assets.warehouse.delivery import deliver, tables_that_differ
from analytics_assets.warehouse.errors import WarehouseError
from analytics_assets.warehouse.motherduck import MotherDuck, MotherDuckReceiver
from analytics_assets_tests.rig import Rig
from analytics_assets_tests.warehouse.own import change
from analytics_assets_tests.warehouse.two_workspaces import Both


@pytest.fixture
def team(tmp_path: Path) -> MotherDuck:
    return MotherDuck(str(tmp_path / "team.duckdb"))


def rows(team: MotherDuck, sql: str) -> list[tuple[Any, ...]]:
    """What somebody else finds there."""
    with duckdb.connect(team.address, read_only=True) as con:
        return con.execute(sql).fetchall()


def refusal(path: Path, team: MotherDuck) -> str:
    """The sentence of a delivery that must be refused."""
    with pytest.raises(WarehouseError) as caught:
        deliver(path, team)
    return str(caught.value)


def test_only_tables_that_have_changed_there_or_here_are_sent_again(team: MotherDuck, warehouse: Path) -> None:
    assert set(deliver(warehouse, team).sent) == {"marts.dim_tags", "raw.tags", "raw_history.tags"}
    assert deliver(warehouse, team).sent == []
    change(warehouse, "UPDATE raw.tags SET name = 'three' WHERE id = '2'")
    assert tables_that_differ(warehouse, team) == ["raw.tags"]
    assert deliver(warehouse, team).sent == ["raw.tags"]
    for somebody_else in (
        "DELETE FROM raw.tags WHERE id = '1'",
        "UPDATE raw.tags SET name = 'theirs' WHERE id = '1'",
        "INSERT INTO raw.tags FROM raw.tags",
        "ALTER TABLE raw.tags ADD COLUMN theirs INTEGER",
        "ALTER TABLE raw.tags RENAME COLUMN name TO called",
        "DROP TABLE raw.tags",
    ):
        change(team.address, somebody_else)
        assert tables_that_differ(warehouse, team) == ["raw.tags"], somebody_else
        assert deliver(warehouse, team).sent == ["raw.tags"], somebody_else
        assert tables_that_differ(warehouse, team) == []


def test_views_of_others_outlive_a_delivery_and_a_table_that_is_gone_is_taken_out(team: MotherDuck, warehouse: Path) -> None:
    deliver(warehouse, team)
    change(team.address, "CREATE VIEW main.theirs AS SELECT tag_name FROM marts.dim_tags", "CREATE TABLE marts.own AS SELECT 1 a")
    change(warehouse, "ALTER TABLE marts.dim_tags ADD COLUMN is_deleted BOOLEAN", "DROP TABLE raw_history.tags")
    assert deliver(warehouse, team).sent == ["marts.dim_tags"]
    assert rows(team, "SELECT count(*) FROM main.theirs") == [(2,)]
    tables = rows(team, "SELECT schema_name || '.' || table_name FROM duckdb_tables() ORDER BY ALL")
    assert [name for (name,) in tables] == ["marts.dim_tags", "marts.own", "raw._delivered", "raw.tags"]


def test_a_delivery_that_fails_half_way_leaves_everything_as_it_was(
    team: MotherDuck, warehouse: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(warehouse, team)
    change(warehouse, "UPDATE marts.dim_tags SET tag_name = 'newer'", "UPDATE raw.tags SET name = 'newer'")
    send = MotherDuckReceiver.send

    def send_one_and_lose_the_way(self: MotherDuckReceiver, table: Any) -> None:
        send(self, table)
        raise WarehouseError("the line is down")

    monkeypatch.setattr(MotherDuckReceiver, "send", send_one_and_lose_the_way)
    assert refusal(warehouse, team) == "the line is down"
    assert rows(team, "SELECT name FROM raw.tags UNION ALL SELECT tag_name FROM marts.dim_tags ORDER BY 1") == [
        ("one",),
        ("one",),
        ("two",),
        ("two",),
    ]


def test_a_table_of_somebody_else_is_not_touched(team: MotherDuck, warehouse: Path) -> None:
    change(team.address, "CREATE SCHEMA raw", "CREATE TABLE raw.tags AS SELECT 42 AS mine")
    assert refusal(warehouse, team).startswith("MotherDuck has a table raw.tags that this project has not made: ")
    assert rows(team, "FROM raw.tags") == [(42,)]
    assert rows(team, "SELECT count(*) FROM duckdb_tables()") == [(1,)]


def test_a_second_workspace_is_not_delivered_over_the_first(team: MotherDuck, tiny: Rig) -> None:
    tiny.sync(resources=("tags",))
    deliver(tiny.path, team)
    change(tiny.path, "UPDATE raw._workspace SET workspace_id = 'another'", "DELETE FROM raw.tags")
    sentence = refusal(tiny.path, team)
    assert sentence.startswith(f"MotherDuck holds workspace {tiny.workspace_id}, not workspace another: ")
    assert rows(team, "SELECT count(*) FROM raw.tags") == [(len(tiny.workspace.tags),)]


def test_it_follows_the_file_of_all_workspaces(team: MotherDuck, both: Both) -> None:
    both.put(both.first)
    both.put(both.second)
    deliver(both.together, team)
    assert tables_that_differ(both.together, team) == []
    assert len(rows(team, "SELECT DISTINCT workspace_id FROM raw.users")) == 2


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
