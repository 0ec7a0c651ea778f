"""The way of a value from DuckDB to BigQuery and back, by its type, and what BigQuery takes as a name or a text."""

import re
from collections.abc import Mapping
from typing import Final

from analytics_assets.warehouse.team.delivery import digest, shortened
from analytics_assets.warehouse.team.ways import Way

LONGEST_NAME_BYTES: Final = 300
LONGEST_DESCRIPTION: Final = 1024
"""Letters of what is said of a column."""
NAMES_OF_ITS_OWN: Final = ("_table_", "_file_", "_partition", "_row_timestamp", "__root__", "_colidentifier", "_change_")
"""How no column may begin, in any case: https://docs.cloud.google.com/bigquery/docs/schemas#column_names."""
NUMERIC_DIGITS: Final = (29, 9)
"""Digits before and behind the point that NUMERIC has; BIGNUMERIC has 38 and 38."""


def _number(type: str, duckdb_type: str) -> Way:
    """A number that travels as its digits, and comes back as them, without zeros at the end."""
    return Way(type, "STRING", "{}::VARCHAR", f"CAST({{}} AS {type})", "CAST({} AS STRING)", "{}", duckdb_type)


_INTEGER: Final = Way(
    "INT64", "INT64", "{}::BIGINT", coming_back="CAST({} AS STRING)", comparing="{}::BIGINT", compared_type="BIGINT"
)
_TEXT: Final = Way("STRING", "STRING", leaving="{}::VARCHAR", comparing="{}::VARCHAR")
_NESTED: Final = Way("STRING", "STRING", leaving="to_json({})::VARCHAR", comparing="to_json({})::VARCHAR")
_WAYS: Final[Mapping[str, Way]] = {
    "BIGINT": _INTEGER,
    "INTEGER": _INTEGER,
    "HUGEINT": _number("BIGNUMERIC", "HUGEINT"),
    "DOUBLE": Way("FLOAT64", "FLOAT64", compared_type="DOUBLE"),
    "BOOLEAN": Way("BOOL", "BOOL", compared_type="BOOLEAN"),
    "DATE": Way("DATE", "STRING", "{}::VARCHAR", "CAST({} AS DATE)", "CAST({} AS STRING)", "{}", "DATE"),
    "TIMESTAMP WITH TIME ZONE": Way(
        "TIMESTAMP", "INT64", "epoch_us({})", "TIMESTAMP_MICROS({})", "CAST(UNIX_MICROS({}) AS STRING)", "epoch_us({})", "BIGINT"
    ),
}


def way_of(duckdb_type: str) -> Way:
    """The way of a type; JSON and the types that the project does not use itself are texts, and lists are JSON."""
    if decimal := re.fullmatch(r"DECIMAL\((\d+),(\d+)\)", duckdb_type):
        digits, scale = int(decimal[1]), int(decimal[2])
        fits = digits - scale <= NUMERIC_DIGITS[0] and scale <= NUMERIC_DIGITS[1]
        return _number("NUMERIC" if fits else "BIGNUMERIC", duckdb_type)
    if duckdb_type.endswith("]") or duckdb_type.startswith(("STRUCT", "MAP")):
        return _NESTED
    return _WAYS.get(duckdb_type, _TEXT)


def name_of(name: str) -> str:
    """A name of a table or column as BigQuery takes it: letters, digits and underscores, and not one that it has itself."""
    usable = re.sub(r"\W", "_", name)
    if usable.casefold().startswith(NAMES_OF_ITS_OWN) or usable[:1].isdigit():
        usable = f"c{usable}"
    return shortened(usable if usable == name else f"{usable}_{digest(name)[:8]}", LONGEST_NAME_BYTES)


def literal(text: str) -> str:
    """A text as a literal of BigQuery's SQL, in which a backslash begins an escape and no line may end."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return "'" + escaped.replace("\n", "\\n").replace("\r", "\\r") + "'"


def described(text: str | None) -> str:
    """The options with which a column or table says what it is; none where nothing is said."""
    said = " ".join((text or "").split())[:LONGEST_DESCRIPTION]
    return f" OPTIONS(description={literal(said)})" if said else ""
