"""What the marts promise that look closer: at tasks, groups, days, custom fields and past periods.

As in `promises`: plain Python, written from the descriptions in the `.yml` and never from the SQL.
"""

from datetime import date
from fractions import Fraction

from analytics_assets_tests.dbt.history import Row, Sync, amount, seconds
from analytics_assets_tests.dbt.promises import Entry, Workspace, _rounded


class CloseWorkspace(Workspace):
    """The same workspace with what only these marts look at."""

    def __init__(self, syncs: list[Sync]) -> None:
        super().__init__(syncs)
        self.tasks = {row["id"]: row for sync in syncs for row in sync.rows["tasks"]}

    # ---- task_budgets ----------------------------------------------------------------------------------------------

    def task_budgets(self, as_of: date) -> dict[str, Row]:
        """Rows of `task_budgets` by task."""
        of_projects = self.budgets(as_of)
        return {
            key: self._task_budget(task, of_projects.get(task["_projects_id"], {}), as_of) for key, task in self.tasks.items()
        }

    def _task_budget(self, task: Row, of_project: Row, as_of: date) -> Row:
        named = [entry for entry in self.entries if entry.row["task_id"] == task["id"] and entry.start_date <= as_of]
        project = self.projects.get(task["_projects_id"], {})
        entries = [entry for entry in named if entry.project_id == task["_projects_id"]]
        with_amount = {entry.currency for entry in entries if amount(entry.row) and entry.currency}
        own = min(with_amount or {entry.currency for entry in entries if entry.currency}, default=None)
        currency = of_project.get("currency") or task["hourly_rate__currency"] or own
        counts_all = project.get("time_estimate__include_non_billable") is not False
        paid = sum(amount(entry.row) for entry in entries if entry.currency == currency)
        row: Row = {
            "task_name": task["name"],
            "project_id": task["_projects_id"],
            "project_name": project.get("name"),
            "client_id": project.get("client_id") or None,
            "client_name": of_project.get("client_name"),
            "status": task["status"],
            "is_done": task["status"] == "DONE",
            "is_deleted": task["id"] not in {row["id"] for row in self.syncs[-1].rows["tasks"]},
            "as_of_date": as_of,
            "currency": currency,
            "tracked_seconds": _seconds(entries),
            "billable_seconds": _seconds([entry for entry in entries if entry.is_billable]),
            "amount_minor": paid,
            "has_amounts_in_other_currencies": any(amount(entry.row) and entry.currency != currency for entry in entries),
            "other_projects_seconds": _seconds([entry for entry in named if entry not in entries]),
        }
        counted = [entry for entry in entries if entry.is_billable or counts_all]
        budget = task["budget_estimate"]
        for name, unit, whole, used in (
            (
                "estimate",
                "seconds",
                TASK_ESTIMATES[task["estimate"]],
                _seconds(counted),
            ),
            ("budget", "minor", budget["estimate"] if isinstance(budget, dict) else budget, paid),
        ):
            row |= {
                f"{name}_{unit}": whole or None,
                f"{name}_used_{unit}": used if whole else None,
                f"{name}_remaining_{unit}": whole - used if whole else None,
                f"{name}_used_share": float(_rounded(Fraction(used, whole), 4)) if whole else None,
                f"is_over_{name}": bool(whole and used > whole),
            }
        return row


TASK_ESTIMATES = {None: None, "PT0S": 0, "PT1S": 1, "1": 1, "PT1H": 3600, "PT2H30M": 9000, "PT9H": 32_400}


def _seconds(entries: list[Entry]) -> int:
    return sum(seconds(entry.row) for entry in entries)
