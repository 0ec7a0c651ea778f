"""The owner's table of who can work how much: a CSV file, one line per member, or per member and day it begins on.

    member,hours_per_week,valid_from
    ada@example.com,30,
    ada@example.com,20,2026-03-01

`member` is an e-mail address or an id. Without a day a line holds always; of several, the last one that has begun counts.
"""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Final

from analytics_assets.settings import SettingsError, variable

COLUMNS: Final = ("member", "hours_per_week", "valid_from")
HOURS_OF_A_WEEK: Final = 168
MEMBER: Final = re.compile(r"[^\s'\"{}\\]+")


@dataclass(frozen=True)
class MemberCapacity:
    """What a member, named by e-mail address or id, can work in a week from a day on; None means always."""

    member: str
    weekly_seconds: int
    valid_from: date | None


def read_member_capacities(path: Path | None) -> list[MemberCapacity]:
    """The lines of the file; none where no file is set.

    Raises:
        SettingsError: the file can't be read, or names the first line that is wrong, and what it should be.
    """
    if path is None:
        return []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return list(_lines(csv.DictReader(file, skipinitialspace=True)))
    except OSError as error:
        raise _wrong(f"names {path}, which can't be read ({error.strerror or error})") from None
    except (ValueError, csv.Error) as error:
        raise _wrong(f"names {path}, where {error}") from None


def _wrong(problem: str) -> SettingsError:
    return SettingsError([(variable("member_capacities"), problem)])


def _lines(reader: "csv.DictReader[str]") -> Iterator[MemberCapacity]:
    names = [name.strip() for name in reader.fieldnames or []]
    if not {"member", "hours_per_week"} <= set(names) <= set(COLUMNS):
        raise ValueError(f"the first line must name the columns {', '.join(COLUMNS)}, the last of which may be missing")
    reader.fieldnames = names
    seen: set[tuple[str, date | None]] = set()
    for record in reader:
        where = f"line {reader.line_num}"
        if any(value is None for name, value in record.items() if name in names) or None in record:
            raise ValueError(f"{where} has not as many values as there are columns")
        each = _capacity(where, {name: value.strip() for name, value in record.items()})
        if (key := (each.member.lower(), each.valid_from)) in seen:
            raise ValueError(f"{where} says a second time what {each.member} can work from that day on")
        seen.add(key)
        yield each


def _capacity(where: str, record: dict[str, str]) -> MemberCapacity:
    member, hours, day = record["member"], record["hours_per_week"], record.get("valid_from", "")
    if not MEMBER.fullmatch(member):
        raise ValueError(f"{where} has the member {member!r}; write an e-mail address or an id")
    try:
        worked = Decimal(hours)
        is_possible = 0 <= worked <= HOURS_OF_A_WEEK
    except InvalidOperation:
        is_possible = False
    if not is_possible:
        raise ValueError(f"{where} has {hours!r} hours; write a number from 0 to {HOURS_OF_A_WEEK}, like 37.5")
    try:
        valid_from = date.fromisoformat(day) if day else None
    except ValueError:
        raise ValueError(f"{where} has the day {day!r}; write it like 2026-03-01, or leave it out") from None
    return MemberCapacity(member, int((worked * 3600).to_integral_value()), valid_from)
