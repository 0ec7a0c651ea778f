"""A whole invented workspace, the same one for the same arguments.

Only the order in which its parts are invented belongs here, each with dice of its own, so that another number
of entries leaves the people as they were. What is invented is said in `people`, `projects` and `entries`.
"""

import datetime as dt
import random

from analytics_assets.demo.entries import invent_entries
from analytics_assets.demo.people import invent_groups, invent_people
from analytics_assets.demo.projects import invent_clients, invent_projects, invent_tags, sum_durations
from analytics_assets.demo.workspace import Workspace

SHORTEST_HISTORY = dt.timedelta(14)


DEFAULT_SEED = 7


def workspace_id(seed: int = DEFAULT_SEED) -> str:
    """The id of the workspace that this seed invents, on whatever day."""
    return f"{_identity(seed)[1]:024x}"


def _identity(seed: int) -> tuple[int, int]:
    """The marks of the machine and of the workspace that are in all its ids."""
    identity = random.Random(f"workspace {seed}")
    return identity.getrandbits(40), identity.getrandbits(96)


def build_workspace(
    *,
    seed: int = DEFAULT_SEED,
    today: dt.date | None = None,
    months: int = 36,
    users: int = 40,
    projects: int = 60,
    clients: int = 15,
    tags: int = 25,
    groups: int = 6,
    entries: int = 60_000,
) -> Workspace:
    """Invent a workspace.

    Args:
        seed: Another seed, another workspace.
        today: The day on which history ends, by default the current UTC date.
        months: Calendar months of history, the current one included; at least two weeks.
        users: Members, those with a LIMITED account included.
        projects: Projects; each but every ninth has tasks.
        clients: Clients.
        tags: Tags.
        groups: User groups.
        entries: Time entries over all members; none without members who work.

    Returns:
        The workspace, its entries newest first.
    """
    today = today or dt.datetime.now(dt.UTC).date()
    first_day = min(_months_back(today, months - 1), today - SHORTEST_HISTORY)
    machine, _ = _identity(seed)
    workspace = Workspace(workspace_id(seed), issued=first_day, machine=f"{machine:010x}")

    def dice(part: str) -> random.Random:
        return random.Random(f"{part} {seed} {today} {months}")

    people = invent_people(workspace, dice("people"), users, first_day, today)
    invent_groups(workspace, dice("groups"), groups)
    invent_clients(workspace, dice("clients"), clients)
    invent_tags(workspace, dice("tags"), tags)
    invent_projects(workspace, dice("projects"), people, projects)
    booked = invent_entries(workspace, dice("entries"), people, entries, first_day, today)
    sum_durations(workspace, booked)
    return workspace


def empty_workspace() -> Workspace:
    """A workspace with nothing in it."""
    return Workspace("5f" * 12, issued=dt.date(2024, 1, 1))


def _months_back(day: dt.date, months: int) -> dt.date:
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return dt.date(year, month + 1, 1)
