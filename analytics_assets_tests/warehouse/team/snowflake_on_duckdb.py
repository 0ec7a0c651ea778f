"""A session of Snowflake's that DuckDB plays, because Snowflake can't be reached without an account.

Each statement is parsed in Snowflake's dialect, so one that it would not understand fails here too, and what Snowflake does and
DuckDB does not is done here: a statement that makes or alters a table ends the transaction, and whoever makes a schema is in it.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa
from sqlglot import exp, parse_one

from analytics_assets.warehouse.team.adbc_session import AdbcSession, refusals_in_a_sentence

IN_DUCKDB: Final = (
    (r"\bREAL\b", "DOUBLE"),  # Snowflake's FLOAT has 64 bits
    (r"TO_TIMESTAMP_LTZ\((\w+|\"\w+\"), 6\) AT TIME ZONE 'UTC'", r"make_timestamptz(\1::BIGINT)"),
    (r"EPOCH\(CAST\((\"(?:[^\"]|\"\")+\") AS TIMESTAMP\)\) \* 1000000", r"epoch_us(\1)"),
    (r"HASH_AGG\(\*\) AS TEXT\) FROM (\S+)\)", r"sum(hash(counted)::HUGEINT) AS TEXT) FROM \1 AS counted)"),
    (r"^CREATE OR REPLACE TEMPORARY TABLE", "CREATE OR REPLACE TABLE"),
)


class OnDuckDB(AdbcSession):
    """A session on a DuckDB file; `said` has each statement of all sessions."""

    said: Final[list[str]] = []

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self._duckdb = con
        self._schema = ""
        self._of_session: list[str] = []
        self._is_in_transaction = False

    def run(self, sql: str) -> None:
        self.rows(sql)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        self.said.append(sql)
        statement = parse_one(sql, read="snowflake")
        if isinstance(statement, exp.Create | exp.Drop | exp.Alter) and self._is_in_transaction:
            self._duckdb.execute("COMMIT")
            self._is_in_transaction = False
        if isinstance(statement, exp.Transaction | exp.Commit | exp.Rollback):
            self._is_in_transaction = isinstance(statement, exp.Transaction)
        if isinstance(statement, exp.Use) or (isinstance(statement, exp.Create) and statement.kind == "SCHEMA"):
            self._schema = statement.this.name
            if isinstance(statement, exp.Use):
                return []
        if swap := re.fullmatch(r'ALTER TABLE (".*")\.(".*") SWAP WITH (".*")\.(".*")', sql):
            schema, table, _, other = swap.groups()
            for before, now in ((table, '"_AWAY"'), (other, table), ('"_AWAY"', other)):
                self._duckdb.execute(f"ALTER TABLE {schema}.{before} RENAME TO {now}")
            return []
        if isinstance(statement, exp.Create) and "TEMPORARY" in sql:
            self._of_session.append(statement.find(exp.Table).sql("duckdb"))  # type: ignore[union-attr]  # it is a table
        return self._duckdb.execute(_in_duckdb(statement)).fetchall()

    @contextmanager
    def arrow(self, sql: str) -> Iterator[pa.RecordBatchReader]:
        self.said.append(sql)
        yield self._duckdb.execute(_in_duckdb(parse_one(sql, read="snowflake"))).to_arrow_reader()

    def append(self, rows: pa.RecordBatchReader, name: str) -> None:
        self._duckdb.register("came", rows)
        self._duckdb.execute(f'INSERT INTO "{self._schema}"."{name}" BY NAME FROM came')
        self._duckdb.unregister("came")

    def end(self) -> None:
        """What is left open is taken back, and what was the session's is gone."""
        if self._is_in_transaction:
            self._duckdb.execute("ROLLBACK")
        for table in self._of_session:
            self._duckdb.execute(f"DROP TABLE IF EXISTS {table}")


@contextmanager
def session_on_duckdb(address: str) -> Iterator[AdbcSession]:
    """In the place of `snowflake_session`: the database is the file that the address names."""
    path = Path(address.removeprefix("snowflake://"))
    with duckdb.connect(str(path)) as con, refusals_in_a_sentence(duckdb.Error, "Snowflake refused", secrets=()):
        session = OnDuckDB(con)
        try:
            yield session
        finally:
            session.end()


def _in_duckdb(statement: exp.Expression) -> str:
    sql = statement.sql("duckdb")
    for pattern, replacement in IN_DUCKDB:
        sql = re.sub(pattern, replacement, sql)
    return sql
