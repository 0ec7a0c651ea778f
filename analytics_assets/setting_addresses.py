"""Which addresses and ids a request can be made to, or a database or a page be found at.

Other values of variables are judged in `setting_values.py`.
"""

import ipaddress
import keyword
import re
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, urlsplit

from analytics_assets.setting_values import RESERVED_DATABASE_NAMES

NOT_IN_ADDRESSES: Final = frozenset(" \"'<>\\^`{|}")
HIGHEST_PORT: Final = 65535
NO_NAMES: Final = frozenset(
    {"context", "conf", "config", "meta", "type", "input", "output", "arg_dict", "dict", "input_arg_dict", "output_arg_dict"}
    | {"int", "str", "float", "bool", *keyword.kwlist}
    | {"api", "raw", "staging", "marts", "report"}
)
"""What no workspace can be called: words that Dagster keeps for itself, and the layers, with which the keys of assets begin."""


def safe_root(value: str | None) -> str | None:
    """The root of an API that a key may be sent to."""
    if value is None:
        return None
    parts = usable_address(value, example="https://api.example.com")
    if "@" in parts.netloc:
        raise ValueError("must not hold a user name or password; the key goes into ANALYTICS_API_KEY")
    if parts.query or parts.fragment or value[-1] in "?#":
        raise ValueError("must end with the path, without ? or #")
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise ValueError("must start with https://, or the key would cross the network in the clear")
    return value.rstrip("/").removesuffix("/v1")


def web_page(value: str | None) -> str | None:
    """The address of a page, for links."""
    if value is not None:
        usable_address(value, example="https://dagster.example.com")
    return value


def usable_address(value: str, *, example: str) -> SplitResult:
    """The parts of an address, if each of them can be one; `requests` and urllib3 find out in the middle of a sync.

    Raises:
        ValueError: says which part is wrong, without the address, which may hold a password.
    """
    if any(character in NOT_IN_ADDRESSES or not character.isprintable() for character in value):
        raise ValueError(f"must not hold blanks, quotes, braces or backslashes; write it like {example}")
    try:
        parts = urlsplit(value)
        host = parts.hostname or ""
    except ValueError:
        raise ValueError(f"must be an address like {example}") from None
    if parts.scheme not in ("https", "http") or not is_host(host):
        raise ValueError(f"must be an address like {example}")
    try:
        is_port = parts.port != 0 and not parts.netloc.endswith(":")
    except ValueError:
        is_port = False
    if not is_port:
        raise ValueError(f"must have a port from 1 to {HIGHEST_PORT} after the colon, or neither of them")
    return parts


def is_host(text: str) -> bool:
    """Whether this can be the name or the number of a host; names of other scripts than Latin are taken."""
    if ":" in text:
        return _is_ip_address(text)
    try:
        labels = text.removesuffix(".").encode("idna").decode().split(".")
    except UnicodeError:
        return False
    return all(re.fullmatch(r"[A-Za-z0-9_-]{1,63}", label) and label[0] != "-" for label in labels)


def _is_ip_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def workspace_ids(value: str | None) -> str | None:
    """The ids of the workspaces, as they stand in the path of each request, with commas between them."""
    if value is None:
        return None
    parts = [each for part in value.split(",") if (each := part.strip())]
    pairs = [named_workspace(each) for each in parts or [value]]
    for name, each in pairs:
        if not re.fullmatch(r"[A-Za-z0-9._~-]+", each):
            raise ValueError("may hold only letters from A to Z, digits and the signs . _ ~ -, and commas between several ids")
        if not each.strip("."):
            raise ValueError("must not be . or .., which lead to another address")
        if not re.fullmatch(r"[A-Za-z0-9_]+", name):
            raise ValueError("may call a workspace only by letters from A to Z, digits and _, like acme=64f0c1d2")
        if len(pairs) > 1 and name in NO_NAMES:
            raise ValueError(f"can't call a workspace {name}, which means something else; give it another name, like acme={each}")
    for of_all in zip(*pairs, strict=True):
        if len({each.casefold() for each in of_all}) < len(of_all):
            raise ValueError("names two workspaces whose ids or names differ in nothing but capitals and signs; name each once")
    return ",".join(parts) if len(parts) > 1 else pairs[0][1]


def named_workspace(text: str) -> tuple[str, str]:
    """Name and id of a workspace that is given as `name=id`; of an id alone, the name is what Dagster can call it.

    Dagster's names hold letters, digits and underscores alone.
    """
    name, sign, id = text.rpartition("=")
    return (name.strip(), id.strip()) if sign else (re.sub(r"\W", "_", text, flags=re.ASCII), text)


def team_address(destination: str, address: str | None, warehouse: Path) -> str:
    """The address of a team's warehouse.

    Args:
        destination: its engine.
        address: what was set; that of Postgres may leave out what libpq finds in its own variables.
        warehouse: the DuckDB file whose tables are delivered.

    Raises:
        ValueError: it is no address of this engine; says what it should be, and nothing of what it is.
    """
    if destination == "postgres" and address is None:
        return "postgresql://"
    if address is None or not USABLE[destination](address):
        signs = "" if destination in ("motherduck", "bigquery") else SIGNS_OF_PASSWORDS
        raise ValueError(
            f"must be an address like {EXAMPLES[destination]}, because ANALYTICS_DESTINATION is {destination}{signs}"
        )
    if destination == "motherduck" and motherduck_database(address).casefold() == warehouse.stem.casefold():
        raise ValueError(f"names a database that is called as the file {warehouse.name}; give either of them another name")
    if destination == "motherduck" and motherduck_database(address).casefold() in RESERVED_DATABASE_NAMES:
        raise ValueError(f"names a database that is called {motherduck_database(address)}, like a schema; it needs another name")
    return address


def motherduck_database(address: str) -> str:
    """The name of the database that an address like md:database?motherduck_token=TOKEN leads to."""
    return address.partition("?")[0].partition(":")[2]


def _has_parts(address: str) -> bool:
    """Whether each reader of addresses finds the same user, password and host in it.

    A sign that ends one of them, and stands in a password as it is, makes the beginning of the password a host, which is shown.
    """
    if not re.fullmatch(r"[a-z]+://(?:[^\s%]|%[0-9A-Fa-f]{2})*", address):
        return False
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return address.count("@") == parts.netloc.count("@") <= 1


def _is_of_postgres(address: str) -> bool:
    if not (_has_parts(address) and address.startswith(("postgres://", "postgresql://"))):
        return False
    try:
        port = urlsplit(address).port
    except ValueError:
        return False
    return port is None or port > 0


def _is_of_motherduck(address: str) -> bool:
    return bool(re.fullmatch(r"md:[A-Za-z_][A-Za-z0-9_-]*(\?motherduck_token=[^\s&]+)?", address))


def _is_of_snowflake(address: str) -> bool:
    return _has_parts(address) and bool(re.fullmatch(r"snowflake://[^\s/@]+@[^\s/@]+/[^\s/?]+(/[^\s/?]+)?(\?\S*)?", address))


def _is_of_bigquery(address: str) -> bool:
    parameter = r"(location=[A-Za-z0-9-]+|credentials=(/|[A-Za-z]:)[^\s&#]+)"
    return bool(re.fullmatch(rf"bigquery://[a-z][a-z0-9.:-]+(/[A-Za-z0-9_]+)?(\?{parameter}(&{parameter})?)?", address))


EXAMPLES: Final = {
    "postgres": "postgresql://user:password@host:5432/database",
    "motherduck": "md:database",
    "snowflake": "snowflake://user:password@account/database?warehouse=name",
    "bigquery": "bigquery://project/prefix?location=EU&credentials=/path/of/key.json",
}
SIGNS_OF_PASSWORDS: Final = (
    "; in a user or password @ is written as %40, : as %3A, / as %2F, ? as %3F, # as %23, % as %25 and a blank as %20"
)
USABLE: Final = {
    "postgres": _is_of_postgres,
    "motherduck": _is_of_motherduck,
    "snowflake": _is_of_snowflake,
    "bigquery": _is_of_bigquery,
}


def is_loopback(host: str) -> bool:
    """Whether the host is this machine itself."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
