"""How one JSON value becomes a value of a column's type, without loss or not at all.

Only single values belong here; `arrow.py` converts whole columns and falls back on this module for the rest.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

import orjson

from analytics_assets.source.columns import DataType

_TYPE_OF_VALUE: Final[dict[type, DataType]] = {
    bool: "bool",
    int: "bigint",
    float: "double",
    str: "text",
    list: "json",
    dict: "json",
}

INT64_LIMIT = 2**63
INT64_DIGITS = 19
EXACT_DOUBLE_LIMIT = 2**53
BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_LONE_SURROGATE: Final = re.compile(r"[\ud800-\udfff]")
_FRACTION: Final = re.compile(r"[.,]([0-9]+)")
_DIGITS_OF_EACH_DOUBLE: Final = 15
"""A double tells any two numbers of so many digits apart, and not all of one more: 9.000000000000001 is not one of them."""
_LONG_NUMBER: Final = b":" + (_DIGITS_OF_EACH_DOUBLE + 1) * b"0"
_EXPONENT: Final = re.compile(b":0+e")
_AS_NUMBERS: Final = bytes(
    ord(":" if chr(n) in ":,[- \t\n\r" else "0" if chr(n) in "0123456789." else "e" if chr(n) in "eE" else "x")
    for n in range(256)
)
"""What each byte may be of a number in JSON: `:` before one, `0` a digit in one, `e` before an exponent."""


class MisfitError(Exception):
    """The value can't be held by the type without loss."""


@dataclass(frozen=True)
class LongNumber:
    """A number with more digits than a float holds, as the API wrote it; Python's integers hold any number of them."""

    text: str


def broken_number(text: str) -> float | LongNumber:
    """A number of JSON with a fraction or an exponent, exact."""
    number = float(text)
    return number if Decimal(repr(number)) == Decimal(text) else LongNumber(text)


def parsed_json(text: bytes) -> Any:
    """A value of JSON; strict like orjson, which makes a float of a number with more digits than a float or 64 bits hold.

    Raises:
        orjson.JSONDecodeError: it is not JSON.
    """
    value = orjson.loads(text)
    shapes = (b":" + text).translate(_AS_NUMBERS)
    may_be_inexact = _LONG_NUMBER in shapes or (b"0e" in shapes and _EXPONENT.search(shapes) is not None)
    return json.loads(text, parse_float=broken_number) if may_be_inexact else value


def record_with_half_a_sign(text: bytes) -> str | None:
    """The id of the first record whose texts hold a lone surrogate, which no UTF-8 can; None where none is or it is no list."""
    try:
        answer = json.loads(text.removeprefix(BYTE_ORDER_MARK))
    except (ValueError, RecursionError):
        return None
    records = answer.get("data") if isinstance(answer, dict) else answer
    for record in records if isinstance(records, list) else []:
        if isinstance(record, dict) and _LONE_SURROGATE.search(json.dumps(record, ensure_ascii=False)):
            return json.dumps(record.get("id"))
    return None


def type_of_value(value: object) -> DataType:
    """The type of a column that holds this value as it is; a number that is too long is text, which keeps its digits."""
    if isinstance(value, LongNumber) or (isinstance(value, int) and not -INT64_LIMIT <= value < INT64_LIMIT):
        return "text"
    return _TYPE_OF_VALUE[type(value)]


def to_json(value: object) -> str:
    """Compact JSON text; numbers keep all their digits."""
    try:
        return orjson.dumps(value, default=_as_written, option=orjson.OPT_PASSTHROUGH_DATACLASS).decode()
    except TypeError:  # an integer beyond 64 bits
        return orjson.dumps(_long_numbers_in(value), default=_as_written, option=orjson.OPT_PASSTHROUGH_DATACLASS).decode()


def _as_written(value: object) -> orjson.Fragment:
    if isinstance(value, LongNumber):
        return orjson.Fragment(value.text)
    raise TypeError


def _long_numbers_in(value: object) -> object:
    """The same value, with integers beyond 64 bits as `LongNumber`."""
    if isinstance(value, dict):
        return {key: _long_numbers_in(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_long_numbers_in(inner) for inner in value]
    if isinstance(value, int) and not -INT64_LIMIT <= value < INT64_LIMIT:
        return LongNumber(str(value))
    return value


def _to_text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, LongNumber):
        return value.text
    if isinstance(value, int | float) and not isinstance(value, bool):
        return to_json(value)
    raise MisfitError


def _to_bigint(value: object) -> int:
    number: int | None = None
    if isinstance(value, int) and not isinstance(value, bool):
        number = value
    elif isinstance(value, float):
        number = int(value) if value.is_integer() and abs(value) <= EXACT_DOUBLE_LIMIT else None
    elif isinstance(value, str):
        number = int(value) if re.fullmatch(rf"[+-]?[0-9]{{1,{INT64_DIGITS}}}", value.strip()) else None
    if number is None or not -INT64_LIMIT <= number < INT64_LIMIT:
        raise MisfitError
    return number


def _to_double(value: object) -> float:
    if isinstance(value, float):
        return value
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= EXACT_DOUBLE_LIMIT:
        return float(value)
    raise MisfitError


def _to_bool(value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise MisfitError


def _to_timestamp(value: object) -> datetime:
    """ISO 8601 with `Z`, an offset, or nothing (the API's times are UTC), at most microseconds."""
    if not isinstance(value, str):
        raise MisfitError
    fraction = _FRACTION.search(value)
    if fraction and fraction[1][6:].strip("0"):
        raise MisfitError  # a finer time than a microsecond would be cut off
    text = value if fraction is None else f"{value[: fraction.start()]}.{fraction[1][:6]}{value[fraction.end() :]}"
    try:
        moment = datetime.fromisoformat(f"{text[:-1]}Z" if text.endswith("z") else text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise MisfitError from error


CONVERTERS: Final[dict[DataType, Callable[[object], object]]] = {
    "text": _to_text,
    "bigint": _to_bigint,
    "double": _to_double,
    "bool": _to_bool,
    "timestamp": _to_timestamp,
    "json": to_json,
}
