"""A team's warehouse beside the DuckDB file: what is delivered to it, whichever engine it has.

DuckDB stays what everything is read into, compared and built in, so the law and the marts do not depend on where the
tables are delivered. A table whose rows have not changed is not sent again. How an engine is spoken to is known in the
module of that engine, `postgres.py`, `motherduck.py`, `snowflake.py` or `bigquery.py`.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final, Protocol

import duckdb

from analytics_assets.warehouse.connection import connection
from analytics_assets.warehouse.errors import WarehouseError
from analytics_assets.warehouse.identity import held_workspace, workspaces_together
from analytics_assets.warehouse.tables import RAW
from analytics_assets.warehouse.team.delivered_tables import DeliveredTable, delivered_tables

CHOSEN_WITH: Final = "ANALYTICS_DESTINATION_URL"
DELIVERED: Final = f"{RAW}._delivered"
"""The table of the team's warehouse that says what was delivered there."""


class Receiver(Protocol):
    """A transaction in a team's warehouse: the rows that are sent are there when it has ended without an error, or not at all."""

    @property
    def known(self) -> Collection[str]:
        """The tables that were delivered before, each as schema and name."""

    def workspaces(self) -> set[str]:
        """The ids of the workspaces whose rows were delivered before."""

    def has(self, table: DeliveredTable) -> bool:
        """Whether the table was delivered as it is now, and nobody has written there since.

        Raises:
            WarehouseError: there is a table of that name which was not delivered.
        """

    def send(self, table: DeliveredTable) -> None:
        """Replace the rows of a table, and the table where its columns are others."""

    def take_out(self, label: str) -> None:
        """Drop a table that was delivered before."""

    def is_equal(self, table: DeliveredTable) -> bool:
        """Whether both have the same rows, value by value, by the sum of the hashes of rows."""


class TeamWarehouse(Protocol):
    """A warehouse that tables can be delivered to: its engine, and where it is."""

    @property
    def engine(self) -> str:
        """What people call the engine."""

    @property
    def shown_address(self) -> str:
        """Where it is, without user and password."""

    def receiving(self, con: duckdb.DuckDBPyConnection) -> AbstractContextManager[Receiver]:
        """A transaction there, which is committed at the end of the block.

        Args:
            con: a connection to the warehouse that tables are taken from.

        Raises:
            WarehouseError: it can't be reached, or refuses something; it is as it was before.
        """

    def assert_reachable(self) -> None:
        """Connect, and do nothing.

        Raises:
            WarehouseError: it can't be reached.
        """


@dataclass(frozen=True)
class Delivery:
    """What is there after a delivery: the rows of each table, and which tables were sent anew."""

    rows: Mapping[str, int]
    sent: Sequence[str]


def deliver(warehouse: Path, team: TeamWarehouse) -> Delivery:
    """Make the tables of the team's warehouse equal to those of the DuckDB file, or leave them as they are.

    Args:
        warehouse: the DuckDB file of a workspace, or that of several; the caller holds the writer's lock.
        team: where to.

    Raises:
        WarehouseError: it can't be reached or refuses something, holds another workspace, or has a table of the same
            name that was not made by this project.
    """
    with connection(warehouse, read_only=True) as con, team.receiving(con) as there:
        _refuse_other_workspaces(team.engine, there.workspaces(), con)
        tables = delivered_tables(con)
        sent = [table for table in tables if not there.has(table)]
        for table in sent:
            there.send(table)
        for label in sorted({*there.known} - {table.label for table in tables}):
            there.take_out(label)
        return Delivery({table.label: table.rows for table in tables}, [table.label for table in sent])


def tables_that_differ(warehouse: Path, team: TeamWarehouse, labels: Sequence[str] | None = None) -> list[str]:
    """The tables whose rows there are not those of the DuckDB file, value by value; also those that are not there.

    Args:
        warehouse: the DuckDB file.
        team: what it is compared with.
        labels: the tables to compare, each as schema and name; None for all.

    Raises:
        WarehouseError: the team's warehouse can't be reached, or the file can't be opened.
    """
    with connection(warehouse, read_only=True) as con, team.receiving(con) as there:
        tables = [table for table in delivered_tables(con) if labels is None or table.label in labels]
        return [table.label for table in tables if not there.is_equal(table)]


def digest(text: str) -> str:
    """What two texts have in common only if they are the same."""
    return sha256(text.encode()).hexdigest()


def shortened(name: str, longest_bytes: int) -> str:
    """The name, or where it is too long its beginning and what tells it from others that begin so."""
    encoded = name.encode()
    if len(encoded) <= longest_bytes:
        return name
    return f"{encoded[: longest_bytes - 9].decode(errors='ignore')}_{digest(name)[:8]}"


def not_ours(engine: str, label: str) -> WarehouseError:
    """The error for a table of the same name that was not delivered."""
    return WarehouseError(
        f"{engine} has a table {label} that this project has not made: rename it, or set {CHOSEN_WITH} to another database."
    )


def without_extra(destination: str) -> WarehouseError:
    """The error for an engine whose client is not installed; the extra is called like the destination."""
    return WarehouseError(
        f"ANALYTICS_DESTINATION={destination} needs the extra `{destination}`: pip install 'analytics-assets[{destination}]'."
    )


def _refuse_other_workspaces(engine: str, there: set[str], con: duckdb.DuckDBPyConnection) -> None:
    """Raise if a team's warehouse holds what this file does not replace: for one workspace any other, for several only others.

    Of several, one that is not loaded any more is taken out, as it is from their file.
    """
    several, held = workspaces_together(con), held_workspace(con)
    here = {*several} if several is not None else {held[0]} if held else set()
    is_another = there.isdisjoint(here) if several is not None else not there <= here
    if there and is_another:
        raise WarehouseError(f"{engine} holds {_named(there)}, not {_named(here)}: set {CHOSEN_WITH} to another database.")


def _named(workspaces: Collection[str]) -> str:
    return f"workspace{'' if len(workspaces) == 1 else 's'} {', '.join(sorted(workspaces)) or 'none'}"
