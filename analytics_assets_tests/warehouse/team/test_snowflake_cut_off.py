"""A delivery to Snowflake that is cut off before any of its statements is made up for by the next one."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from analytics_assets.warehouse.errors import WarehouseError
from analytics_assets.warehouse.team import snowflake
from analytics_assets.warehouse.team.delivery import deliver, tables_that_differ
from analytics_assets.warehouse.team.snowflake import Snowflake
from analytics_assets_tests.warehouse.own import change
from analytics_assets_tests.warehouse.team.snowflake_on_duckdb import OnDuckDB, session_on_duckdb

CutOff = Callable[[int], bool]


@pytest.fixture
def team(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that stands for the database."""
    monkeypatch.setattr(snowflake, "snowflake_session", session_on_duckdb)
    return tmp_path / "team.duckdb"


@pytest.fixture
def cut_off(warehouse: Path, team: Path, monkeypatch: pytest.MonkeyPatch) -> CutOff:
    """Deliver until so many statements have run; False where it came to its end."""

    def deliver_some(statements: int) -> bool:
        left = [statements]
        rows = OnDuckDB.rows

        def counted(self: OnDuckDB, sql: str) -> list[tuple[Any, ...]]:
            if not left[0]:
                raise WarehouseError("the line is down")
            left[0] -= 1
            return rows(self, sql)

        with monkeypatch.context() as patched:
            patched.setattr(OnDuckDB, "rows", counted)
            try:
                deliver(warehouse, Snowflake(f"snowflake://{team}"))
            except WarehouseError:
                return left == [0]
        return False

    return deliver_some


def test_it_is_made_up_for_wherever_it_was_cut_off(warehouse: Path, team: Path, cut_off: CutOff) -> None:
    """Rows of the new type stood in a table beside, the old one counted as it, and took none of them from then on."""
    to = Snowflake(f"snowflake://{team}")
    for statements in range(60):
        team.unlink(missing_ok=True)
        change(
            warehouse,
            "CREATE OR REPLACE TABLE marts.dim_tags (tag_id BIGINT, note VARCHAR)",
            "CREATE OR REPLACE TABLE raw.tags AS SELECT '1' AS id, 'one' AS name",
        )
        deliver(warehouse, to)
        change(warehouse, "ALTER TABLE marts.dim_tags ALTER tag_id TYPE VARCHAR", "UPDATE raw.tags SET name = 'newer'")
        was_cut_off = cut_off(statements)
        change(warehouse, "INSERT INTO marts.dim_tags VALUES ('no number', NULL)")
        deliver(warehouse, to)
        assert tables_that_differ(warehouse, to) == [] and deliver(warehouse, to).sent == [], statements
        with duckdb.connect(str(team), read_only=True) as con:
            assert con.execute("SELECT tag_id FROM marts.dim_tags").fetchall() == [("no number",)]
            assert con.execute("SELECT count(*) FROM duckdb_tables()").fetchone() == (4,), statements
        if not was_cut_off:
            return
    pytest.fail("it has more statements than that")


def test_what_went_wrong_first_is_what_is_said(warehouse: Path, team: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rollback that failed too hid the reason, and Ctrl-C."""

    def break_off(self: OnDuckDB, sql: str) -> None:
        if sql == "ROLLBACK":
            raise WarehouseError("there is no line any more")
        if sql.startswith("DELETE FROM") and self._is_in_transaction:
            raise KeyboardInterrupt
        OnDuckDB.rows(self, sql)

    monkeypatch.setattr(OnDuckDB, "run", break_off)
    with pytest.raises(KeyboardInterrupt):
        deliver(warehouse, Snowflake(f"snowflake://{team}"))


def test_what_lay_beside_goes_where_a_column_has_its_old_type_again(warehouse: Path, team: Path, cut_off: CutOff) -> None:
    to = Snowflake(f"snowflake://{team}")
    deliver(warehouse, to)
    change(warehouse, "ALTER TABLE marts.dim_tags ALTER tag_id TYPE BIGINT")
    for statements in range(60):
        assert cut_off(statements)
        with duckdb.connect(str(team), read_only=True) as con:
            if con.execute("SELECT count(*) FROM duckdb_tables()").fetchone() == (5,):
                break
    change(warehouse, "ALTER TABLE marts.dim_tags ALTER tag_id TYPE VARCHAR")
    deliver(warehouse, to)
    with duckdb.connect(str(team), read_only=True) as con:
        assert con.execute("SELECT count(*) FROM duckdb_tables()").fetchone() == (4,)


def test_a_table_that_is_called_like_the_next_one_stays(warehouse: Path, team: Path) -> None:
    """It was replaced and dropped without a question."""
    to = Snowflake(f"snowflake://{team}")
    deliver(warehouse, to)
    change(team, "CREATE TABLE marts.DIM_TAGS__NEXT AS SELECT 42 AS theirs")
    change(warehouse, "ALTER TABLE marts.dim_tags ALTER tag_id TYPE BIGINT")
    deliver(warehouse, to)
    with duckdb.connect(str(team), read_only=True) as con:
        assert con.execute("FROM marts.dim_tags__next").fetchall() == [(42,)]
