"""What the marts promise of the budgets of tasks, and of past periods of a project's.

As in `promises`: plain Python, written from the descriptions in the `.yml` and never from the SQL.
"""

from datetime import date
from fractions import Fraction

from analytics_assets_tests.dbt.entry import Entry, local_start
from analytics_assets_tests.dbt.expected import amount, rate_currency, seconds
from analytics_assets_tests.dbt.history import Row, Sync
from analytics_assets_tests.dbt.money import exponent_of, in_units, rounded
from analytics_assets_tests.dbt.periods import period_of
from analytics_assets_tests.dbt.promises import Workspace

TASK_ESTIMATES = {None: None, "PT0S": 0, "PT1S": 1, "1": 1, "PT1H": 3600, "PT2H30M": 9000, "PT9H": 32_400}


class BudgetedWorkspace(Workspace):
    """The same workspace with what only these marts look at."""

    def __init__(self, syncs: list[Sync]) -> None:
        super().__init__(syncs)
        self.users = {row["id"]: row for sync in syncs for row in sync.rows["users"]}
        self.groups = {row["id"]: row for sync in syncs for row in sync.rows["user_groups"]}
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
        currency = of_project.get("currency") or rate_currency(task, "hourly") or own
        counts_all = project.get("time_estimate__include_non_billable") is not False
        paid = sum(amount(entry.row) for entry in entries if entry.currency == currency)
        row: Row = {
            "task_name": task["name"],
            "project_id": task["_projects_id"],
            "project_name": project.get("name"),
            "client_id": project.get("client_id") or None,
            "client_name": self.clients.get(project.get("client_id") or "", {}).get("name"),
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
                f"{name}_used_share": float(rounded(Fraction(used, whole), 4)) if whole else None,
                f"is_over_{name}": bool(whole and used > whole),
            }
        row["currency_exponent"] = exponent_of(currency)
        for name in ("amount", "budget", "budget_used", "budget_remaining"):
            row[name] = in_units(row[f"{name}_minor"], currency)
        return row

    # ---- project_budget_periods ------------------------------------------------------------------------------------

    def budget_periods(self, as_of: date) -> dict[tuple[str, str, date], Row]:
        """Rows of `project_budget_periods` by project, kind and first day."""
        rows: dict[tuple[str, str, date], Row] = {}
        budgets = self.budgets(as_of)
        for entry in self.entries:
            project = self.projects.get(entry.project_id or "")
            if project is None or entry.start_date > as_of:
                continue
            budget, reset = budgets[project["id"]], project["estimate_reset"] or {}
            in_currency = entry.currency == budget["currency"]
            counts = entry.is_billable or project["time_estimate__include_non_billable"] is not False
            for kind, unit, whole, option, used, is_left_out in (
                (
                    *("TIME_ESTIMATE", "seconds", budget["estimate_seconds"], project["time_estimate__reset_option"]),
                    *(seconds(entry.row) if counts else 0, False),
                ),
                (
                    *("BUDGET", "minor", budget["budget_minor"], project["budget_estimate"]["resetOption"]),
                    *(amount(entry.row) if in_currency else 0, bool(amount(entry.row)) and not in_currency),
                ),
            ):
                if not option or not whole:
                    continue
                first, last = period_of(option, reset, local_start(entry.row))
                row = rows.setdefault(
                    (project["id"], kind, first),
                    {
                        "project_name": project["name"],
                        "client_id": project["client_id"] or None,
                        "client_name": budget["client_name"],
                        "is_deleted": project["id"] not in {row["id"] for row in self.syncs[-1].rows["projects"]},
                        "as_of_date": as_of,
                        "period_end": last,
                        "is_current": first <= as_of <= last,
                        "currency": budget["currency"] if unit == "minor" else None,
                        **dict.fromkeys(("available_seconds", "used_seconds", "available_minor", "used_minor")),
                        "has_amounts_in_other_currencies": False,
                        f"available_{unit}": whole,
                        f"used_{unit}": 0,
                    },
                )
                row[f"used_{unit}"] += used
                row["has_amounts_in_other_currencies"] |= is_left_out
                row["used_share"] = float(rounded(Fraction(row[f"used_{unit}"], whole), 4))
                row["is_over"] = row[f"used_{unit}"] > whole
        for row in rows.values():
            row["currency_exponent"] = exponent_of(row["currency"])
            row |= {name: in_units(row[f"{name}_minor"], row["currency"]) for name in ("available", "used")}
        return rows


def _seconds(entries: list[Entry]) -> int:
    return sum(seconds(entry.row) for entry in entries)
