"""The way of a value from DuckDB to Snowflake and back, by its type: nothing on it depends on a session's settings."""

import re
from collections.abc import Mapping
from typing import Final

from analytics_assets.warehouse.team.ways import Way

LONGEST_NAME_BYTES: Final = 255


def _number(type: str) -> Way:
    """A number that travels as its digits, because no other form of it holds all of them."""
    return Way(type, "VARCHAR", "{}::VARCHAR", f"{{}}::{type}", "{}::VARCHAR", "{}::VARCHAR")


_TEXT: Final = Way("VARCHAR", leaving="{}::VARCHAR", comparing="{}::VARCHAR")
_NESTED: Final = Way("VARCHAR", leaving="to_json({})::VARCHAR", comparing="to_json({})::VARCHAR")
_WAYS: Final[Mapping[str, Way]] = {
    "BIGINT": Way("NUMBER(38,0)", "NUMBER(38,0)", coming_back="{}::VARCHAR", comparing="{}::VARCHAR"),
    "INTEGER": Way("NUMBER(38,0)", "NUMBER(38,0)", coming_back="{}::VARCHAR", comparing="{}::VARCHAR"),
    "HUGEINT": _number("NUMBER(38,0)"),
    "DOUBLE": Way("FLOAT", "FLOAT", compared_type="DOUBLE"),
    "BOOLEAN": Way("BOOLEAN", "BOOLEAN", compared_type="BOOLEAN"),
    "DATE": Way("DATE", "VARCHAR", "{}::VARCHAR", "TO_DATE({}, 'YYYY-MM-DD')", "TO_VARCHAR({}, 'YYYY-MM-DD')", "{}::VARCHAR"),
    # microseconds since 1970 are the same moment in each zone that a session may have
    "TIMESTAMP WITH TIME ZONE": Way(
        "TIMESTAMP_TZ(6)",
        "NUMBER(38,0)",
        "epoch_us({})",
        "CONVERT_TIMEZONE('UTC', TO_TIMESTAMP_LTZ({}, 6))",
        "DATE_PART(EPOCH_MICROSECOND, {})::VARCHAR",
        "epoch_us({})::VARCHAR",
    ),
}


def way_of(duckdb_type: str) -> Way:
    """The way of a type; JSON and the types that the project does not use itself are texts, and lists are JSON."""
    if decimal := re.fullmatch(r"DECIMAL(\(\d+,\d+\))", duckdb_type):
        return _number(f"NUMBER{decimal[1]}")
    if duckdb_type.endswith("]") or duckdb_type.startswith(("STRUCT", "MAP")):
        return _NESTED
    return _WAYS.get(duckdb_type, _TEXT)


def literal(text: str) -> str:
    """A text as a literal of Snowflake's SQL, in which a backslash begins an escape."""
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"
