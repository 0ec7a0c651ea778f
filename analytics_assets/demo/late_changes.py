"""Late changes of the demo workspace: entries that were edited, deleted and added after their month had ended.

A workspace that never changes has nothing to show in a list of changes. So it can be taken back to what it was before
its last changes, and let go on from there: whoever has read it in between sees them.
"""

import datetime as dt
import random
from collections.abc import Callable
from itertools import cycle
from typing import Any

from analytics_assets.demo.records import Record, interval
from analytics_assets.demo.workspace import Workspace

MONTHS = 3
"""So many of the last closed months have late changes."""
EDITED, DELETED, ADDED = 36, 9, 6


def late_months(today: dt.date) -> tuple[dt.date, dt.date]:
    """The first day of the months that have late changes, and the first day behind them."""
    index = today.year * 12 + today.month - 1
    first, end = index - MONTHS, index
    return dt.date(first // 12, first % 12 + 1, 1), dt.date(end // 12, end % 12 + 1, 1)


def take_back(workspace: Workspace, *, today: dt.date, seed: int = 7) -> Callable[[], None]:
    """Take the workspace back to what it was before its late changes.

    Args:
        workspace: as it is in the end; its entries of the last closed months are changed.
        today: the day on which its history ends.
        seed: another seed, other changes.

    Returns:
        What lets the changes happen: afterwards the workspace is what it was before this call.
    """
    chance = random.Random(f"late changes {seed} {today}")
    first, end = (day.isoformat() for day in late_months(today))
    candidates = [
        entry
        for entry in workspace.records("time_entries")
        if first <= entry["timeInterval"]["start"] < end and entry["timeInterval"]["end"] and entry["projectId"]
    ]
    chosen = chance.sample(candidates, min(len(candidates), EDITED + DELETED + ADDED))
    edited, deleted, added = chosen[:EDITED], chosen[EDITED : EDITED + DELETED], chosen[EDITED + DELETED :]
    for entry, former in zip(edited, cycle(FORMER), strict=False):
        workspace.edit("time_entries", entry["id"], **former(entry, workspace, chance))
    gone = [
        workspace.add("time_entries", {**entry, "id": workspace.new_id(), "description": "Booked twice"}) for entry in deleted
    ]
    for entry in added:
        workspace.delete("time_entries", entry["id"])

    def go_on() -> None:
        for entry in edited:
            workspace.edit("time_entries", entry["id"], **{name: value for name, value in entry.items() if name != "id"})
        for entry in gone:
            workspace.delete("time_entries", entry["id"])
        for entry in added:
            workspace.add("time_entries", entry)

    return go_on


def _longer(entry: Record, workspace: Workspace, chance: random.Random) -> dict[str, Any]:
    """It was longer before somebody looked at the invoice."""
    start, end = (dt.datetime.fromisoformat(entry["timeInterval"][name]) for name in ("start", "end"))
    return {"timeInterval": interval(start, end + dt.timedelta(minutes=chance.choice((15, 30, 45))))}


def _other_billing(entry: Record, workspace: Workspace, chance: random.Random) -> dict[str, Any]:
    """It was billed, or was not."""
    if entry["billable"]:
        return {"billable": False, "hourlyRate": None}
    project = workspace.find("projects", entry["projectId"])
    return {"billable": True, "hourlyRate": project["hourlyRate"]}


def _other_project(entry: Record, workspace: Workspace, chance: random.Random) -> dict[str, Any]:
    """It was booked on the wrong project."""
    return {"projectId": chance.choice(workspace.projects)["id"], "taskId": None}


def _other_words(entry: Record, workspace: Workspace, chance: random.Random) -> dict[str, Any]:
    """Nobody had said what it was."""
    return {"description": ""}


FORMER = (_longer, _other_billing, _other_project, _other_words)
