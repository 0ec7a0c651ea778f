"""The fast way from a body to an Arrow table, for bodies in which everything is as declared.

A body is decoded straight into typed records. The decoder refuses a field that is not declared, a value that is not
exactly of its declared type, and whatever is not JSON, so what it accepts has lost nothing. What it refuses takes the
careful way, `arrow.py`, which converts, adds columns or says what is wrong. Both give the same table.
"""

import operator
import threading
from collections.abc import Sequence
from functools import cache
from typing import Any, Final, Self

import msgspec
import pyarrow as pa
from msgspec import Raw

from analytics_assets.source.arrow import ColumnTree, column_tree, declared_schema, plain_array
from analytics_assets.source.columns import TABLES, Column, DataType, ResourceName, Table
from analytics_assets.source.values import parsed_json, to_json

_TYPES: Final[dict[DataType, Any]] = {
    "text": str | None,
    "bigint": int | None,
    "double": float | None,
    "bool": bool | None,
    "timestamp": str | None,
    "json": Raw,
}
_one_at_a_time = threading.Lock()
"""Two threads that make Python objects wait for each other at every turn, and take longer than one after the other."""


@cache
def typed_reader(name: ResourceName) -> "TypedReader":
    """The one of a resource; it never changes, and its types take a while to make."""
    return TypedReader(TABLES[name])


class TypedReader:
    """Turns the bodies of one resource into Arrow tables, where they are exactly as declared."""

    def __init__(self, table: Table) -> None:
        self._schema = declared_schema(table)
        self._records = _TypedObjects("Record", column_tree(table))
        many: Any = list[self._records.type]  # type: ignore[name-defined]
        self._bare = msgspec.json.Decoder(many)
        self._wrapped = msgspec.json.Decoder(msgspec.defstruct("Envelope", [("data", many)], forbid_unknown_fields=True))

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """dlt copies a REST configuration to validate it; all copies share this one object, which never changes."""
        return self

    def read(self, body: bytes) -> pa.Table | None:
        """The records of a list, bare or under `data`, in their order; None where anything is not as declared."""
        is_wrapped = body.lstrip()[:1] == b"{"
        with _one_at_a_time:
            try:
                records = self._wrapped.decode(body).data if is_wrapped else self._bare.decode(body)  # type: ignore[attr-defined]
                arrays = self._records.columns(records)
            # refused by the decoder, by Arrow or in a JSON column; orjson raises TypeError where one is nested too deep
            except (ValueError, OverflowError, RecursionError, TypeError):
                return None
        return pa.Table.from_arrays([arrays[name] for name in self._schema.names], schema=self._schema)


class _TypedObjects:
    """Objects of JSON with declared fields: the type that they are decoded to, and the columns that come of them."""

    def __init__(self, name: str, tree: ColumnTree) -> None:
        self._nodes = [node if isinstance(node, Column) else _TypedObjects(key, node) for key, node in tree.items()]
        attributes = [f"value_{number}" for number in range(len(tree))]  # a field of the API may have any name
        self.type = msgspec.defstruct(
            name,
            [(attribute, *_type_and_default(node)) for attribute, node in zip(attributes, self._nodes, strict=True)],
            rename=dict(zip(attributes, tree, strict=True)),
            forbid_unknown_fields=True,
            kw_only=True,
            gc=False,
        )
        self._getters = [operator.attrgetter(attribute) for attribute in attributes]

    def columns(self, objects: Sequence[Any]) -> dict[str, pa.Array]:
        """A column of each declared field.

        Raises:
            ValueError: a value needs a closer look.
        """
        arrays: dict[str, pa.Array] = {}
        for node, value_of in zip(self._nodes, self._getters, strict=True):
            values = list(map(value_of, objects))  # a tuple for each object would be work for the garbage collector
            if isinstance(node, _TypedObjects):
                arrays |= node.columns_of_optional(values)
            elif node.data_type == "json":
                arrays[node.name] = _json_texts(values)
            elif (array := plain_array(node.data_type, values)) is not None:
                arrays[node.name] = array
            else:
                raise ValueError(f"{node.name} does not fit {node.data_type}")
        return arrays

    def columns_of_optional(self, objects: Sequence[Any]) -> dict[str, pa.Array]:
        """The same of objects that may be null, whose fields are null then."""
        nothing = self.type()
        return self.columns([nothing if each is None else each for each in objects])


def _type_and_default(node: Column | _TypedObjects) -> tuple[Any, Any]:
    if isinstance(node, _TypedObjects):
        return node.type | None, None
    if not node.nullable:
        return str, msgspec.NODEFAULT
    return _TYPES[node.data_type], Raw() if node.data_type == "json" else None


def _json_texts(values: Sequence[Raw]) -> pa.Array:
    """Compact JSON texts; most values of a page occur many times, and each is rewritten once."""
    as_sent = [bytes(value) for value in values]
    different = [*{*as_sent} - {b""}]
    compact = [None if each is None else to_json(each) for each in parsed_json(b"[" + b",".join(different) + b"]")]
    texts = dict(zip(different, compact, strict=True))
    return pa.array([texts.get(each) for each in as_sent], pa.string())
