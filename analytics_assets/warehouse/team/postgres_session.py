"""One transaction in a team's Postgres, and how it names things.

What is written in it, and what has to be equal, is decided in `postgres.py`.
"""

import contextlib
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from analytics_assets.warehouse.tables import literal, quoted
from analytics_assets.warehouse.team.adbc_session import AdbcSession, connected, refusals_in_a_sentence
from analytics_assets.warehouse.team.delivery import CHOSEN_WITH, digest, shortened, without_extra

LONGEST_NAME_BYTES: Final = 63
"""Postgres cuts longer names off without an error, and two columns may then have one name."""
COLUMNS_OF_EACH_TABLE: Final = frozenset({"tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"})
"""https://www.postgresql.org/docs/current/ddl-system-columns.html"""


@contextlib.contextmanager
def postgres_session(url: str) -> Iterator[AdbcSession]:
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
        raise without_extra("postgres") from None
    refused, hint = f"Postgres ({shown_address(url)}) refused", f"Check {CHOSEN_WITH}."
    secrets = (url, urlsplit(url).password)
    with refusals_in_a_sentence(dbapi.Error, refused, secrets=secrets, hint=hint):
        con = connected(lambda: dbapi.connect(url), refused, hint=hint)
    with refusals_in_a_sentence(dbapi.Error, refused, secrets=secrets), con:
        yield AdbcSession(con)
        con.commit()


def shown_address(url: str) -> str:
    """Host and database of the address, without user and password."""
    parts = urlsplit(url)
    return f"{parts.hostname or 'local socket'}{f':{parts.port}' if parts.port else ''}{parts.path}"


def exists(session: AdbcSession, label: str) -> bool:
    """Whether there is a table of this schema and name."""
    return session.rows(f"SELECT to_regclass({literal(place(label))}) IS NOT NULL") == [(True,)]


def columns_of(session: AdbcSession, label: str) -> set[str]:
    """The columns that a table has there now; none where there is no such table."""
    where = f"attrelid = to_regclass({literal(place(label))}) AND attnum > 0 AND NOT attisdropped"
    rows = session.rows(f"SELECT attname FROM pg_attribute WHERE {where}")
    return {str(name) for (name,) in rows}


def place(label: str) -> str:
    """A table of this schema and name as SQL names it."""
    schema, _, name = label.partition(".")
    return f"{quoted(schema)}.{quoted(short(name))}"


def of_column(name: str) -> str:
    """The name of a column there: shortened, and another one where each table of Postgres has a column of that name by itself."""
    return f"{name}_{digest(name)[:8]}" if name in COLUMNS_OF_EACH_TABLE else short(name)


def short(name: str) -> str:
    """The name, shortened where it is too long for Postgres."""
    return shortened(name, LONGEST_NAME_BYTES)
