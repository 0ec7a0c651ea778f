"""A workspace of three members over four months, small enough that a sync of it costs next to nothing.

Only its making belongs here. Months are counted back from the current one: `month(0)` is now.
"""

from datetime import UTC, date, datetime, timedelta

from analytics_assets.demo.records import Record
from analytics_assets.demo.workspace import Workspace
from analytics_assets.pipeline.months import Month, current_month
from analytics_assets.source.columns import ResourceName

MONTHS = 4


def month(back: int) -> Month:
    """The month so many months before the current one."""
    return current_month().plus(-back)


def moment(back: int, day: int = 1, hour: int = 9, minute: int = 0) -> datetime:
    """A moment in the month so many months before the current one."""
    return month(back).first_moment + timedelta(days=day - 1, hours=hour, minutes=minute)


def tiny_workspace() -> Workspace:
    """Three members with two entries a month each, three projects with two tasks each, and three of all else."""
    workspace = Workspace("5f" * 12, issued=date(2024, 1, 1))
    rate = {"amount": 12_500, "currency": "EUR"}
    for name in ("Ada", "Ben", "Chi"):
        workspace.new("users", name=name, email=f"{name.lower()}@example.com")
        workspace.new("clients", name=f"Client of {name}", currencyCode="EUR")
        workspace.new("tags", name=f"Tag of {name}")
        workspace.new("user_groups", name=f"Group of {name}", userIds=[workspace.users[-1]["id"]])
        project = workspace.new(
            "projects", name=f"Project of {name}", clientId=workspace.clients[-1]["id"], hourlyRate=dict(rate)
        )
        for number in (1, 2):
            workspace.new("tasks", project["id"], name=f"Task {number} of {name}")
    for user in workspace.users:
        for back in range(MONTHS):
            for number, day in enumerate((1, 1 if back == 0 else 20)):
                start = moment(back, day, 0 if back == 0 else 9, number)
                workspace.new_time_entry(
                    user["id"],
                    start,
                    start + timedelta(minutes=90),
                    description=f"{user['name']} {back} {number}",
                    projectId=workspace.projects[number]["id"],
                    taskId=workspace.tasks[workspace.projects[number]["id"]][0]["id"],
                    tagIds=[workspace.tags[number]["id"]],
                    hourlyRate=dict(rate),
                )
    return workspace


def iso(at: datetime) -> str:
    """The moment as the API writes it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def only_entries() -> list[ResourceName]:
    """A selection that leaves the other tables alone, for syncs that are about entries and little else."""
    return ["time_entries"]


def entry_of(workspace: Workspace, name: str, back: int, number: int = 0) -> Record:
    """One of the two entries of a member in a month."""
    return next(e for e in workspace.records("time_entries") if e["description"] == f"{name} {back} {number}")
