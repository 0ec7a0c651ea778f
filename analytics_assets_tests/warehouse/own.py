"""Changes in a database that no sync has made."""

from pathlib import Path

import duckdb


def change(path: Path | str, *statements: str) -> None:
    """Run statements on a DuckDB file, which is created if it does not exist."""
    with duckdb.connect(str(path)) as con:
        for statement in statements:
            con.execute(statement)
