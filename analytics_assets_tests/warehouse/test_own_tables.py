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


def test_a_column_of_the_owner_is_not_taken_over_by_a_field_of_the_same_name_and_type(tiny: Rig) -> None:
    """The values of the owner were gone for all rows, and the sync was green; DuckDB takes both spellings for one name."""
    tiny.sync()
    with_sql(tiny, "ALTER TABLE raw.tags ADD COLUMN Mood_Now VARCHAR DEFAULT 'mine'")
    tiny.workspace.edit("tags", tiny.workspace.tags[0]["id"], moodNow="good")
    assert "raw.tags has a column Mood_Now of your own (VARCHAR)" in tiny.failing_sync(resources=["tags"])


def test_a_column_of_the_api_is_still_compared_when_somebody_has_written_another_comment(tiny: Rig) -> None:
    """Its comment was all that told it from the owner's own, so that sync and verify left it alone from then on."""
    tag = tiny.workspace.tags[0]["id"]
    tiny.workspace.edit("tags", tag, mood="old")
    tiny.sync()
    with_sql(tiny, "COMMENT ON COLUMN raw.tags.mood IS 'how it feels'")
    tiny.workspace.edit("tags", tag, mood="new")
    assert tiny.verify().unequal == ["tags"]
    tiny.sync()
    assert tiny.rows("tags")[tag]["mood"] == "new"
    tiny.workspace.edit("tags", tag, mood=None)
    tiny.sync()
    assert tiny.rows("tags")[tag]["mood"] is None


def test_a_column_that_was_given_a_type_which_holds_less_is_seen_by_verify_and_filled_by_reading_all(tiny: Rig) -> None:
    """What was read was cast to that type before it was compared, so that both lost the same."""
    tiny.sync()
    with_sql(tiny, "ALTER TABLE raw.time_entries ALTER time_interval__end TYPE DATE")
    assert tiny.verify().unequal == ["time_entries"]
    tiny.routine_sync(lookback_months=1)
    tiny.assert_equals_api()
    assert tiny.verify().unequal == []


def test_a_row_without_an_id_is_seen_by_verify_and_removed_by_the_next_sync(tiny: Rig) -> None:
    """From then on no new row arrived, edited ones vanished, and verify said that all was equal."""
    tiny.sync()
    with_sql(tiny, "ALTER TABLE raw.tags ALTER id DROP NOT NULL", "INSERT INTO raw.tags (name) VALUES ('a note')")
    assert tiny.verify().differences["tags"].examples == ("a row without an id",)
    tiny.workspace.new("tags", name="new")
    tiny.workspace.edit("tags", tiny.workspace.tags[0]["id"], name="edited")
    assert tiny.verify().differences["tags"].missing == 1
    tiny.sync()
    tiny.assert_equals_api()
    assert tiny.verify().unequal == []


def test_a_table_whose_ids_were_renamed_is_refused_and_left_alone(tiny: Rig) -> None:
    """Its rows were thrown away, all but one, and verify said that all was equal."""
    tiny.sync()
    with_sql(tiny, "ALTER TABLE raw.time_entries RENAME COLUMN id TO entry_id")
    before = tiny.query("FROM raw.time_entries ORDER BY entry_id")
    assert tiny.failing_sync().startswith("raw.time_entries has no column id any more: give the column that was renamed")
    assert tiny.query("FROM raw.time_entries ORDER BY entry_id") == before


def test_rows_that_stand_twice_are_removed_where_a_column_is_called_rowid(tiny: Rig) -> None:
    """By that name DuckDB numbers the rows of a table, unless the table has such a column."""
    for tag in list(tiny.workspace.tags):
        tiny.workspace.edit("tags", tag["id"], rowid="x")
    tiny.sync()
    with_sql(tiny, "INSERT INTO raw.tags FROM raw.tags")
    tiny.sync()
    tiny.assert_equals_api()


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


def test_a_file_of_another_program_with_tables_of_the_same_names_is_refused(tiny: Rig) -> None:
    """Its rows were not found in the API, and so they were deleted."""
    with_sql(tiny, "CREATE SCHEMA raw", "CREATE TABLE raw.users AS SELECT 'theirs' AS id")
    with pytest.raises(WarehouseError, match=r"has a table raw\.users that this project has not made, and it stays as it is"):
        tiny.sync()
    assert tiny.query("FROM raw.users") == [("theirs",)]
