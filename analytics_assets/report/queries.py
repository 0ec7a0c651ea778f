"""The queries of the report by name, and the marts that they read; the SQL itself stands in `queries.sql`."""

import re
from pathlib import Path
from typing import Final

import duckdb

FILE: Final = Path(__file__).with_name("queries.sql")
_NAMED: Final = re.compile(r"^-- name: (\w+)\n(.*?);\n", re.MULTILINE | re.DOTALL)
_MART: Final = re.compile(r"\bmarts\.(\w+)")

QUERIES: Final[dict[str, str]] = dict(_NAMED.findall(FILE.read_text(encoding="utf-8")))
"""Name → SQL. Each asks for the variable `as_of` of the session at most."""


def marts_of(name: str) -> tuple[str, ...]:
    """The marts that a query reads, by the alphabet."""
    return tuple(sorted(set(_MART.findall(QUERIES[name]))))


MARTS: Final = tuple(sorted({mart for name in QUERIES for mart in marts_of(name)}))
"""All marts that the report reads: what the asset depends on, and the dbt exposure names."""


def missing_marts(con: duckdb.DuckDBPyConnection) -> list[str]:
    """The marts that the report reads and the warehouse does not have."""
    there = {name for (name,) in con.execute("SELECT table_name FROM duckdb_tables() WHERE schema_name = 'marts'").fetchall()}
    return [mart for mart in MARTS if mart not in there]
