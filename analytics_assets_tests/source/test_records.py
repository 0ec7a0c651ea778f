"""Records become Arrow tables: declared columns with their types, fields that nobody declared as columns of their own."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from analytics_assets.source.arrow import ARROW_TYPES, RecordReader, UndeclaredColumns
from analytics_assets.source.columns import TABLES, DataType, ResourceName
from analytics_assets.source.errors import SourceError

Row = dict[str, Any]


class Reading:
    """A reader of one resource, with the new columns that it told of."""

    def __init__(self, resource: ResourceName, known: dict[str, DataType] | None = None) -> None:
        self.found: dict[str, DataType] = {}
        undeclared = UndeclaredColumns({resource: known or {}}, on_new=lambda _, name, kind: self.found.update({name: kind}))
        self.reader = RecordReader(TABLES[resource], undeclared)

    def rows(self, *records: Row) -> list[Row]:
        """The records' rows, without the columns that are null in all of them."""
        table = self.reader.read([{"id": str(number), **record} for number, record in enumerate(records)])
        rows: list[Row] = table.to_pylist()
        filled = {name for row in rows for name, value in row.items() if value is not None} - {"id"}
        return [{name: row[name] for name in sorted(filled)} for row in rows]


@pytest.mark.parametrize("resource", TABLES)
def test_every_declared_column_is_there_with_its_type_even_when_no_record_has_a_value(resource: ResourceName) -> None:
    for records in ([], [{"id": "1"}], [{"id": "1", **{c.path[0]: None for c in TABLES[resource].columns if c.name != "id"}}]):
        schema = RecordReader(TABLES[resource], UndeclaredColumns()).read(records).schema
        assert {field.name: field.type for field in schema} == {
            column.name: ARROW_TYPES[column.data_type] for column in TABLES[resource].columns
        }


def test_one_unusual_value_changes_nothing_about_the_others_of_its_column() -> None:
    start = "2024-05-20T00:00:00Z"
    rows = Reading("time_entries").rows(
        {"timeInterval": {"start": start, "duration": "PT1H"}, "hourlyRate": {"amount": 4321, "currency": "EUR"}},
        {"timeInterval": {"start": "2024-05-20T05:30:00+05:30", "duration": 3600}, "hourlyRate": {"amount": 4321.0}},
        {"timeInterval": {"start": "2024-05-20T00:00:00.123456Z"}, "hourlyRate": {"amount": "4321"}},
        {"timeInterval": None, "hourlyRate": None},
    )
    moment = datetime(2024, 5, 20, tzinfo=UTC)
    assert [row["time_interval__start"] for row in rows] == [moment, moment, moment.replace(microsecond=123456), None]
    assert [row["time_interval__duration"] for row in rows] == ["PT1H", "3600", None, None]
    assert [row["hourly_rate__amount"] for row in rows] == [4321, 4321, 4321, None]


@pytest.mark.parametrize(
    ("resource", "record", "column", "shown", "data_type"),
    [
        ("users", {"name": ["x"]}, "name", '["x"]', "text"),
        ("users", {"name": True}, "name", "true", "text"),
        ("projects", {"hourlyRate": {"amount": 1.5}}, "hourly_rate__amount", "1.5", "bigint"),
        ("projects", {"hourlyRate": {"amount": 2**63}}, "hourly_rate__amount", "9223372036854775808", "bigint"),
        ("projects", {"hourlyRate": 4321}, "hourly_rate", "4321", "an object"),
        ("projects", {"archived": "yes"}, "archived", '"yes"', "bool"),
        ("time_entries", {"timeInterval": {"start": "soon"}}, "time_interval__start", '"soon"', "timestamp"),
        ("time_entries", {"timeInterval": {"start": 12}}, "time_interval__start", "12", "timestamp"),
        (
            "time_entries",
            {"timeInterval": {"end": "9999-12-31T23:59:59.1234567-05:00"}},
            "time_interval__end",
            '"9999',
            "timestamp",
        ),
        ("time_entries", {"timeInterval": []}, "time_interval", "[]", "an object"),
        ("tasks", {"name": {"un": "expected"}}, "name", '{"un":"expected"}', "text"),
    ],
)
def test_a_misfit_is_named_with_table_column_record_and_value(
    resource: ResourceName, record: Row, column: str, shown: str, data_type: str
) -> None:
    with pytest.raises(SourceError) as raised:
        Reading(resource).rows({}, {}, {**record, "id": "the-culprit"})
    sentence = str(raised.value)
    assert f"raw.{resource}, column {column}, record the-culprit: the value {shown}" in sentence
    assert f"does not fit the declared type {data_type};" in sentence


def test_a_misfit_of_a_megabyte_is_shown_in_part() -> None:
    with pytest.raises(SourceError) as raised:
        Reading("users").rows({"name": ["x" * 2**20]})
    assert len(str(raised.value)) < 500


def test_fields_that_nobody_declared_get_columns_of_their_values_types() -> None:
    reading = Reading("tags")
    rows = reading.rows(
        {
            "aText": "x",
            "aNumber": 7,
            "aShare": 0.5,
            "aFlag": True,
            "aList": [1, "b"],
            "aTime": "2024-01-01T00:00:00Z",
            "nothing": None,
        }
    )
    assert reading.found == {
        "a_text": "text",
        "a_number": "bigint",
        "a_share": "double",
        "a_flag": "bool",
        "a_list": "json",
        "a_time": "text",
    }
    assert rows[0]["a_list"] == '[1,"b"]' and rows[0]["a_time"] == "2024-01-01T00:00:00Z"


def test_objects_that_nobody_declared_are_flattened_wherever_they_stand() -> None:
    reading = Reading("time_entries")
    rows = reading.rows(
        {"audit": {"by": {"name": "Ada"}, "times": 2}, "timeInterval": {"offset": 3600}},
        {"audit": None},
        {"audit": {}},
        {"audit": "by hand"},
    )
    assert reading.found == {
        "audit__by__name": "text",
        "audit__times": "bigint",
        "time_interval__offset": "bigint",
        "audit": "text",
    }
    assert [row["audit__by__name"] for row in rows] == ["Ada", None, None, None] and rows[3]["audit"] == "by hand"


@pytest.mark.parametrize(
    ("values", "columns"),
    [
        (
            [1, 1.5, "x", True, [1], {"a": 1}, "007", 2**70, 2.0],
            ["odd", "odd__v_double", "odd__v_text", "odd__v_bool", "odd__v_json", "odd__a", "odd__v_text", "odd__v_text", "odd"],
        ),
        (["x", 1, True, [1], {"a": 1}], ["odd", "odd", "odd__v_bool", "odd__v_json", "odd__a"]),
        ([0.5, 3, 2**60, "x", False], ["odd", "odd", "odd__v_bigint", "odd__v_text", "odd__v_bool"]),
        ([True, 0, "true", 1.0], ["odd", "odd__v_bigint", "odd__v_text", "odd__v_double"]),
        ([[1], "x", 5, True], ["odd", "odd", "odd", "odd"]),
    ],
)
def test_values_of_several_types_lose_nothing_and_each_stands_in_one_column(values: list[object], columns: list[str]) -> None:
    """The first value's type is the column's; what it can't hold as it is goes to a column beside it."""
    rows = Reading("tags").rows(*({"odd": value} for value in values))
    for value, column, row in zip(values, columns, rows, strict=True):
        (held,) = ((name, cell) for name, cell in row.items() if cell is not None)
        as_text = json.dumps(value) if column == "odd__v_json" or isinstance(values[0], list) else value
        expected = {"odd__a": 1, "odd__v_text": str(value)}.get(column, as_text)
        assert held == (column, str(expected) if isinstance(values[0], str) and column == "odd" else expected)


def test_an_integer_beyond_64_bits_keeps_its_digits_whether_it_comes_first_or_later() -> None:
    assert Reading("tags").rows({"big": 2**70}) == [{"big": str(2**70)}]
    assert Reading("tags", {"big": "bigint"}).rows({"big": 2**70}, {"big": 5}) == [
        {"big": None, "big__v_text": str(2**70)},
        {"big": 5, "big__v_text": None},
    ]


def test_a_text_of_digits_does_not_lose_its_zeros_to_a_column_of_numbers() -> None:
    rows = Reading("tags").rows({"costCenter": 12}, {"costCenter": "0012"}, {"costCenter": " 12"}, {"costCenter": "+12"})
    assert [row["cost_center__v_text"] for row in rows] == [None, "0012", " 12", "+12"]


def test_a_column_keeps_the_type_that_the_warehouse_has_for_it() -> None:
    reading = Reading("tags", {"odd": "text", "odd__v_bool": "bool"})
    assert reading.rows({"odd": 5}, {"odd": True}) == [{"odd": "5", "odd__v_bool": None}, {"odd": None, "odd__v_bool": True}]
    assert reading.found == {}


def test_types_settle_over_pages_and_are_told_once() -> None:
    reading = Reading("tags")
    assert reading.rows({"odd": None}) == [{}]
    assert reading.found == {}
    assert reading.rows({"odd": 1}) == [{"odd": 1}]
    assert reading.rows({"odd": "x"}) == [{"odd__v_text": "x"}]
    assert reading.rows({"odd": 2}) == [{"odd": 2}]
    assert reading.found == {"odd": "bigint", "odd__v_text": "text"}


@pytest.mark.parametrize(
    "field", ["_links", "__typename", "$ref", "", "🎉", "2fa", "größe", "a.b", "SELECT", 'quo"te', "x" * 300]
)
def test_a_field_of_any_name_arrives_in_a_column(field: str) -> None:
    """Names with a leading underscore are ours; a field that has one must neither collide with them nor end the sync for ever."""
    rows = Reading("tags").rows({field: "value"})
    assert list(rows[0].values()) == ["value"]
    assert not next(iter(rows[0])).startswith("_")


@pytest.mark.parametrize("field", ["_answer", "_read_at", "_loaded_at", "_users_id", "_id"])
def test_a_field_with_the_name_of_our_own_bookkeeping_does_not_touch_it(field: str) -> None:
    (row,) = Reading("tags").rows({field: 1})
    assert field not in row and list(row.values()) == [1]


def test_two_fields_that_would_share_a_column_are_refused() -> None:
    with pytest.raises(SourceError, match=r"raw\.tags: the API's field foo_bar would share the column foo_bar with another"):
        Reading("tags").rows({"fooBar": 1, "foo_bar": 2})
    with pytest.raises(SourceError, match=r"would share the column workspace_id"):
        Reading("tags").rows({"workspace_id": "x"})


@pytest.mark.parametrize(
    "text", ["\x00", "a\x00b", "👩‍💻", "\u2028", "'; DROP TABLE raw.users; --", '"', "a\r\nb", "\ufeff", "NaN", "\\"]
)
def test_texts_stay_as_they_are(text: str) -> None:
    assert Reading("tags").rows({"name": text, "own": text}) == [{"name": text, "own": text}]
