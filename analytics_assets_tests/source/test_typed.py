"""The fast way and the careful way give the same table, and the fast one refuses whatever it could change or lose."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics_assets.demo.build import build_workspace
from analytics_assets.source.arrow import ColumnTree, RecordReader, UndeclaredColumns, column_tree
from analytics_assets.source.columns import TABLES, Column, ResourceName
from analytics_assets.source.errors import SourceError
from analytics_assets.source.typed import TypedReader
from analytics_assets.source.values import parsed_json
from analytics_assets_tests.texts import CHARACTERS

NUMBERS = (
    *("0", "-0", "7", "1.0", "1e3", "-9223372036854775808", "9223372036854775808"),
    *("123456789012345678901", "0.1234567890123456789"),
)
"""As a server writes them; what Python makes of them is not always the same number."""


class Written(str):
    """JSON as it is sent, of which Python's own writer knows nothing."""


def as_sent(value: Any, space: str) -> str:
    """The value as JSON, with numbers as they were written and spaces where a server may put them."""
    if isinstance(value, Written):
        return str(value)
    if isinstance(value, dict):
        inside = f",{space}".join(f"{json.dumps(key)}{space}:{space}{as_sent(each, space)}" for key, each in value.items())
        return f"{{{space}{inside}}}"
    if isinstance(value, list):
        return f"[{f',{space}'.join(as_sent(each, space) for each in value)}{space}]"
    return json.dumps(value, ensure_ascii=bool(space))


numbers = st.sampled_from(NUMBERS).map(Written)
texts = st.one_of(
    st.text(CHARACTERS, max_size=6),
    st.sampled_from(["2024-05-20T00:00:00Z", "2024-05-20T00:00:00+02:00", "soon", "12", "PT1H", ""]),
)
scalars = st.one_of(st.none(), st.booleans(), numbers, texts)
anything = st.recursive(
    scalars, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)), max_leaves=6
)
usual = {"text": texts, "bigint": numbers, "bool": st.booleans(), "timestamp": texts, "json": anything}


def objects(tree: ColumnTree) -> st.SearchStrategy[dict[str, Any]]:
    """Objects with some of the declared fields, mostly with values as declared, and now and then with another field."""
    fields = {
        key: st.one_of(usual[node.data_type], usual[node.data_type], st.none(), anything)
        if isinstance(node, Column)
        else st.one_of(objects(node), objects(node), st.none(), anything)
        for key, node in tree.items()
        if key != "id"
    }
    declared = st.fixed_dictionaries({}, optional=fields)
    more = st.builds(lambda known, other: {**other, **known}, declared, st.dictionaries(texts, anything, max_size=1))
    return st.one_of(declared, declared, declared, more)


@st.composite
def bodies(draw: st.DrawFn, resource: ResourceName) -> bytes:
    """A list of one resource as a server may send it."""
    records = draw(st.lists(objects(column_tree(TABLES[resource])), max_size=4))
    with_ids = [{"id": f"id{number}", **{k: v for k, v in record.items() if k != "id"}} for number, record in enumerate(records)]
    return as_sent(with_ids, draw(st.sampled_from(["", " ", "\n\t"]))).encode()


@pytest.mark.parametrize("resource", TABLES)
@given(data=st.data())
def test_what_the_fast_way_reads_is_what_the_careful_way_reads(resource: ResourceName, data: st.DataObject) -> None:
    body = data.draw(bodies(resource))
    fast = TypedReader(TABLES[resource]).read(body)
    if fast is not None:
        assert fast.equals(RecordReader(TABLES[resource], UndeclaredColumns()).read(parsed_json(body)), check_metadata=True)


@pytest.mark.parametrize("resource", TABLES)
def test_what_the_api_sends_every_day_goes_the_fast_way(resource: ResourceName) -> None:
    records = build_workspace(entries=300, users=4, months=6).records(resource)
    assert records
    reader, careful = TypedReader(TABLES[resource]), RecordReader(TABLES[resource], UndeclaredColumns())
    for sent in (records, {"data": records}):
        read = reader.read(json.dumps(sent).encode())
        assert read is not None
        assert read.equals(careful.read(parsed_json(json.dumps(records).encode())))


def test_an_empty_list_has_all_columns() -> None:
    for body in (b"[]", b' {"data": [ ]}\n'):
        read = TypedReader(TABLES["tags"]).read(body)
        assert read is not None
        assert (read.num_rows, read.column_names) == (0, ["id", "name", "workspace_id", "archived"])


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b'[{"id": "1", "color": "red"}]',
        b'[{"id": "1", "name": 7}]',
        b'[{"id": 1}]',
        b'[{"name": "no id"}]',
        b'[{"id": "1", "archived": "true"}]',
        b'[{"id": "1", "name": "cut o',
        b'[{"id": "1", "name": "\xff"}]',
        b'[{"id": "1"}] [{"id": "2"}]',
        b'{"data": [], "message": "down", "code": 500}',
        b'{"data": null}',
        b'{"id": "1"}',
        b"[null]",
    ],
)
def test_whatever_is_not_as_declared_is_left_to_the_careful_way(body: bytes) -> None:
    assert TypedReader(TABLES["tags"]).read(body) is None


@pytest.mark.parametrize(
    "fields",
    [
        '"hourlyRate": {"amount": 12.0}',
        '"hourlyRate": {"amount": 9223372036854775808}',
        '"hourlyRate": {"amount": 1, "since": "2024"}',
        '"hourlyRate": []',
        '"timeInterval": {"start": "yesterday"}',
        '"tagIds": ["\udcff"]',
    ],
)
def test_entries_that_need_a_closer_look_get_it(fields: str) -> None:
    body = f'[{{"id": "1", {fields}}}]'.encode(errors="surrogateescape")
    assert TypedReader(TABLES["time_entries"]).read(body) is None


def test_numbers_keep_their_digits_in_json_columns() -> None:
    body = b'[{"id": "1", "customFieldValues": [12345678901234567890123, 0.12345678901234567891, 1.50, -0]}]'
    read = TypedReader(TABLES["time_entries"]).read(body)
    assert read is not None
    assert read.column("custom_field_values").to_pylist() == ["[12345678901234567890123,0.12345678901234567891,1.5,0]"]


def test_a_value_that_fits_no_way_is_refused_by_both_with_its_record() -> None:
    body = b'[{"id": "e7", "billable": "perhaps"}]'
    assert TypedReader(TABLES["time_entries"]).read(body) is None
    with pytest.raises(SourceError, match=r"column billable, record e7"):
        RecordReader(TABLES["time_entries"], UndeclaredColumns()).read(parsed_json(body))
