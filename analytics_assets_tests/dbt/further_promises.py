"""What the marts promise that look closer: at groups, days and custom fields.

As in `promises`: plain Python, written from the descriptions in the `.yml` and never from the SQL.
"""

import json
from collections import Counter, defaultdict
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

from analytics_assets_tests.dbt.budget_promises import BudgetedWorkspace
from analytics_assets_tests.dbt.capacities import capacity_of
from analytics_assets_tests.dbt.entry import Entry
from analytics_assets_tests.dbt.expected import amount, cost, seconds, seconds_by_day
from analytics_assets_tests.dbt.history import Row
from analytics_assets_tests.dbt.money import exponent_of, in_units, rounded
from analytics_assets_tests.dbt.periods import week_start_of


class CloseWorkspace(BudgetedWorkspace):
    """The same workspace with what only these marts look at."""

    # ---- user_group_members, utilization_weekly_by_group -----------------------------------------------------------

    def group_members(self) -> dict[tuple[str, str], Row]:
        """Rows of `user_group_members` by group and member."""
        last = self.syncs[-1].rows
        users, groups = ({row["id"] for row in rows} for rows in (last["users"], last["user_groups"]))
        return {
            (group["id"], key): {
                "user_group_name": group["name"],
                "user_name": self.users.get(key, {}).get("name") or None,
                "is_user_group_deleted": group["id"] not in groups,
                "is_user_deleted": key not in users if key in self.users else None,
            }
            for group in self.groups.values()
            for key in (group["user_ids"] if isinstance(group["user_ids"], list) else [])
            if key
        }

    def group_weeks(self, as_of: date) -> dict[tuple[str, date], Row]:
        """Rows of `utilization_weekly_by_group` by group and week."""
        rows: dict[tuple[str, date], Row] = {}
        for (group, user), membership in self.group_members().items():
            for start, week in self.weeks_of(user, as_of).items():
                days = Counter(week_start_of(start + timedelta(days=number), "MONDAY") for number in range(7))
                [(most, _)] = days.most_common(1)
                begun = {
                    **{name: membership[name] for name in ("user_group_name", "is_user_group_deleted")},
                    **{"is_complete": True, "member_count": 0},
                }
                row = rows.setdefault((group, most), begun | dict.fromkeys(week, 0))
                row["is_complete"] = row["is_complete"] and start + timedelta(days=7) <= as_of
                row["member_count"] += 1
                for name, value in week.items():
                    row[name] += value
        for row in rows.values():
            row |= _shares(row)
        return rows

    def weeks(self, as_of: date) -> dict[tuple[str, date], Row]:
        """Rows of `utilization_weekly` by member and week."""
        return {
            (user, start): week
            | {
                "user_name": self.users.get(user, {}).get("name") or None,
                "is_complete": start + timedelta(days=7) <= as_of,
                **_shares(week),
            }
            for user in {entry.row["user_id"] for entry in self.entries}
            for start, week in self.weeks_of(user, as_of).items()
        }

    def weeks_of(self, user: str, as_of: date) -> dict[date, Row]:
        """The seconds of a member's weeks, by the day that they begin on."""
        first_day = (self.users.get(user, {}).get("settings") or {}).get("weekStart") or "MONDAY"
        sums: defaultdict[date, Counter[str]] = defaultdict(Counter)
        for entry in self.entries:
            if entry.row["user_id"] != user:
                continue
            kind = {"BREAK": "break", "HOLIDAY": "time_off", "TIME_OFF": "time_off"}.get(entry.row["type"] or "", "work")
            for day, part in seconds_by_day(entry.row).items():
                week = sums[week_start_of(day, first_day)]
                week["tracked"] += part
                week[kind] += part
                week["billable"] += part if entry.is_billable else 0
        if not sums:
            return {}
        listed = {row["id"]: row for row in self.syncs[-1].rows["users"]}
        is_active = user in listed and listed[user].get("status") in (None, "ACTIVE")
        start, last = min(sums), max([*sums, *([week_start_of(as_of, first_day)] if is_active else [])])
        weeks = {}
        while start <= last:
            weeks[start] = {
                f"{name}_seconds": sums[start][name] for name in ("tracked", "work", "break", "time_off", "billable")
            } | {
                "capacity_seconds": (capacity := capacity_of(user, start)),
                "available_seconds": max(0, capacity - sums[start]["time_off"]),
            }
            start += timedelta(days=7)
        return weeks

    # ---- billing_daily ---------------------------------------------------------------------------------------------

    def billing_by_day(self) -> dict[tuple[Any, ...], Row]:
        """Rows of `billing_daily` by day, member, project, task and currency."""
        rows: dict[tuple[Any, ...], Row] = {}

        def row_of(entry: Entry, currency: str | None) -> Row:
            user, task = entry.row["user_id"], entry.row["task_id"] or None
            start = {
                "billing_month": entry.month,
                "user_name": self.users.get(user, {}).get("name") or None,
                "client_id": entry.client_id,
                "client_name": self.clients.get(entry.client_id or "", {}).get("name"),
                "project_name": self.projects.get(entry.project_id or "", {}).get("name"),
                "task_name": self.tasks.get(task or "", {}).get("name"),
                "has_cost_in_other_currency": False,
            }
            sums = dict.fromkeys(("tracked_seconds", "billable_seconds", "amount_minor", "cost_minor"), 0)
            return rows.setdefault((entry.start_date, user, entry.project_id, task, currency), start | sums)

        for entry in self.entries:
            row = row_of(entry, entry.currency)
            row["tracked_seconds"] += seconds(entry.row)
            row["billable_seconds"] += seconds(entry.row) if entry.is_billable else 0
            row["amount_minor"] += amount(entry.row)
            if cost(entry.row):
                paid = row_of(entry, entry.cost_currency)
                paid["cost_minor"] += cost(entry.row)
                if paid is not row:
                    row["has_cost_in_other_currency"] = paid["has_cost_in_other_currency"] = True
        for (*_, currency), row in rows.items():
            row["margin_minor"] = None if row["has_cost_in_other_currency"] else row["amount_minor"] - row["cost_minor"]
            row["currency_exponent"] = exponent_of(currency)
            row |= {name: in_units(row[f"{name}_minor"], currency) for name in ("amount", "cost", "margin")}
        return rows

    # ---- time_entry_custom_fields ----------------------------------------------------------------------------------

    def custom_fields(self) -> dict[tuple[Any, ...], Row]:
        """Rows of `time_entry_custom_fields` by entry, id and name of the field, and value."""
        rows = {}
        for entry in self.entries:
            for field in entry.row["custom_field_values"] or []:
                values = field["value"] if isinstance(field["value"], list) else [field["value"]]
                for text in (
                    value if isinstance(value, str) else json.dumps(value) for value in values if value not in (None, "")
                ):
                    rows[entry.row["id"], field["customFieldId"], field["name"], text] = {
                        "custom_field_type": field.get("type"),
                        "value_number": _number(text),
                        "value_boolean": {"true": True, "false": False}.get(text),
                        "value_date": _date(text),
                    }
        return rows


def _number(text: str) -> float | None:
    """The number that is written in this way and in no other."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    is_plain = number.is_finite() and format(number, "f") == text
    return float(number) if is_plain and sum(letter.isdigit() for letter in text) <= 15 else None


def _date(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if day.isoformat() == text else None


def _shares(week: Row) -> Row:
    return {
        name: float(rounded(Fraction(week[f"{kind}_seconds"], week[f"{whole}_seconds"]), 4)) if week[f"{whole}_seconds"] else None
        for name, kind, whole in (
            ("capacity_share", "work", "capacity"),
            ("billable_capacity_share", "billable", "capacity"),
            ("available_share", "work", "available"),
        )
    }
