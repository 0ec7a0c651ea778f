"""One transaction in a team's Postgres, through ADBC: statements, rows as Arrow, and what goes wrong as one sentence.

What is written in it, and what has to be equal, is decided in `postgres.py`.
"""

import contextlib
import re
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import urlsplit

import pyarrow as pa

from analytics_assets.warehouse.delivery import CHOSEN_WITH, digest
from analytics_assets.warehouse.errors import WarehouseError
from analytics_assets.warehouse.tables import literal, quoted

LONGEST_NAME_BYTES: Final = 63
"""Postgres cuts longer names off without an error, and two columns may then have one name."""


class PostgresSession:
    """A transaction, for as long as `postgres_session` lasts."""

    def __init__(self, con: Any) -> None:
        self._con = con

    def run(self, sql: str) -> None:
        """Run a statement."""
        with self._con.cursor() as cursor:
            cursor.execute(sql)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        with self._con.cursor() as cursor:
            cursor.execute(sql)
            return list(cursor.fetchall())

    @contextlib.contextmanager
    def arrow(self, sql: str) -> Iterator[pa.RecordBatchReader]:
        """The rows of a query as Arrow, while the block lasts."""
        with self._con.cursor() as cursor:
            cursor.execute(sql)
            yield cursor.fetch_record_batch()

    def bring(self, rows: pa.RecordBatchReader, name: str) -> None:
        """Create a temporary table of these rows, through the binary COPY."""
        with self._con.cursor() as cursor:
            cursor.adbc_ingest(name, rows, mode="create", temporary=True)

    def exists(self, label: str) -> bool:
        """Whether there is a table of this schema and name."""
        return self.rows(f"SELECT to_regclass({literal(place(label))}) IS NOT NULL") == [(True,)]


@contextlib.contextmanager
def postgres_session(url: str) -> Iterator[PostgresSession]:
    """A transaction that is committed at the end of the block.

    Args:
        url: the database, like postgresql://user:password@host:5432/name; what it leaves out, libpq takes from its own
            variables, such as PGPASSWORD.

    Raises:
        WarehouseError: Postgres can't be reached, or refuses something; it is as it was before.
    """
    try:
        from adbc_driver_postgresql import dbapi
    except ImportError:
        raise WarehouseError(
            "ANALYTICS_DESTINATION=postgres needs the extra `postgres`: pip install 'analytics-assets[postgres]'."
        ) from None
    refused = f"Postgres ({shown_address(url)}) refused"
    try:
        con = dbapi.connect(url)
    except dbapi.Error as error:
        raise WarehouseError(f"{refused}: {_words_of(error, url)} Check {CHOSEN_WITH}.") from None
    try:
        with con:
            yield PostgresSession(con)
            con.commit()
    except dbapi.Error as error:
        raise WarehouseError(f"{refused}: {_words_of(error, url)}") from None


def shown_address(url: str) -> str:
    """Host and database of the address, without user and password."""
    parts = urlsplit(url)
    return f"{parts.hostname or 'local socket'}{f':{parts.port}' if parts.port else ''}{parts.path}"


def place(label: str) -> str:
    """A table of this schema and name as SQL names it."""
    schema, _, name = label.partition(".")
    return f"{quoted(schema)}.{quoted(short(name))}"


def short(name: str) -> str:
    """The name, or where it is too long its beginning and what tells it from others that begin so."""
    encoded = name.encode()
    if len(encoded) <= LONGEST_NAME_BYTES:
        return name
    return f"{encoded[: LONGEST_NAME_BYTES - 9].decode(errors='ignore')}_{digest(name)[:8]}"


def _words_of(error: Exception, url: str) -> str:
    """What Postgres says, in one line and without the password."""
    said = " ".join(str(error).split()).removeprefix("INVALID_ARGUMENT: ")
    for secret in (url, urlsplit(url).password):
        if secret:  # as a word of its own: `***word authentication failed` would tell the password `pass`
            said = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", "***", said)
    said = re.sub(r"\. SQLSTATE: \w+$", "", said).rstrip(".")
    return said if said.endswith("?") else f"{said}."
