"""The file that holds the tables of several workspaces, put together from the warehouse of each."""

import duckdb
import pytest

from analytics_assets.warehouse.connection import connection
from analytics_assets.warehouse.errors import WarehouseError
from analytics_assets.warehouse.in_common import rows_not_together, tables_not_together
from analytics_assets.warehouse.loaded_alone import carry_over
from analytics_assets.warehouse.tables import quoted
from analytics_assets_tests.warehouse.two_workspaces import SECOND, Both


def test_members_of_both_workspaces_are_a_row_of_each(both: Both) -> None:
    both.put(both.first)
    made = both.put(both.second)
    assert made.workspaces == sorted(both.ids)
    assert both.counts("raw.users") == {both.first.workspace_id: 3, SECOND: 3}
    assert both.counts("raw.time_entries") == {both.first.workspace_id: 24, SECOND: 24}
    with_ids = both.query("SELECT id, list(workspace_id ORDER BY workspace_id) FROM raw.users GROUP BY id")
    assert all(ids == sorted(both.ids) for _, ids in with_ids)


def test_the_common_file_has_the_values_and_comments_of_each_warehouse(both: Both) -> None:
    for rig in (both.first, both.second):
        both.put(rig)
        assert rows_not_together(rig.path, both.together, rig.workspace_id) == {}
        with duckdb.connect(str(rig.path)) as con:
            con.execute(f"ATTACH '{both.together}' AS common (READ_ONLY)")
            for name in ("users", "projects", "tags", "tasks", "time_entries"):
                columns = [row[0] for row in con.execute(f"DESCRIBE raw.{name}").fetchall() if row[0] != "workspace_id"]
                values = ", ".join(f'"{column}"' for column in columns)
                difference = (
                    f"(SELECT {values} FROM raw.{name} EXCEPT ALL SELECT {values} FROM common.raw.{name} "
                    f"WHERE workspace_id = '{rig.workspace_id}')"
                )
                assert con.execute(f"SELECT count(*) FROM {difference}").fetchone() == (0,)
    said = both.query("SELECT comment FROM duckdb_columns() WHERE table_name = 'tags' AND column_name = 'workspace_id'")
    assert set(said) == {("The workspace that the row was read from.",)}
    assert both.query("SELECT count(*) FROM duckdb_columns() WHERE table_name = 'users' AND comment IS NULL") == [(0,)]


def test_only_tables_that_have_changed_are_replaced_and_nothing_is_written_where_none_has(both: Both) -> None:
    both.put(both.first)
    both.put(both.second)
    before = both.together.stat()
    assert both.put(both.first).replaced == []
    assert both.together.stat().st_ino == before.st_ino
    entry = both.second.workspace.time_entries[both.second.workspace.users[0]["id"]][0]["id"]
    both.second.workspace.delete("time_entries", entry)
    both.second.sync()
    replaced = both.put(both.second).replaced
    assert "raw.time_entries" in replaced
    assert "raw.users" not in replaced
    assert both.counts("raw.time_entries") == {both.first.workspace_id: 24, SECOND: 23}
    assert both.counts("raw_history.time_entries") == {SECOND: 1}
    assert [column for column, *_ in both.query("DESCRIBE raw.users")][:2] == ["workspace_id", "id"]


def test_a_tool_that_has_the_common_file_open_keeps_the_old_one(both: Both) -> None:
    both.put(both.first)
    with connection(both.together, read_only=True) as tool:
        both.put(both.second)
        assert tool.execute("SELECT count(*) FROM raw.users").fetchone() == (3,)
    assert both.counts("raw.users") == {both.first.workspace_id: 3, SECOND: 3}


def test_a_workspace_that_is_loaded_no_more_leaves_the_common_file(both: Both) -> None:
    both.put(both.first)
    both.put(both.second)
    made = both.put(both.first, {both.first.workspace_id: both.first.path, **both.of_others})
    assert made.workspaces == [both.first.workspace_id]
    assert both.counts("raw.users") == {both.first.workspace_id: 3}
    assert both.counts("raw._put_together").keys() == {both.first.workspace_id}


def test_a_field_of_one_workspace_alone_and_one_of_another_type_lose_nothing(both: Both) -> None:
    first, second = both.first.workspace.clients[0], both.second.workspace.clients[0]
    both.first.workspace.edit("clients", first["id"], rank=9007199254740993, only_here="x")
    both.second.workspace.edit("clients", second["id"], rank="high")
    both.first.sync()
    both.second.sync()
    both.put(both.first)
    both.put(both.second)
    found = both.query("SELECT workspace_id, rank, only_here FROM raw.clients WHERE rank IS NOT NULL ORDER BY rank")
    assert found == [(both.first.workspace_id, "9007199254740993", "x"), (SECOND, "high", None)]


def kinds_of(both: Both, table: str) -> dict[object, object]:
    """The columns of a table of the common file with their types."""
    return {row[0]: row[1] for row in both.query(f"DESCRIBE {table}") if row[0] != "workspace_id"}


def test_a_column_whose_type_has_changed_in_each_workspace_has_that_type_and_one_that_is_gone_from_each_is_gone(
    both: Both,
) -> None:
    for of_both in ("1::INTEGER AS figure, 2 AS gone", "3000000000::BIGINT AS figure"):
        for rig in (both.first, both.second):
            with duckdb.connect(str(rig.path)) as con:
                con.execute(f"CREATE OR REPLACE TABLE raw.mine AS SELECT {of_both}")
            both.put(rig)
            if rig is both.first and "BIGINT" in of_both:
                assert kinds_of(both, "raw.mine") == {"figure": "VARCHAR", "gone": "INTEGER"}
    assert kinds_of(both, "raw.mine") == {"figure": "BIGINT"}
    assert both.query("SELECT DISTINCT figure FROM raw.mine") == [(3000000000,)]


def test_texts_that_are_no_values_of_the_other_type_stay_texts(both: Both) -> None:
    for rig in (both.first, both.second):
        with duckdb.connect(str(rig.path)) as con:
            con.execute(f"CREATE TABLE raw.mine AS SELECT {'1' if rig is both.first else 'true'} AS figure")
        both.put(rig)
    with duckdb.connect(str(both.together)) as con:
        con.execute(f"UPDATE raw.mine SET figure = 'of somebody' WHERE workspace_id = '{both.first.workspace_id}'")
    with duckdb.connect(str(both.second.path)) as con:
        con.execute("CREATE OR REPLACE TABLE raw.mine AS SELECT 2 AS figure")
    both.put(both.second)
    assert both.query("SELECT figure FROM raw.mine ORDER BY ALL") == [("2",), ("of somebody",)]


def test_a_common_file_of_an_earlier_version_without_the_columns_of_each_workspace_goes_on(both: Both) -> None:
    both.put(both.first)
    both.put(both.second)
    with duckdb.connect(str(both.together)) as con:
        con.execute("ALTER TABLE raw._put_together DROP COLUMN columns")
    both.first.workspace.edit("clients", both.first.workspace.clients[0]["id"], rank=1)
    both.first.sync()
    assert "raw.clients" in both.put(both.first).replaced
    assert both.counts("raw.clients").keys() == {*both.ids}
    assert kinds_of(both, "raw.clients")["rank"] == "BIGINT"


def test_a_damaged_common_file_holds_up_no_workspace_that_has_a_warehouse(both: Both) -> None:
    both.together.write_bytes(b"no database")
    assert carry_over(both.together, both.warehouses) is None
    with pytest.raises(WarehouseError, match="is not a DuckDB file"):
        carry_over(both.together, {**both.warehouses, **both.of_others})


def test_of_a_damaged_common_file_it_is_said_how_a_new_one_is_had_and_an_empty_one_is_filled(both: Both) -> None:
    both.put(both.first)
    both.together.write_bytes(both.together.read_bytes()[:20_000])
    with pytest.raises(WarehouseError, match=r"is damaged: [^;]*\. If it was the file with the tables of all"):
        both.put(both.first)
    both.together.write_bytes(b"")
    both.put(both.first)
    both.put(both.second)
    assert both.counts("raw.users") == {both.first.workspace_id: 3, SECOND: 3}


def test_tables_of_the_owner_may_be_called_and_have_columns_called_anything(both: Both) -> None:
    names = ("dotted.name", 'with "quotes"', "two words", "order")
    with duckdb.connect(str(both.first.path)) as con:
        for name in names:
            con.execute(f"CREATE TABLE raw.{quoted(name)} AS SELECT 1 AS t, 'old' AS row, 'old' AS \"a.b\"")
    for _ in range(2):
        both.put(both.first)
        both.put(both.second)
        assert rows_not_together(both.first.path, both.together, both.first.workspace_id) == {}
    with duckdb.connect(str(both.first.path)) as con:
        con.execute('UPDATE raw."order" SET "a.b" = \'new\'')
        con.execute('DROP TABLE raw."dotted.name"')
    assert both.put(both.first).replaced == ["raw.order"]
    assert both.query('SELECT workspace_id, t, row, "a.b" FROM raw."order"') == [(both.first.workspace_id, 1, "old", "new")]
    assert both.query('FROM raw."dotted.name"') == []


def test_what_somebody_removed_or_changed_in_the_common_file_is_put_there_again(both: Both) -> None:
    both.put(both.first)
    both.put(both.second)
    with duckdb.connect(str(both.together)) as con:
        con.execute(f"DELETE FROM raw.users WHERE workspace_id = '{SECOND}'")
        con.execute("DROP TABLE raw.tags")
        con.execute("ALTER TABLE raw.tasks DROP COLUMN workspace_id")
    assert both.put(both.first).replaced == ["raw.tags", "raw.tasks"]
    assert both.put(both.second).replaced == ["raw.tags", "raw.tasks", "raw.users"]
    for rig in (both.first, both.second):
        assert rows_not_together(rig.path, both.together, rig.workspace_id) == {}
    with duckdb.connect(str(both.together)) as con:
        con.execute(f"UPDATE raw.tags SET name = 'theirs' WHERE workspace_id = '{SECOND}'")
        con.execute("ALTER TABLE raw.tasks ALTER COLUMN billable TYPE INTEGER")
    assert both.put(both.first).replaced == ["raw.tasks"]
    assert both.put(both.second).replaced == ["raw.tags"]
    assert tables_not_together(both.second.path, both.together, SECOND) == []
    with duckdb.connect(str(both.together)) as con:
        con.execute("DROP TABLE raw.tags")
    assert both.put(both.first, {both.first.workspace_id: both.first.path}).workspaces == [both.first.workspace_id]


def test_what_a_killed_program_left_beside_the_common_file_is_not_taken_for_a_log_of_the_new_one(both: Both) -> None:
    both.put(both.first)
    with duckdb.connect(str(both.together)) as con:
        con.execute("PRAGMA disable_checkpoint_on_shutdown")
        con.execute("CREATE TABLE mine AS SELECT 1 AS one")
        con.execute("DELETE FROM raw.users")
    both.put(both.second)
    assert not both.together.with_name("analytics.duckdb.wal").exists()
    assert both.query("FROM mine") == [(1,)]
    assert both.counts("raw.users") == {SECOND: 3}
