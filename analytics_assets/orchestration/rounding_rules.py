"""The owner's table of how billed time is rounded: a CSV file, one line per client, and one for all others.

    client,minutes,direction
    ,15,up
    Acme,6,nearest

With a column `workspace_id` a line holds for that workspace alone, and counts before one for all of them.

`client` is a name or an id; a line without one holds for every client that no other line names, and for time without a
client. Each entry is rounded by itself, to a multiple of so many minutes; without a line for it, time counts to the second.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from analytics_assets.orchestration.owner_files import WORKSPACE, read_owner_file

COLUMNS: Final = ("client", "minutes", "direction")
DIRECTIONS: Final = ("up", "down", "nearest")
MINUTES_OF_A_DAY: Final = 24 * 60


@dataclass(frozen=True)
class RoundingRule:
    """How the entries of a client, named by name or id, are rounded; None is for all others."""

    client: str | None
    minutes: int
    direction: str
    workspace_id: str | None = None


def read_rounding_rules(path: Path | None, workspaces: Collection[str] = ()) -> list[RoundingRule]:
    """The lines of the file; none where no file is set.

    Args:
        path: the file.
        workspaces: those that lines may be for.

    Raises:
        SettingsError: the file can't be read, or names the first line that is wrong, and what it should be.
    """
    return read_owner_file("rounding_rules", path, workspaces=workspaces, columns=COLUMNS, line_of=_rule, key_of=of_whom)


def of_whom(line: RoundingRule) -> str:
    """The client that a line is for, as names are compared."""
    return (line.client or "").lower()


def _rule(where: str, record: dict[str, str]) -> RoundingRule:
    client, minutes, direction = (record[name] for name in COLUMNS)
    if re.search(r"[{}\\]|[^\x20-\U0010ffff]", client):
        raise ValueError(f"{where} has the client {client!r}; write its id, because of the braces or signs in it")
    if not re.fullmatch(r"[0-9]{1,4}", minutes) or not 1 <= int(minutes) <= MINUTES_OF_A_DAY:
        raise ValueError(f"{where} has {minutes!r} minutes; write a whole number from 1 to {MINUTES_OF_A_DAY}, like 15")
    if direction.lower() not in DIRECTIONS:
        raise ValueError(f"{where} has the direction {direction!r}; write one of {', '.join(DIRECTIONS)}")
    return RoundingRule(client or None, int(minutes), direction.lower(), record.get(WORKSPACE) or None)
