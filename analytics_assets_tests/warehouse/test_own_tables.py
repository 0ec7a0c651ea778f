"""What an owner does to the raw tables with SQL: own columns, renamed columns, repeated rows; syncs live with it."""

import duckdb
import pytest

from analytics_assets.source.columns import RESOURCE_NAMES, ResourceName
from analytics_assets.warehouse.errors import WarehouseError
from analytics_assets_tests.rig import Rig
from analytics_assets_tests.tiny import entry_of


def with_sql(rig: Rig, *statements: str) -> None:
    """Run statements on the warehouse, as a person with a DuckDB client does."""
    with duckdb.connect(str(rig.path)) as con:
        for statement in statements:
            con.execute(statement)


def test_a_column_that_the_owner_has_added_keeps_its_values(tiny: Rig) -> None:
    """Sync and verify ended with a KeyError, and an edit would have emptied it."""
    tiny.sync()
    with_sql(
        tiny,
        "ALTER TABLE raw.time_entries ADD COLUMN invoice INTEGER",
        "ALTER TABLE raw.clients ADD COLUMN manager VARCHAR DEFAULT 'Eve'",
        "UPDATE raw.time_entries SET invoice = 7",
    )
    edited = entry_of(tiny.workspace, "Ada", 1)["id"]
    tiny.workspace.edit("time_entries", edited, description="edited")
    tiny.sync()
    tiny.assert_equals_api()
    assert tiny.verify().unequal == []
    assert {row["invoice"] for row in tiny.rows("time_entries").values()} == {7}
    assert tiny.changes("time_entries") == {edited: ["edited"]}


def test_a_field_of_the_api_is_not_written_into_a_column_of_the_owner(tiny: Rig) -> None:
    tiny.sync()
    with_sql(tiny, "ALTER TABLE raw.tags ADD COLUMN mood INTEGER")
    tiny.workspace.edit("tags", tiny.workspace.tags[0]["id"], mood="good")
    sentence = tiny.failing_sync(resources=["tags"])
    assert "raw.tags has a column mood of your own (INTEGER)" in sentence
    assert "rename yours" in sentence


def test_a_declared_column_that_was_renamed_is_made_again_and_filled_by_reading_all(tiny: Rig) -> None:
    tiny.sync()
    with_sql(tiny, "ALTER TABLE raw.time_entries RENAME COLUMN description TO what")
    tiny.routine_sync(lookback_months=1)
    tiny.assert_equals_api()
    assert tiny.verify().unequal == []
    assert "what" in next(iter(tiny.rows("time_entries").values()))


@pytest.mark.parametrize("resource", RESOURCE_NAMES)
def test_a_row_that_stands_twice_is_seen_by_verify_and_repaired_by_the_next_sync(tiny: Rig, resource: ResourceName) -> None:
    tiny.sync()
    with_sql(tiny, f"INSERT INTO raw.{resource} FROM raw.{resource} ORDER BY id LIMIT 1")
    found = tiny.verify()
    assert found.unequal == [resource]
    assert found.differences[resource].repeated == 1
    tiny.sync()
    tiny.assert_equals_api()
    assert tiny.verify().unequal == []
    assert tiny.history(resource) == []


def test_verify_names_what_it_could_not_compare(tiny: Rig) -> None:
    tiny.sync()
    left, refused = (user["id"] for user in tiny.workspace.users[:2])
    tiny.workspace.delete("users", left)
    tiny.server.behaviour.refused_parents[refused] = (403, 403)
    tiny.sync()
    found = tiny.verify().differences["time_entries"]
    assert found.not_compared == {"in lists that the API refuses": 8, "of users that are not listed any more": 8}


def test_verify_refuses_to_compare_a_warehouse_with_another_workspace(tiny: Rig) -> None:
    """It reported every row as missing and every other one as extra."""
    tiny.sync()
    tiny.workspace_id = "0" * 24
    with pytest.raises(WarehouseError, match=r"holds workspace .*, not workspace 0{24}"):
        tiny.verify()
