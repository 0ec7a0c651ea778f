"""Every declared column is there, fields that nobody declared get columns of their own, and values stay what they are."""

import json
from typing import Any

import pytest

from analytics_assets.demo.build import empty_workspace
from analytics_assets.demo.faults import Fault
from analytics_assets.demo.serving import DemoServer
from analytics_assets.pipeline.months import AskedMonths
from analytics_assets.pipeline.progress import ReadingProgress
from analytics_assets.pipeline.sync import open_sync, publish_reading
from analytics_assets.source.columns import RESOURCE_NAMES, TABLES, DataType, ResourceName
from analytics_assets.source.errors import SourceError
from analytics_assets.warehouse.tables import DUCKDB_TYPES
from analytics_assets_tests.rig import Rig
from analytics_assets_tests.tiny import entry_of, moment, month, only_entries

TAGS: list[ResourceName] = ["tags"]


@pytest.fixture(autouse=True)
def _values_go_all_the_way(tiny: Rig) -> None:
    tiny.through_dlt = True  # what a value becomes is decided by dlt's files too


def types_of(rig: Rig, resource: ResourceName, schema: str = "raw") -> dict[str, str]:
    return {column: kind for column, kind, *_ in rig.query(f"DESCRIBE {schema}.{resource}")}


def declared(resource: ResourceName) -> dict[str, str]:
    return {column.name: DUCKDB_TYPES[column.data_type] for column in TABLES[resource].columns}


def test_an_empty_workspace_has_every_table_with_every_column_and_no_row(tiny: Rig) -> None:
    with DemoServer(empty_workspace()) as server:
        rig = Rig(server, tiny.path.parent, through_dlt=True)
        rig.sync()
        for resource in RESOURCE_NAMES:
            assert rig.rows(resource) == {}
            assert declared(resource).items() <= types_of(rig, resource).items()
            assert {**declared(resource), "_valid_to": "TIMESTAMP WITH TIME ZONE"}.items() <= types_of(
                rig, resource, "raw_history"
            ).items()
        described = dict(rig.query("SELECT table_name, comment FROM duckdb_tables() WHERE schema_name = 'raw'"))
        assert all(described[resource] == TABLES[resource].description for resource in RESOURCE_NAMES)
        assert not any(rig.recorder.resources[resource].new_columns for resource in RESOURCE_NAMES)


def test_values_of_every_odd_kind_reach_the_warehouse_as_they_are(tiny: Rig) -> None:
    """Loaders cut NUL, take texts for times, round large numbers and normalise line ends."""
    workspace = tiny.workspace
    user = workspace.users[0]["id"]
    texts = [
        "\x00",
        "a\x00b",
        "👩‍💻 ÄÖ\u0301",
        "'; DROP TABLE raw.tags; --",
        'q"uo\\te',
        "a\r\nb\tc",
        "2024-01-01T00:00:00Z",
        "2024-01-01",
        "NaN",
    ]
    texts += ["NULL", "", " ", "\ufeffx", "\u2028", "١٢", "1e5", "x" * 100_000]
    for number, text in enumerate(texts):
        fields = [{"customFieldId": "c", "value": text, "name": text}, {"value": 2**70}, {"value": 0.1}, {"value": [None, True]}]
        workspace.new_time_entry(user, moment(1, 3, 8, number), None, description=text, customFieldValues=fields)
    tiny.sync(resources=only_entries())
    tiny.assert_equals_api(resources=only_entries())
    assert {row["description"] for row in tiny.rows("time_entries").values()} >= set(texts)


def test_conversions_without_loss_are_made_on_the_way_to_the_warehouse(tiny: Rig) -> None:
    workspace = tiny.workspace
    entry = entry_of(workspace, "Ada", 1)["id"]
    workspace.edit(
        "time_entries",
        entry,
        timeInterval={"start": f"{month(1)}-02T01:30:00.25+02:00", "end": f"{month(1)}-02", "duration": 5400},
        hourlyRate={"amount": 4321.0, "currency": "EUR"},
        costRate={"amount": "4321", "currency": None},
        taskId=77,
    )
    tiny.sync(str(month(2)), None, only_entries())
    row = tiny.rows("time_entries")[entry]
    assert row["time_interval__start"] == moment(1, 1, 23, 30).replace(microsecond=250_000)
    assert row["time_interval__end"] == moment(1, 2, 0)
    assert (row["time_interval__duration"], row["task_id"]) == ("5400", "77")
    assert (row["hourly_rate__amount"], row["cost_rate__amount"], row["cost_rate__currency"]) == (4321, 4321, None)


@pytest.mark.parametrize("number", [7, 0, 2**63, 2**70])
def test_ids_that_are_numbers_are_ids(tiny: Rig, number: int) -> None:
    tiny.server.faults.add(Fault("wrong_type", "clients", field="id", value=number))
    assert str(number) in tiny.read("clients")


@pytest.mark.parametrize(
    ("resource", "field", "value", "column", "data_type"),
    [
        ("clients", "name", {"un": "expected"}, "name", "text"),
        ("projects", "hourlyRate.amount", 12.5, "hourly_rate__amount", "bigint"),
        ("tags", "archived", "no", "archived", "bool"),
        ("time_entries", "timeInterval.start", "the other day", "time_interval__start", "timestamp"),
        ("tasks", "hourlyRate", "12 EUR", "hourly_rate", "an object"),
    ],
)
def test_a_misfit_ends_the_sync_and_names_table_column_record_and_value(
    tiny: Rig, resource: ResourceName, field: str, value: object, column: str, data_type: str
) -> None:
    culprit = tiny.workspace.records(resource)[1]["id"]
    tiny.server.faults.add(Fault("wrong_type", resource, field=field, value=value, record_id=culprit, times=None))
    sentence = tiny.failing_read(resource)
    shown = json.dumps(value, separators=(",", ":"))
    assert (
        f"raw.{resource}, column {column}, record {culprit}: the value {shown} does not fit the declared type {data_type}"
        in sentence
    )


def test_a_sync_that_meets_a_misfit_on_a_later_page_leaves_the_warehouse_as_it_was(tiny: Rig) -> None:
    tiny.sync(resources=TAGS)
    tiny.page_size = 1
    tiny.workspace.edit("tags", tiny.workspace.tags[0]["id"], name="unseen")
    tiny.workspace.edit("tags", tiny.workspace.tags[2]["id"], archived=[1])
    assert "raw.tags, column archived" in tiny.failing_sync(resources=TAGS)


def test_unknown_fields_become_columns_that_are_named_in_the_log_and_stay(tiny: Rig, caplog: pytest.LogCaptureFixture) -> None:
    """They come on one page and not on the next, change their type over pages and syncs, and one day they are gone."""
    workspace = tiny.workspace
    tiny.page_size = 1
    first, second, third = (tag["id"] for tag in workspace.tags)
    links: dict[str, Any] = {"self": "/x", "depth": {"a": 1}}
    workspace.edit("tags", second, costCenter=12, _links=links, share=0.5, flag=True, list=[1, {"a": None}], nothing=None)
    workspace.edit("tags", third, costCenter="0012", share="half", workspaceId=None)
    tiny.sync(resources=TAGS)
    new: dict[str, DataType] = {
        "cost_center": "bigint",
        "cost_center__v_text": "text",
        "x_links__self": "text",
        "x_links__depth__a": "bigint",
        "share": "double",
        "share__v_text": "text",
        "flag": "bool",
        "list": "json",
    }
    assert tiny.recorder.resources["tags"].new_columns == new
    for column, data_type in new.items():
        assert f"tags: the API sends a field that is not declared; new column {column} ({data_type})" in caplog.text
    for schema in ("raw", "raw_history"):
        types = types_of(tiny, "tags", schema)
        assert {column: DUCKDB_TYPES[data_type] for column, data_type in new.items()}.items() <= types.items()
    rows = tiny.rows("tags")
    values = [{column: rows[tag][column] for column in new if rows[tag][column] is not None} for tag in (first, second, third)]
    assert values == [
        {},
        {"cost_center": 12, "x_links__self": "/x", "x_links__depth__a": 1, "share": 0.5, "flag": True, "list": '[1,{"a":null}]'},
        {"cost_center__v_text": "0012", "share__v_text": "half"},
    ]
    before = tiny.contents()
    tiny.sync(resources=TAGS)
    assert tiny.contents() == before and tiny.recorder.resources["tags"].new_columns == {}

    workspace.edit("tags", first, costCenter=2**70, flag="yes")
    gone = {"id": second, "name": "plain", "workspaceId": workspace.id, "archived": False}
    workspace.delete("tags", second)
    workspace.add("tags", gone)
    tiny.sync(resources=TAGS)
    assert tiny.recorder.resources["tags"].new_columns == {"flag__v_text": "text"}
    rows = tiny.rows("tags")
    assert (rows[first]["cost_center__v_text"], rows[first]["flag__v_text"]) == (str(2**70), "yes")
    assert all(rows[second][column] is None for column in new), "a field that is gone kept its last value"
    (was,) = (row for row in tiny.history("tags") if row["id"] == second)
    assert (was["cost_center"], was["_change"]) == (12, "edited")
    assert "flag__v_text" in types_of(tiny, "tags", "raw_history")


def test_unknown_fields_of_lists_that_are_read_side_by_side_share_their_columns(tiny: Rig) -> None:
    workspace = tiny.workspace
    for number, entry in enumerate(list(workspace.records("time_entries"))):
        odd = (number, f"text {number}", number + 0.5, {"inner": number})[number % 4]
        workspace.edit("time_entries", entry["id"], odd=odd)
    tiny.page_size = 3
    tiny.sync(resources=only_entries())
    tiny.assert_equals_api(resources=only_entries())
    found = tiny.recorder.resources["time_entries"].new_columns
    for entry in workspace.records("time_entries"):
        row = tiny.rows("time_entries")[entry["id"]]
        held = [str(row[column]) for column in found if row[column] is not None]
        expected = entry["odd"]["inner"] if isinstance(entry["odd"], dict) else entry["odd"]
        assert held == [str(expected)] or held == [str(float(expected))]


def test_fields_that_are_null_in_every_record_make_no_column(tiny: Rig) -> None:
    for tag in list(tiny.workspace.tags):
        tiny.workspace.edit("tags", tag["id"], future=None, nested={"also": None}, blank={})
    tiny.read("tags")
    assert tiny.recorder.resources["tags"].new_columns == {}


def test_rows_are_deleted_only_on_the_word_of_a_list_that_was_read_to_its_end(tiny: Rig) -> None:
    """A loader that says it loaded what it never read would empty the tables, were its word enough."""
    tiny.sync()
    before = tiny.contents()
    months = AskedMonths(tiny.start, span=tiny.span())
    with (
        pytest.raises(SourceError, match="not read to their end"),
        open_sync(api=tiny.api, warehouse=tiny.path, months=months, progress=ReadingProgress(), holder="test") as opened,
    ):
        publish_reading(opened, RESOURCE_NAMES)
    assert tiny.contents() == before


def test_numbers_with_more_digits_than_64_bits_or_a_float_hold_keep_each_of_them(tiny: Rig) -> None:
    """Integers below -2^63 and fractions of more than 17 digits became the nearest float, without a word."""
    below, fraction = "-9223372036854775809", "0.12345678901234567890123"
    between, tiny_one = "9.000000000000001", "1e-400"
    body = (
        f'{{"data": [{{"id": "aaaaaaaaaaaaaaaaaaaaaaaa", "name": "long", "below": {below}, "fraction": {fraction}, '
        f'"within": -9223372036854775808, "short": 0.30000000000000004, "list": [{below}, {fraction}, 1.5], '
        f'"between": {between}, "tiny": {tiny_one}}}]}}'
    )
    tiny.server.faults.add(Fault("status", "tags", page=1, status=200, body=body.encode(), times=None))
    tiny.sync(resources=TAGS)
    row = tiny.rows("tags")["a" * 24]
    assert (row["below"], row["fraction"], row["within"], row["short"]) == (below, fraction, -(2**63), 0.30000000000000004)
    assert row["list"] == f"[{below},{fraction},1.5]"
    assert (row["between"], row["tiny"]) == (between, tiny_one), "few digits, but no float holds them"


def test_a_field_with_a_name_longer_than_anybody_writes_keeps_its_values(tiny: Rig) -> None:
    """dlt shortened the name for its landing, and the column of the warehouse stayed empty."""
    one, other = "a" * 70_000, "a" * 69_999 + "b"
    tiny.workspace.edit("tags", tiny.workspace.tags[0]["id"], **{one: "first", other: "second"})
    tiny.sync(resources=TAGS)
    (row,) = [row for row in tiny.rows("tags").values() if row["id"] == tiny.workspace.tags[0]["id"]]
    long_names = {column: value for column, value in row.items() if column.startswith("aaa")}
    assert sorted(long_names.values()) == ["first", "second"]
    assert max(map(len, long_names)) <= 121


def test_a_thousand_unknown_fields_get_columns_up_to_a_bound_and_json_beyond_it(
    tiny: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    """Five hundred columns passed, a thousand ended in DuckDB's out-of-memory error."""
    fields = {f"field{number:04}": number for number in range(1000)}
    first, second = (tag["id"] for tag in tiny.workspace.tags[:2])
    tiny.workspace.edit("tags", first, **fields)
    tiny.sync(resources=TAGS)
    tiny.workspace.edit("tags", second, **fields)
    tiny.sync(resources=TAGS)
    for record_id in (first, second):
        row = tiny.rows("tags")[record_id]
        own = {name: row[name] for name in fields if name in row}
        assert 150 < len(own) <= 200
        assert {**own, **json.loads(row["x_more_fields"])} == fields
    assert "tags: the API sends more than 200 fields that are not declared" in caplog.text


def test_two_fields_that_would_share_a_place_beyond_the_bound_are_refused(tiny: Rig) -> None:
    """The value of one was lost, and no later edit of it was seen."""
    fields: dict[str, Any] = {f"field{number:04}": number for number in range(250)}
    tiny.workspace.edit("tags", tiny.workspace.tags[0]["id"], **fields, **{"zz.b": 1, "zz": {"b": 2}})
    assert "would share the column x_more_fields (as zz.b) with another field" in tiny.failing_sync(resources=TAGS)


def test_two_fields_that_would_share_a_column_are_refused_also_on_different_pages(tiny: Rig) -> None:
    """On one page they were refused; on two, the values of both went to one column."""
    tiny.page_size = 1
    for tag, field in zip(tiny.workspace.tags, ("fooBar", "foo_bar", "other"), strict=True):
        tiny.workspace.edit("tags", tag["id"], **{field: "x"})
    assert "would share the column foo_bar with another field" in tiny.failing_sync(resources=TAGS)


def test_a_text_with_half_a_sign_names_the_record(tiny: Rig) -> None:
    """Four attempts were made, and the sentence advised to check the address of the API."""
    tag = tiny.workspace.tags[1]["id"]
    tiny.workspace.edit("tags", tag, name="cut \ud83d")
    sentence = tiny.failing_sync(resources=TAGS)
    assert f'a text of the record "{tag}" of tags holds half a sign' in sentence
    assert "after 4 attempts" not in sentence


def test_json_that_is_nested_too_deep_to_be_written_names_the_record(tiny: Rig) -> None:
    """It ended in a TypeError that named nothing."""
    deep: list[Any] = []
    for _ in range(300):
        deep = [deep]
    tag = tiny.workspace.tags[1]["id"]
    tiny.workspace.edit("tags", tag, moods=deep)
    sentence = tiny.failing_sync(resources=TAGS)
    assert f"the record {tag} of tags holds lists or objects that are nested some hundred deep" in sentence
