"""The warehouse of a workspace that was loaded alone goes on as one of several."""

import shutil

import duckdb
import pytest

from analytics_assets.warehouse.connection import connection
from analytics_assets.warehouse.errors import WarehouseError
from analytics_assets.warehouse.identity import refuse_another_workspace
from analytics_assets.warehouse.loaded_alone import carry_over
from analytics_assets.warehouse.tables import ensure_tables
from analytics_assets.warehouse.together import examine_common_file
from analytics_assets_tests.warehouse.two_workspaces import SECOND, Both


def test_a_workspace_that_was_loaded_alone_is_carried_over_with_its_history(both: Both) -> None:
    alone, its_place = both.together, both.first.path
    its_place.rename(alone)
    assert carry_over(alone, {SECOND: both.second.path.with_name("new.duckdb")}) is None
    assert alone.exists()
    assert carry_over(alone, both.warehouses) == both.first.workspace_id
    assert not alone.exists()
    both.first.routine_sync()
    assert not both.first.verify().unequal
    both.put(both.first)
    assert carry_over(alone, both.warehouses) is None


def test_a_file_without_rows_that_a_failed_sync_has_left_does_not_keep_the_one_with_rows_away(both: Both) -> None:
    both.first.path.rename(both.together)
    with duckdb.connect(str(both.first.path)) as con:
        con.execute("PRAGMA disable_checkpoint_on_shutdown")
        ensure_tables(con)
    assert both.first.path.with_name("analytics.duckdb.wal").exists()
    assert examine_common_file(both.together, both.warehouses) == []
    assert carry_over(both.together, both.warehouses) == both.first.workspace_id
    assert not both.first.path.with_name("analytics.duckdb.wal").exists()
    assert not both.first.verify().unequal
    assert both.put(both.first).workspaces == [both.first.workspace_id]


def test_what_a_killed_program_left_beside_the_file_is_carried_over_too(both: Both) -> None:
    both.first.path.rename(both.together)
    with duckdb.connect(str(both.together)) as con:
        con.execute("PRAGMA disable_checkpoint_on_shutdown")
        con.execute("CREATE TABLE raw.mine AS SELECT 1 AS one")
    assert both.together.with_name("analytics.duckdb.wal").exists()
    assert carry_over(both.together, both.warehouses) == both.first.workspace_id
    assert both.first.query("FROM raw.mine") == [(1,)]


def test_another_file_in_the_place_of_the_common_one_stays_as_it_is(both: Both) -> None:
    both.first.path.rename(both.together)
    with pytest.raises(WarehouseError, match="holds workspace 5f5f5f5f5f5f5f5f5f5f5f5f, which ANALYTICS_WORKSPACE_ID does not"):
        both.put(both.second, {SECOND: both.second.path, **both.of_others})
    shutil.copyfile(both.together, both.first.path)
    with pytest.raises(WarehouseError, match=r"which has another warehouse in .*, and it stays as it is"):
        both.put(both.second)
    both.together.unlink()
    with duckdb.connect(str(both.together)) as con:
        con.execute("CREATE TABLE of_somebody AS SELECT 1 AS one")
    with pytest.raises(WarehouseError, match="holds tables that this project has not made, and it stays as it is"):
        both.put(both.second)
    assert both.query("FROM of_somebody") == [(1,)]


def test_the_common_file_is_not_taken_for_the_warehouse_of_one_workspace(both: Both) -> None:
    both.put(both.first)
    with connection(both.together, read_only=True) as con, pytest.raises(WarehouseError) as refused:
        refuse_another_workspace(con, both.together, both.first.workspace_id)
    assert "holds the tables of several workspaces (5f5f5f5f5f5f5f5f5f5f5f5f), not the warehouse of one" in str(refused.value)
    assert f"The warehouse of each lies in {both.together.parent / 'workspaces'}" in str(refused.value)
