"""The marts and what they are made from, without checks, contracts and descriptions, which are in whole builds (`conftest`)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import duckdb

from analytics_assets_tests.dbt.conftest import Builder
from analytics_assets_tests.dbt.history import Row


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
                wanted |= {f"{schema}.{name}" for schema, name in re.findall(r'"(\w+)"\."(\w+)"', query)}
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
    """All models."""
    nodes, queries = builder.nodes, builder.queries
    return Models(
        tuple(
            (".".join(nodes.relation(node)), nodes.models[node]["config"]["materialized"], queries[node])
            for node in nodes.in_order
            if node in nodes.models
        )
    )
