"""The owner's table of who can work how much: a CSV file, one line per member, or per member and day it begins on.

    member,hours_per_week,valid_from
    ada@example.com,30,
    ada@example.com,20,2026-03-01

With a column `workspace_id` a line holds for that workspace alone, and counts before one for all of them.

`member` is an e-mail address or an id. Without a day a line holds always; of several, the last one that has begun counts.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Final

from analytics_assets.orchestration.owner_files import WORKSPACE, read_owner_file

COLUMNS: Final = ("member", "hours_per_week", "valid_from")
HOURS_OF_A_WEEK: Final = 168
MEMBER: Final = re.compile(r"[^\s'\"{}\\]+")


@dataclass(frozen=True)
class MemberCapacity:
    """What a member, named by e-mail address or id, can work in a week from a day on; None means always."""

    member: str
    weekly_seconds: int
    valid_from: date | None
    workspace_id: str | None = None


def read_member_capacities(path: Path | None, workspaces: Collection[str] = ()) -> list[MemberCapacity]:
    """The lines of the file; none where no file is set.

    Args:
        path: the file.
        workspaces: those that lines may be for.

    Raises:
        SettingsError: the file can't be read, or names the first line that is wrong, and what it should be.
    """
    return read_owner_file(
        "member_capacities",
        path,
        workspaces=workspaces,
        columns=COLUMNS,
        optional=("valid_from",),
        line_of=_capacity,
        key_of=of_whom_and_when,
    )


def of_whom_and_when(line: MemberCapacity) -> tuple[str, date | None]:
    """The member that a line is for, as addresses are compared, and the day that it begins on."""
    return line.member.lower(), line.valid_from


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
    return MemberCapacity(member, int((worked * 3600).to_integral_value()), valid_from, record.get(WORKSPACE) or None)
