"""A session of BigQuery's that DuckDB plays, because BigQuery can't be reached without an account.

Each statement is parsed in BigQuery's dialect, so one that it would not understand fails here too, and what BigQuery does and
DuckDB does not is done here: a statement that makes or alters a table is refused in a transaction, and a script that fails takes
its transaction back.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa
from sqlglot import exp, parse

from analytics_assets.warehouse.team.adbc_session import refusals_in_a_sentence
from analytics_assets.warehouse.team.bigquery_session import BigQueryAddress, BigQuerySession

IN_DUCKDB: Final = (
    (r"\b(BIG)?DECIMAL\b", "VARCHAR"),  # no type of DuckDB's has as many digits; a text keeps those that were sent
    (r"MAKE_TIMESTAMP\((\w+)\)", r"make_timestamptz(\1)"),
    (r"FARM_FINGERPRINT\((CAST\(TO_JSON\(each_row\) AS TEXT\))\)", r"(hash(\1) >> 1)::BIGINT"),
    (
        r'FROM "(\w+)"\."INFORMATION_SCHEMA\.COLUMNS" AS COLUMNS',
        r"FROM (SELECT table_name, column_name, column_index AS ordinal_position FROM duckdb_columns() WHERE schema_name = '\1')",
    ),
)
IN_ARROW: Final = {"STRING": pa.string(), "INT64": pa.int64(), "FLOAT64": pa.float64(), "BOOL": pa.bool_()}


class BigQueryOnDuckDB(BigQuerySession):
    """A session on a DuckDB file; `said` has each statement of all sessions."""

    said: Final[list[str]] = []

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self._duckdb = con

    def has_dataset(self, dataset: str) -> bool:
        return self._duckdb.execute("SELECT 1 FROM duckdb_schemas() WHERE schema_name = $1", [dataset]).fetchone() is not None

    def make_dataset(self, dataset: str) -> None:
        self._duckdb.execute(f'CREATE SCHEMA IF NOT EXISTS "{dataset}"')

    def run(self, sql: str) -> None:
        self.rows(sql)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        is_in_transaction, rows = False, []
        try:
            for statement in parse(sql, read="bigquery"):
                assert statement is not None
                if isinstance(statement, exp.Create | exp.Drop | exp.Alter) and is_in_transaction:
                    raise duckdb.Error("DDL is not allowed in a transaction")
                if isinstance(statement, exp.Transaction | exp.Commit):
                    is_in_transaction = isinstance(statement, exp.Transaction)
                rows = self.one(statement)
        except BaseException:
            if is_in_transaction:
                self._duckdb.execute("ROLLBACK")
            raise
        return rows

    def one(self, statement: exp.Expression) -> list[tuple[Any, ...]]:
        """Run one statement of a script."""
        self.said.append(statement.sql("bigquery"))
        if isinstance(statement, exp.Alter):  # DuckDB adds one column at a time
            for action in statement.args["actions"]:
                table, column = statement.this.sql("duckdb"), _in_duckdb(action).removeprefix("ADD COLUMN ")
                self._duckdb.execute(f"ALTER TABLE {table} ADD COLUMN {column}")
            return []
        if isinstance(statement, exp.Create) and isinstance(statement.this, exp.Schema) and statement.expression is not None:
            rows, table = statement.expression.pop(), statement.this.this.sql("duckdb")  # DuckDB takes no columns besides a query
            self._duckdb.execute(_in_duckdb(statement))
            self._duckdb.execute(f"INSERT INTO {table} BY NAME {_in_duckdb(rows)}")
            return []
        return self._duckdb.execute(_in_duckdb(statement)).fetchall()

    def arrow(self, sql: str) -> pa.RecordBatchReader:
        (statement,) = parse(sql, read="bigquery")
        assert statement is not None
        return self._duckdb.execute(_in_duckdb(statement)).to_arrow_reader()

    def load(self, rows: pa.RecordBatchReader, table: str, columns: Mapping[str, str]) -> None:
        came = rows.read_all()
        assert came.schema == pa.schema((name, IN_ARROW[kind]) for name, kind in columns.items())
        dataset, name = table.split(".")
        self._duckdb.register("came", came)
        self._duckdb.execute(f'CREATE OR REPLACE TABLE "{dataset}"."{name}" AS FROM came')
        self._duckdb.unregister("came")

    def wait_for_loads(self) -> None:
        pass

    def drop(self, table: str) -> None:
        dataset, name = table.split(".")
        self._duckdb.execute(f'DROP TABLE IF EXISTS "{dataset}"."{name}"')


def sessions_on_duckdb(path: Path) -> Callable[[BigQueryAddress], AbstractContextManager[BigQuerySession]]:
    """What takes the place of `bigquery_session`: each project is this file."""

    @contextmanager
    def session(address: BigQueryAddress) -> Iterator[BigQuerySession]:
        with duckdb.connect(str(path)) as con, refusals_in_a_sentence(duckdb.Error, "BigQuery refused", secrets=()):
            yield BigQueryOnDuckDB(con)

    return session


def _in_duckdb(statement: exp.Expression) -> str:
    sql = statement.sql("duckdb")
    for pattern, replacement in IN_DUCKDB:
        sql = re.sub(pattern, replacement, sql)
    return sql
