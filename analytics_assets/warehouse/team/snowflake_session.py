"""A connection to a team's Snowflake. What is written, and what has to be equal, is decided in `snowflake.py`."""

import contextlib
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote, urlsplit

from analytics_assets.warehouse.team.adbc_session import AdbcSession, connected, refusals_in_a_sentence
from analytics_assets.warehouse.team.delivery import CHOSEN_WITH, without_extra

SCHEME: Final = "snowflake://"


@contextlib.contextmanager
def snowflake_session(address: str) -> Iterator[AdbcSession]:
    """A session in which each statement counts by itself unless it stands in a transaction.

    Args:
        address: the database, like snowflake://user:password@account/database?warehouse=name&role=name; what comes behind the
            scheme is read by Snowflake's own driver, so it takes every parameter that the driver knows.

    Raises:
        WarehouseError: Snowflake can't be reached, or refuses something.
    """
    try:
        from adbc_driver_snowflake import dbapi
    except ImportError:
        raise without_extra("snowflake") from None
    parts = urlsplit(address)
    secrets = (address, address.removeprefix(SCHEME), parts.password, unquote(parts.password or ""))
    refused, hint = f"Snowflake ({shown_address(address)}) refused", f"Check {CHOSEN_WITH}."
    with refusals_in_a_sentence(dbapi.Error, refused, secrets=secrets, hint=hint):
        con = connected(lambda: dbapi.connect(address.removeprefix(SCHEME), autocommit=True), refused, hint=hint)
    with refusals_in_a_sentence(dbapi.Error, refused, secrets=secrets), con:
        yield AdbcSession(con)


def shown_address(address: str) -> str:
    """Account and database of the address, without user and password."""
    parts = urlsplit(address)
    return f"{parts.netloc.rpartition('@')[2]}{parts.path}"
