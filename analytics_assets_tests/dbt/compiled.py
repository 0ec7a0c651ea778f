"""The models without another start of dbt: its compiled SQL is run as it stands.

dbt compiles them once per test session, for a database called `analytics`, so that a warehouse here is a file of that
name. That dbt's materializations and contracts work is tested with whole builds, see `conftest`.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import duckdb
from filelock import FileLock

from analytics_assets_tests.dbt.conftest import Builder
from analytics_assets_tests.dbt.history import Row
from analytics_assets_tests.dbt.warehouse import create_warehouse


@dataclass(frozen=True)
class Models:
    """Compiled models in the order in which they depend on each other: place, kind and query of each."""

    statements: tuple[tuple[str, str, str], ...]

    @property
    def marts(self) -> list[str]:
        """The names of all marts among them."""
        return [place.removeprefix("marts.") for place, _, _ in self.statements if place.startswith("marts.")]

    def needed_for(self, marts: Iterable[str]) -> "Models":
        """Those that the given marts are made from, and these."""
        wanted = {f"marts.{name}" for name in marts}
        for place, _, query in reversed(self.statements):
            if place in wanted:
                wanted |= {f"{schema}.{name}" for schema, name in re.findall(r'"analytics"\."(\w+)"\."(\w+)"', query)}
        return Models(tuple(statement for statement in self.statements if statement[0] in wanted))

    def build(self, warehouse: Path) -> dict[str, list[Row]]:
        """Build them in the warehouse; the rows of the marts."""
        with duckdb.connect(str(warehouse)) as con:
            con.execute("SET TimeZone = 'UTC'")
            for schema in {place.split(".")[0] for place, _, _ in self.statements}:
                con.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
            for place, kind, query in self.statements:
                con.execute(f"CREATE OR REPLACE {kind} {place} AS {query}")
            return {name: _records(con, f"FROM marts.{name}") for name in self.marts}


def _records(con: duckdb.DuckDBPyConnection, query: str) -> list[Row]:
    found = con.execute(query)
    names = [column[0] for column in found.description]
    return [dict(zip(names, values, strict=True)) for values in found.fetchall()]


def compiled_models(builder: Builder) -> Models:
    """All models as dbt compiles them, once per session however many processes run it."""
    kept = builder.folder / "compiled.json"
    with FileLock(builder.folder / "lock"):
        if not kept.exists():
            create_warehouse(builder.path)
            nodes = builder.compile("+path:models/marts")
            builder.path.unlink()
            kept.write_text(json.dumps(nodes))
    return Models(tuple((place, kind, query) for place, kind, query in json.loads(kept.read_text())))
