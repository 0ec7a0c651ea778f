"""What the text of a variable means, and which values a variable of its kind may have.

Which variables there are, of which kind each is, and what they may hold together is decided in `settings.py`.
"""

import ipaddress
import json
import math
import re
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import SplitResult, urlsplit
from zoneinfo import available_timezones

from pydantic import BeforeValidator

NOT_IN_FOLDERS: Final = frozenset("'%?")
"""What dlt or DuckDB take for something else in the path of a file that they load or write."""
RESERVED_DATABASE_NAMES: Final = frozenset(
    {"raw", "raw_history", "staging", "marts", "landed", "main", "memory", "system", "temp", "information_schema", "pg_catalog"}
)
"""DuckDB names a database after its file; one that is called like a schema makes `raw.users` ambiguous."""

NOT_IN_ADDRESSES: Final = frozenset(" \"'<>\\^`{|}")
LONE_SURROGATE: Final = r"[\ud800-\udfff]"
HIGHEST_PORT: Final = 65535
WORKSPACES_FOLDER: Final = "workspaces"
"""Where the warehouses of several workspaces lie, beside the file with the tables of all."""
LARGEST_PAGE: Final = 5000
"""What the API documents as the most rows of a page."""
DESTINATIONS_TO_COME: Final = frozenset({"motherduck", "snowflake", "bigquery"})


def empty_is_none(value: Any) -> Any:
    """A blank variable counts as not set; a pasted key often ends in a line break."""
    return (value.strip() or None) if isinstance(value, str) else value


def parsed_json(value: Any) -> Any:
    """The value of a JSON document; an empty object where the variable is blank."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value) if value.strip() else {}
    except json.JSONDecodeError as error:
        raise ValueError(f"is not valid JSON ({error.msg} at character {error.pos + 1})") from None


def query_parameters(value: Any) -> Any:
    """Query parameters for each resource, with text for each value that stands in the address.

    Braces are refused because dlt fills them in from other resources, objects because it takes some for its own, and null and
    empty lists because they would not be sent.
    """
    named = parsed_json(value)
    if not isinstance(named, dict) or not all(isinstance(params, dict) for params in named.values()):
        raise ValueError("must be a JSON object of resources, each with an object of query parameters")
    return {
        resource: {_parameter_text(name, "a name"): _parameter_value(name, held) for name, held in params.items()}
        for resource, params in named.items()
    }


def _parameter_value(name: str, value: Any) -> str | list[str]:
    if not isinstance(value, list):
        return _parameter_text(value, name)
    if not value:
        raise ValueError(f"has an empty list for {name}, which would not be sent; take it out")
    return [_parameter_text(each, name) for each in value]


def _parameter_text(value: Any, place: str) -> str:
    """A name or a value as it is sent; `requests` would write True for true."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        return str(value)
    if not isinstance(value, str) or re.search(LONE_SURROGATE, value):
        raise ValueError(f"has a value for {place} that is no text, number, true or false, and no list of those")
    if set(value) & {"{", "}"}:
        raise ValueError(f"has braces in {place}, which have a meaning of their own inside; take them out")
    return value


def asked_page_size(value: Any) -> Any:
    """`auto`, or how many rows."""
    text = str(value).strip()
    if text.lower() == "auto":
        return "auto"
    if not text.isdecimal() or not 1 <= int(text) <= LARGEST_PAGE:
        raise ValueError(f"is {text!r}; it must be auto or an integer from 1 to {LARGEST_PAGE}")
    return int(text)


def owner_names(value: Any) -> Any:
    """Who is named as owner of the assets: e-mail addresses, or teams as `team:name`, with commas between them."""
    if not isinstance(value, str):
        return value
    names = [name for each in value.split(",") if (name := each.strip())]
    for name in names:
        if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+|team:[A-Za-z0-9_]+", name):
            raise ValueError(f"names {name!r}; an owner is an e-mail address, or a team like team:finance")
    return ",".join(names) or None


def destination_name(value: Any) -> Any:
    """The name of a destination that can be delivered to."""
    name = str(value).strip().lower()
    if name in DESTINATIONS_TO_COME:
        raise ValueError(f"is {name}, which is not there yet; it may be duckdb or postgres")
    return name or "duckdb"


def database_url(value: Any) -> Any:
    """The address of a Postgres database, which may leave out what libpq finds in its own variables."""
    text = empty_is_none(value)
    if text is None:
        return None
    try:
        parts = urlsplit(str(text))
        is_usable = parts.scheme in ("postgres", "postgresql") and (parts.port is None or parts.port > 0)
    except ValueError:
        is_usable = False
    if not is_usable:
        raise ValueError("must be an address like postgresql://user:password@host:5432/database")
    return text


def in_capitals(value: Any) -> Any:
    """A word in capitals, however it was written."""
    return value.strip().upper() if isinstance(value, str) else value


def plain_date(value: Any) -> Any:
    """A date as people write it in ISO 8601; pydantic would take a number for the seconds since 1970 too."""
    if isinstance(value, str) and not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value.strip()):
        raise ValueError(f"is {value!r}, which is not a date; write it like 2025-06-30")
    return empty_is_none(value)


def local_path(value: Any) -> Any:
    """The path of a file on this machine; `s3://bucket/file` would be one in a folder that is called `s3:`."""
    text = empty_is_none(value)
    if isinstance(text, str) and re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", text):
        raise ValueError(f"must be a path on this machine, and not an address that begins with {text.partition('//')[0]}//")
    return text


def usable_as_database(value: Path) -> Path:
    """The path, if the name of the file is one that DuckDB and dbt derive the same database name from."""
    if not re.fullmatch(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)?", value.name):
        raise ValueError(
            f"names the file {value.name}; a file's name may hold letters, digits, - and _, and one dot before its ending"
        )
    if value.stem.lower() in RESERVED_DATABASE_NAMES:
        raise ValueError(f"names the file {value.name}, but {value.stem} has a meaning of its own inside; choose another name")
    return value


def usable_as_folder(folder: Path) -> Path:
    """The folder, if dlt and DuckDB take its path as it is."""
    if odd := sorted(set(str(folder)) & NOT_IN_FOLDERS):
        raise ValueError(
            f"leads to the folder {folder}; the names of the folders may not hold {' '.join(odd)} (choose another folder)"
        )
    return folder


def is_loopback(host: str) -> bool:
    """Whether the host is this machine itself."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_time_zone(name: str) -> bool:
    """Whether the name is one of the time zone database; `localtime`, which Debian lists too, is no zone that others know."""
    return name in available_timezones() - {"localtime"}


OptionalText = Annotated[str | None, BeforeValidator(empty_is_none)]
Weekday = Literal["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"]


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
    ids = [each for part in value.split(",") if (each := part.strip())]
    for each in ids or [value]:
        if not re.fullmatch(r"[A-Za-z0-9._~-]+", each):
            raise ValueError("may hold only letters from A to Z, digits and the signs . _ ~ -, and commas between several ids")
        if not each.strip("."):
            raise ValueError("must not be . or .., which lead to another address")
    names = [name_of_workspace(each).casefold() for each in ids]
    if len(names) > len(set(names)):
        raise ValueError("names two workspaces whose letters and digits are the same; name each once")
    return ",".join(ids)


def name_of_workspace(workspace_id: str) -> str:
    """What a workspace is called in Dagster, whose names hold letters, digits and underscores alone."""
    return re.sub(r"\W", "_", workspace_id, flags=re.ASCII)


def known_zone(value: str | None) -> str | None:
    """The name of a time zone that exists."""
    if value is not None and not is_time_zone(value):
        raise ValueError(f"is {value!r}, which is not the name of a time zone; write it like Europe/Berlin")
    return value


def currency_code(value: str | None) -> str | None:
    """The code of a currency."""
    if value is not None and not re.fullmatch(r"[A-Z]{3}", value):
        raise ValueError(f"is {value!r}, which is not an ISO 4217 code; write it in three capitals like EUR")
    return value
