"""What dimensions, facts and the timesheet promise.

As in `promises`: plain Python, written from the descriptions in the `.yml` and never from the SQL.
"""

from collections import Counter, defaultdict
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from analytics_assets.source.columns import ResourceName
from analytics_assets_tests.dbt.budget_promises import TASK_ESTIMATES
from analytics_assets_tests.dbt.expected import amount, cost, rate_currency, seconds, seconds_by_day, zone_of
from analytics_assets_tests.dbt.further_promises import CloseWorkspace
from analytics_assets_tests.dbt.history import DEFAULT_TIME_ZONE, Row
from analytics_assets_tests.dbt.money import in_units
from analytics_assets_tests.dbt.periods import MONTHS, WEEKDAYS


class PlainWorkspace(CloseWorkspace):
    """The same workspace with the marts that all others are made from."""

    # ---- dimensions ------------------------------------------------------------------------------------------------

    def dimensions(self) -> dict[str, dict[str, Row]]:
        """Rows of each dimension by the id of its things."""
        return {
            "dim_users": self._dimension("users", self._user),
            "dim_projects": self._dimension("projects", self._project),
            "dim_clients": self._dimension("clients", self._client),
            "dim_tasks": self._dimension("tasks", self._task),
            "dim_tags": self._dimension("tags", lambda row: {"tag_name": row["name"]}),
            "dim_user_groups": self._dimension("user_groups", self._group),
        }

    def _dimension(self, resource: ResourceName, describe: Any) -> dict[str, Row]:
        rows: dict[str, Row] = {}
        present: dict[str, Row] = {}
        for sync in self.syncs:
            read = {row["id"]: row for row in sync.rows[resource]}
            for key in present.keys() - read.keys():
                rows[key] |= {"is_deleted": True, "deleted_at": sync.at}
            for key, row in read.items():
                if present.get(key) != row:
                    first = rows.get(key, {}).get("first_listed_at", sync.at)
                    rows[key] = describe(row) | {"loaded_at": sync.at, "is_deleted": False, "deleted_at": None}
                    rows[key]["first_listed_at"] = first
            present = read
        if resource != "users":
            for row in rows.values():
                del row["first_listed_at"]
        return rows

    def _user(self, row: Row) -> Row:
        settings = row["settings"] or {}
        return {
            "user_name": row["name"] or None,
            "email": None,
            "status": row["status"],
            "time_zone": settings.get("timeZone") or DEFAULT_TIME_ZONE,
            "week_start_iso_day": WEEKDAYS.index(settings.get("weekStart") or "MONDAY") + 1,
        }

    def _project(self, row: Row) -> Row:
        client = self.clients.get(row["client_id"] or "", {})
        reset, budget = row["estimate_reset"] or {}, row["budget_estimate"]
        hours = int((row["time_estimate__estimate"] or "PT0H")[2:-1]) if row["time_estimate__active"] else 0
        return {
            "project_name": row["name"],
            "client_id": row["client_id"] or None,
            "client_name": client.get("name"),
            "client_currency": client.get("currency_code") or None,
            "hourly_rate_minor": row["hourly_rate__amount"],
            "hourly_rate_currency": rate_currency(row, "hourly"),
            "hourly_rate": in_units(row["hourly_rate__amount"], row["hourly_rate__currency"]),
            "estimate_seconds": hours * 3600 or None,
            "is_estimate_from_tasks": False,
            "estimate_reset": row["time_estimate__reset_option"],
            "is_estimate_with_non_billable": row["time_estimate__include_non_billable"] is not False,
            "budget_minor": budget["estimate"] or None,
            "is_budget_from_tasks": False,
            "budget_reset": budget["resetOption"],
            "is_budget_with_expenses": budget["includeExpenses"],
            "reset_iso_weekday": WEEKDAYS.index(reset.get("dayOfWeek") or "MONDAY") + 1,
            "reset_day_of_month": reset.get("dayOfMonth") or 1,
            "reset_month": MONTHS.index(reset.get("month") or "JANUARY") + 1,
            "reset_hour": reset.get("hour") or 0,
        }

    @staticmethod
    def _client(row: Row) -> Row:
        return {"client_name": row["name"], "currency": row["currency_code"] or None, "is_archived": False}

    @staticmethod
    def _task(row: Row) -> Row:
        budget = row["budget_estimate"]
        return {
            "task_name": row["name"],
            "project_id": row["_projects_id"],
            "status": row["status"],
            "is_done": row["status"] == "DONE",
            "assignee_count": 0,
            "hourly_rate_currency": rate_currency(row, "hourly"),
            "hourly_rate": in_units(row["hourly_rate__amount"], row["hourly_rate__currency"]),
            "estimate_seconds": TASK_ESTIMATES[row["estimate"]] or None,
            "budget_minor": (budget["estimate"] if isinstance(budget, dict) else budget) or None,
        }

    @staticmethod
    def _group(row: Row) -> Row:
        members = row["user_ids"] if isinstance(row["user_ids"], list) else []
        return {"user_group_name": row["name"], "member_count": len({member for member in members if member})}

    # ---- facts -----------------------------------------------------------------------------------------------------

    def facts(self) -> dict[str, Row]:
        """Rows of `fct_time_entries` by entry."""
        money, loaded = self.money(), self._loaded_at()
        return {
            entry.row["id"]: {
                "user_id": entry.row["user_id"],
                "project_id": entry.project_id,
                "client_id": entry.client_id,
                "task_id": entry.row["task_id"] or None,
                "description": entry.row["description"] or None,
                "is_billable": entry.is_billable,
                "is_running": entry.row["time_interval__end"] is None,
                "started_at": entry.row["time_interval__start"],
                "ended_at": entry.row["time_interval__end"],
                "duration_seconds": seconds(entry.row),
                "entry_date": entry.row["time_interval__start"].astimezone(UTC).date(),
                "amount_minor": amount(entry.row),
                "cost_minor": cost(entry.row),
                "currency": entry.currency,
                "cost_currency": entry.cost_currency,
                "hourly_rate_minor": entry.row["hourly_rate__amount"],
                "cost_rate_minor": entry.row["cost_rate__amount"],
                "entry_type": entry.row["type"] or "REGULAR",
                **{f"is_{kind}": _kind(entry.row) == kind for kind in ("work", "break", "time_off")},
                "is_locked": entry.row["is_locked"],
                "work_date": entry.start_date,
                "time_zone": _zone_name(zone_of(entry.row)),
                "implausible_fields": None,
                "loaded_at": loaded[entry.row["id"]],
                **money[entry.row["id"]],
            }
            for entry in self.entries
        }

    def _loaded_at(self) -> dict[str, datetime]:
        loaded: dict[str, datetime] = {}
        present: dict[str, Row] = {}
        for sync in self.syncs:
            read = {row["id"]: row for row in sync.rows["time_entries"]}
            loaded |= {key: sync.at for key, row in read.items() if present.get(key) != row}
            present = read
        return loaded

    def tags(self) -> dict[tuple[str, str], Row]:
        """Rows of `fct_time_entry_tags` by entry and tag."""
        return {(entry.row["id"], tag): {} for entry in self.entries for tag in entry.row["tag_ids"] or []}

    # ---- timesheet_daily -------------------------------------------------------------------------------------------

    def days(self) -> dict[tuple[str, str | None, date], Row]:
        """Rows of `timesheet_daily` by member, project and day."""
        sums: defaultdict[tuple[str, str | None, date], Counter[str]] = defaultdict(Counter)
        for entry in self.entries:
            for day, part in seconds_by_day(entry.row).items():
                row = sums[entry.row["user_id"], entry.project_id, day]
                row["tracked_seconds"] += part
                row[f"{_kind(entry.row)}_seconds"] += part
                row["billable_seconds"] += part if entry.is_billable else 0
                row["billable_work_seconds"] += part if entry.is_billable and _kind(entry.row) == "work" else 0
                row["entry_count"] += 1
        kinds = ("tracked", "work", "break", "time_off", "billable", "billable_work")
        names = [*(f"{kind}_seconds" for kind in kinds), "entry_count"]
        rows: dict[tuple[str, str | None, date], Row] = {}
        for (user, project, day), counts in sums.items():
            of_project = self.projects.get(project or "", {})
            client = of_project.get("client_id") or None
            rows[user, project, day] = {
                "user_name": self.users.get(user, {}).get("name") or None,
                "project_name": of_project.get("name"),
                "client_id": client,
                "client_name": self.clients.get(client or "", {}).get("name"),
                "time_zone": _zone_name(zone_of({"user_id": user})),
                **{name: counts[name] for name in names},
            }
        return rows


def _kind(row: Row) -> str:
    return {"BREAK": "break", "HOLIDAY": "time_off", "TIME_OFF": "time_off"}.get(row["type"] or "", "work")


def _zone_name(zone: ZoneInfo) -> str:
    return str(zone)
