"""Records of one page → an Arrow table with the declared columns, and with new columns for fields nobody declared.

Whole columns are converted at once (a page of 5,000 entries costs about 10 µs a row on one core); only a column
that holds an unusual value is walked value by value. Nothing here knows of HTTP or of pages.
"""

import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Self

import pyarrow as pa
import pyarrow.compute as pc

from analytics_assets.source.columns import (
    MORE_FIELDS,
    Column,
    DataType,
    ResourceName,
    Table,
    column_name,
    undeclared_column_name,
)
from analytics_assets.source.errors import SourceError
from analytics_assets.source.values import CONVERTERS, MisfitError, to_json, type_of_value

Record = dict[str, Any]
Path = tuple[str, ...]
ColumnTree = Mapping[str, Column | Mapping[str, Column]]
"""Field of a record → its column, or the columns of the object that it is."""
ColumnFound = Callable[[ResourceName, str, DataType], None]

ARROW_TYPES: dict[DataType, pa.DataType] = {
    "text": pa.string(),
    "bigint": pa.int64(),
    "double": pa.float64(),
    "bool": pa.bool_(),
    "timestamp": pa.timestamp("us", "UTC"),
    "json": pa.string(),
}
_PLAIN_TYPES: dict[DataType, frozenset[type]] = {
    "text": frozenset({str, type(None)}),
    "bigint": frozenset({int, type(None)}),
    "double": frozenset({float, type(None)}),
    "bool": frozenset({bool, type(None)}),
    "timestamp": frozenset({str, type(None)}),
    "json": frozenset(),
}
VALUE_SHOWN_CHARACTERS = 120
MOST_UNDECLARED_COLUMNS = 200
"""Per table; a thousand of them end in DuckDB's out-of-memory error, five hundred do not."""

logger = logging.getLogger(__name__)


class UndeclaredColumns:
    """The columns of fields that nobody declared: the type that the first value gave them holds for good.

    A later value that the type can't hold goes to a column of its own, `<column>__v_<type>`, as dlt does it.

    Args:
        known: the undeclared columns that the warehouse has already, per resource, with their types.
        on_new: called once for each column that is neither declared nor known.
    """

    def __init__(self, known: dict[ResourceName, dict[str, DataType]] | None = None, on_new: ColumnFound | None = None) -> None:
        self._types: dict[tuple[ResourceName, str], DataType] = {
            (resource, name): data_type for resource, names in (known or {}).items() for name, data_type in names.items()
        }
        self._paths: dict[tuple[ResourceName, str], Path] = {}
        self._on_new = on_new
        self._lock = threading.Lock()

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """dlt copies a REST configuration to validate it; all copies share this one object."""
        return self

    def admits(self, resource: ResourceName, name: str, path: Path) -> bool:
        """Whether the field has a column of its own: it had one, or the table has not too many of such columns yet.

        Raises:
            SourceError: the column belongs to another field already.
        """
        with self._lock:
            if self._paths.setdefault((resource, name), path) != path:
                raise shared_column(resource, path, name)
            columns = [column for of, column in self._types if of == resource]
            if name in columns or len(columns) < MOST_UNDECLARED_COLUMNS:
                return True
            is_first = MORE_FIELDS not in columns
        if is_first:
            logger.warning(
                "%s: the API sends more than %d fields that are not declared; the others are kept as JSON in the column %s",
                resource,
                MOST_UNDECLARED_COLUMNS,
                MORE_FIELDS,
            )
        return False

    def type_of(self, resource: ResourceName, name: str, data_type: DataType) -> DataType:
        """The type that this column has, which is `data_type` if it had none yet."""
        with self._lock:
            settled = self._types.get((resource, name))
            if settled is not None:
                return settled
            self._types[(resource, name)] = data_type
        if self._on_new is not None:
            self._on_new(resource, name, data_type)
        return data_type


def column_tree(table: Table) -> ColumnTree:
    """The declared columns by where their values stand in a record."""
    tree: dict[str, Column | dict[str, Column]] = {}
    for column in table.columns:
        head, *rest = column.path
        if rest:
            tree.setdefault(head, {})[rest[0]] = column  # type: ignore[index]
        else:
            tree[head] = column
    return tree


def declared_schema(table: Table) -> pa.Schema:
    """The declared columns with their types, in their order."""
    return pa.schema([pa.field(c.name, ARROW_TYPES[c.data_type], nullable=c.nullable) for c in table.columns])


class RecordReader:
    """Turns the records of one resource into Arrow tables."""

    def __init__(self, table: Table, undeclared: UndeclaredColumns) -> None:
        self._table = table
        self._undeclared = undeclared
        self._tree = column_tree(table)
        self._declared_schema = declared_schema(table)
        self._names = {column.name for column in table.columns}

    def read(self, records: Sequence[Record]) -> pa.Table:
        """An Arrow table of the records, in their order.

        Raises:
            SourceError: a value does not fit the declared type of its column.
        """
        ids = [record["id"] for record in records]
        arrays: dict[str, pa.Array] = {}
        extra: list[tuple[Path, list[object]]] = []
        for head, node in self._tree.items():
            values = [record.get(head) for record in records]
            if isinstance(node, Column):
                arrays[node.name] = self._declared(node, values, ids)
                continue
            objects: list[Record] = [self._object(head, value, of) for value, of in zip(values, ids, strict=True)]
            for key, column in node.items():
                arrays[column.name] = self._declared(column, [value.get(key) for value in objects], ids)
            extra += [((head, key), [v.get(key) for v in objects]) for key in _new_keys(objects, node)]
        extra += [((key,), [record.get(key) for record in records]) for key in _new_keys(records, self._tree)]
        more: list[dict[str, object]] = [{} for _ in records]
        for path, values in extra:
            self._undeclared_field(path, values, arrays, more)
        if any(more):
            data_type = self._undeclared.type_of(self._table.name, MORE_FIELDS, "json")
            values = [to_json(fields) if fields else None for fields in more]
            self._add(arrays, MORE_FIELDS, (MORE_FIELDS,), pa.array(values, ARROW_TYPES[data_type]))
        undeclared = [pa.field(name, array.type) for name, array in arrays.items() if name not in self._names]
        schema = pa.schema([*self._declared_schema, *undeclared])
        return pa.Table.from_arrays([arrays[name] for name in schema.names], schema=schema)

    def _object(self, head: str, value: object, record_id: str) -> Record:
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise self._misfit(column_name((head,)), "an object", value, record_id)
        return value

    def _declared(self, column: Column, values: list[object], ids: list[str]) -> pa.Array:
        array = _whole_array(column.data_type, values)
        if array is not None:
            return array
        convert = CONVERTERS[column.data_type]
        converted: list[object] = []
        for value, record_id in zip(values, ids, strict=True):
            try:
                converted.append(None if value is None else convert(value))
            except MisfitError:
                raise self._misfit(column.name, column.data_type, value, record_id) from None
        return pa.array(converted, ARROW_TYPES[column.data_type])

    def _misfit(self, column: str, expected: str, value: object, record_id: str) -> SourceError:
        shown = to_json(value)
        if len(shown) > VALUE_SHOWN_CHARACTERS:
            shown = f"{shown[:VALUE_SHOWN_CHARACTERS]}..."
        return SourceError(
            f"raw.{self._table.name}, column {column}, record {record_id}: the value {shown} does not fit the declared "
            f"type {expected}; nothing was loaded. Correct the record in the workspace, or the declaration in source/columns.py."
        )

    def _undeclared_field(
        self, path: Path, values: list[object], arrays: dict[str, pa.Array], more: list[dict[str, object]]
    ) -> None:
        objects = [value if isinstance(value, dict) else {} for value in values]
        for key in sorted(set().union(*objects)):
            self._undeclared_field((*path, key), [value.get(key) for value in objects], arrays, more)
        scalars = [None if isinstance(value, dict) else value for value in values]
        first = next((value for value in scalars if value is not None), None)
        if first is None:
            return
        name = undeclared_column_name(path)
        if not self._undeclared.admits(self._table.name, name, path):
            place = ".".join(path)
            for fields, value in zip(more, scalars, strict=True):
                if value is None:
                    continue
                if place in fields:  # a field `a.b` beside a field `b` of `a`
                    raise shared_column(self._table.name, path, f"{MORE_FIELDS} (as {place})")
                fields[place] = value
            return
        kept: list[object] = [None] * len(scalars)
        variants: dict[DataType, list[object]] = {}
        data_type = self._undeclared.type_of(self._table.name, name, type_of_value(first))
        for row, value in enumerate(scalars):
            if value is None:
                continue
            try:
                kept[row] = _as_it_is(data_type, value)
            except MisfitError:
                own = type_of_value(value)
                variants.setdefault(own, [None] * len(scalars))[row] = CONVERTERS[own](value)
        self._add(arrays, name, path, pa.array(kept, ARROW_TYPES[data_type]))
        for own, variant in variants.items():
            variant_name = f"{name}__v_{own}"
            self._undeclared.type_of(self._table.name, variant_name, own)
            self._add(arrays, variant_name, path, pa.array(variant, ARROW_TYPES[own]))

    def _add(self, arrays: dict[str, pa.Array], name: str, path: Path, array: pa.Array) -> None:
        if name in arrays:
            raise shared_column(self._table.name, path, name)
        arrays[name] = array


def shared_column(resource: ResourceName, path: Path, name: str) -> SourceError:
    """Two fields that would go to one column."""
    return SourceError(
        f"raw.{resource}: the API's field {'.'.join(path)} would share the column {name} with another field; nothing was "
        "loaded. Declare it under another name in source/columns.py."
    )


def _as_it_is(data_type: DataType, value: object) -> object:
    """The value in a column whose type nobody decided on: a text of digits may be a number there, but 0012 is not 12."""
    if data_type == "bigint" and isinstance(value, str):
        raise MisfitError
    return CONVERTERS[data_type](value)


def _new_keys(objects: Iterable[Record], declared: Mapping[str, Any]) -> list[str]:
    return sorted(set().union(*objects) - declared.keys())


def _whole_array(data_type: DataType, values: list[object]) -> pa.Array | None:
    """The whole column at once, or None where a value needs a closer look."""
    if data_type == "json":
        return pa.array([None if value is None else to_json(value) for value in values], pa.string())
    return plain_array(data_type, values) if set(map(type, values)) <= _PLAIN_TYPES[data_type] else None


def plain_array(data_type: DataType, values: Sequence[object]) -> pa.Array | None:
    """The column of values that are as JSON has them for its type, or null; None where one does not fit after all."""
    try:
        if data_type == "timestamp":
            return pc.cast(pa.array(values, pa.string()), ARROW_TYPES[data_type])
        return pa.array(values, ARROW_TYPES[data_type])
    except (pa.ArrowInvalid, OverflowError):
        return None
