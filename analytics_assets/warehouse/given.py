"""Values of this program as temporary tables, for queries to join.

They are handed over as Arrow. Of each value that is a parameter, however deep in a list, DuckDB asks whether pandas knows it, and
where pandas is not installed it looks for it each time: 10,000 texts took 1.8 s, and take 5 ms in this way.
"""

from collections.abc import Collection
from typing import Final

import duckdb
import pyarrow as pa

_GIVEN: Final = "given"


def keep_values(con: duckdb.DuckDBPyConnection, name: str, values: Collection[str]) -> None:
    """Make a temporary table with the one column `value`, in the place of one of that name."""
    keep_columns(con, name, value=pa.array(list(values), pa.string()))


def keep_columns(con: duckdb.DuckDBPyConnection, name: str, **columns: pa.Array) -> None:
    """Make a temporary table with some columns of one length, in the place of one of that name."""
    con.register(_GIVEN, pa.table(columns))
    try:
        con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS FROM {_GIVEN}")
    finally:
        con.unregister(_GIVEN)
