"""A team's database in a real Postgres: the address that the project is given, and a way in beside it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool

from analytics_assets_tests.deploy.postgres import PASSWORD, postgres


class Team:
    """The team's database: the address that the project is given, and a way in beside it."""

    def __init__(self, variables: dict[str, str]) -> None:
        user, port = variables["DAGSTER_POSTGRES_USER"], int(variables["DAGSTER_POSTGRES_PORT"])
        self.server = create_engine(
            URL.create("postgresql+psycopg2", user, PASSWORD, "127.0.0.1", port, "postgres"), poolclass=NullPool
        )
        self._address = f"postgresql://{user}:{quote(PASSWORD, safe='')}@127.0.0.1:{port}/"
        self.name = "postgres"

    @property
    def url(self) -> str:
        """The address of the database."""
        return self._address + self.name

    @property
    def engine(self) -> Engine:
        """Connections of somebody else."""
        return create_engine(self.server.url.set(database=self.name), poolclass=NullPool)

    def fresh(self, name: str) -> None:
        """Go on with a database of this name, empty."""
        with self.server.connect().execution_options(isolation_level="AUTOCOMMIT") as con:
            con.execute(text(f'CREATE DATABASE "{name}"'))
        self.name = name

    def run(self, sql: str) -> None:
        """What somebody else does there."""
        with self.engine.begin() as con:
            con.execute(text(sql))

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What somebody else finds there."""
        with self.engine.connect() as con:
            return [tuple(row) for row in con.execute(text(sql))]


@contextmanager
def team_database() -> Iterator[Team]:
    """A server with one empty database, for as long as the block lasts."""
    with postgres() as variables:
        yield Team(variables)
