"""What the text of a variable means, and which values a variable of its kind may have.

Which variables there are, of which kind each is, and what they may hold together is decided in `settings.py`.
"""

import json
import math
import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from zoneinfo import available_timezones

from pydantic import BeforeValidator, SecretStr

NOT_IN_FOLDERS: Final = frozenset("'%?")
"""What dlt or DuckDB take for something else in the path of a file that they load or write."""
RESERVED_DATABASE_NAMES: Final = frozenset(
    {"raw", "raw_history", "staging", "marts", "landed", "main", "memory", "system", "temp", "information_schema", "pg_catalog"}
)
"""DuckDB names a database after its file; one that is called like a schema makes `raw.users` ambiguous."""

LONE_SURROGATE: Final = r"[\ud800-\udfff]"
WORKSPACES_FOLDER: Final = "workspaces"
"""Where the warehouses of several workspaces lie, beside the file with the tables of all."""
EARLIEST_START: Final = date(1970, 1, 1)
LATEST_AS_OF: Final = date(2099, 12, 31)
LARGEST_PAGE: Final = 5000
"""What the API documents as the most rows of a page."""
DELIVERED_TO: Final = {"postgres": "Postgres", "motherduck": "MotherDuck", "snowflake": "Snowflake", "bigquery": "BigQuery"}
"""Destinations that tables can be delivered to, and what people call each."""


def empty_is_none(value: Any) -> Any:
    """A blank variable counts as not set; a pasted key often ends in a line break."""
    return (value.strip() or None) if isinstance(value, str) else value


def sendable_key(value: SecretStr | None) -> SecretStr | None:
    """The key, if a header can carry it; `requests` would say so too, and show the key."""
    key = "" if value is None else value.get_secret_value()
    if not (key.isascii() and key.isprintable()):
        raise ValueError("holds characters that no key has, such as a line break or an accented letter; copy it anew")
    return value


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
    return str(value).strip().lower() or "duckdb"


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


def place_of(value: Path) -> Path:
    """The path with the home of a user in the place of `~`, if it is one that DuckDB and dlt can be told.

    Raises:
        ValueError: there is no such user, or a name on the way is no text; the words are the end of a sentence.
    """
    try:
        str(value).encode()
    except UnicodeEncodeError:
        shown = str(value).encode(errors="backslashreplace").decode()
        raise ValueError(f"leads to {shown}, which is no text in UTF-8; choose a place whose path is") from None
    try:
        return value.expanduser()
    except RuntimeError:
        raise ValueError(f"begins with {value.parts[0]}, but no home of such a user is known; write the whole path") from None


def usable_as_database(value: Path) -> Path:
    """The path, if the name of the file is one that DuckDB and dbt derive the same database name from."""
    if not value.name:
        raise ValueError(f"is {str(value)!r}, which names no file; write it like data/analytics.duckdb")
    if not re.fullmatch(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)?", value.name):
        raise ValueError(
            f"names the file {value.name}; a file's name may hold letters, digits, - and _, and one dot before its ending"
        )
    if value.stem.lower() in RESERVED_DATABASE_NAMES:
        raise ValueError(f"names the file {value.name}, but {value.stem} has a meaning of its own inside; choose another name")
    return value


def start_of_history(value: date) -> date:
    """The date, if history can begin on it."""
    if value > datetime.now(UTC).date():
        raise ValueError("must not lie in the future")
    if value < EARLIEST_START:
        raise ValueError(f"must not lie before {EARLIEST_START}")
    return value


def as_of(value: date | None) -> date | None:
    """The date, if there can be entries up to it."""
    if value is not None and not EARLIEST_START <= value <= LATEST_AS_OF:
        raise ValueError(f"must lie between {EARLIEST_START} and {LATEST_AS_OF}")
    return value


def usable_as_folder(folder: Path) -> Path:
    """The folder, if dlt and DuckDB take its path as it is."""
    if odd := sorted(set(str(folder)) & NOT_IN_FOLDERS):
        raise ValueError(
            f"leads to the folder {folder}; the names of the folders may not hold {' '.join(odd)} (choose another folder)"
        )
    return folder


def is_time_zone(name: str) -> bool:
    """Whether the name is one of the time zone database; `localtime`, which Debian lists too, is no zone that others know."""
    return name in available_timezones() - {"localtime"}


OptionalText = Annotated[str | None, BeforeValidator(empty_is_none)]
Destination = Literal["duckdb", "postgres", "motherduck", "snowflake", "bigquery"]
Weekday = Literal["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"]


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
