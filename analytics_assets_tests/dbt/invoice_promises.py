"""What the marts promise that invoices are checked against: what months said before, and amounts as they are rounded.

As in `promises`: plain Python, written from the descriptions in the `.yml` and never from the SQL.
"""

from datetime import datetime
from fractions import Fraction
from math import ceil, floor
from typing import Any

from analytics_assets_tests.dbt.expected import amount, seconds
from analytics_assets_tests.dbt.history import Row, Sync
from analytics_assets_tests.dbt.money import exponent_of, in_units, rounded
from analytics_assets_tests.dbt.plain_promises import PlainWorkspace
from analytics_assets_tests.dbt.promises import Workspace

SHOWN = ("tracked_seconds", "billable_seconds", "amount_minor", "cost_minor", "has_cost_in_other_currency")

ROUNDING_RULES: list[dict[str, Any]] = [
    {"client": None, "minutes": 15, "direction": "up"},
    {"client": "krümel", "minutes": 6, "direction": "nearest"},
    {"client": "american", "minutes": 60, "direction": "down"},
    {"client": "Ridge", "minutes": 1, "direction": "up"},
    {"client": "Nobody & Sons'", "minutes": 1, "direction": "up"},
]
"""What the owner's file says of clients: by name, by id, by both, of nobody, and of all others."""


class AsKnown(Workspace):
    """A workspace as it was known after one of its syncs."""

    def __init__(self, now: Workspace, syncs: list[Sync]) -> None:
        super().__init__(syncs)
        # what is not kept as it was, or was not known yet
        self.currency = now.currency
        for sync in now.syncs[len(syncs) :]:
            self.projects = {row["id"]: row for row in sync.rows["projects"]} | self.projects
            self.clients = {row["id"]: row for row in sync.rows["clients"]} | self.clients
        self.entries = [self.entry(entry.row) for entry in self.entries]


class InvoicedWorkspace(PlainWorkspace):
    """The same workspace with the marts that invoices are checked against."""

    # ---- billing_monthly_history -----------------------------------------------------------------------------------

    def billing_history(self) -> dict[tuple[Any, ...], Row]:
        """Rows of `billing_monthly_history` by client, project, month, currency and the time that they begin."""
        rows: dict[tuple[Any, ...], Row] = {}
        begun: dict[tuple[Any, ...], datetime] = {}
        for number, sync in enumerate(self.syncs):
            said = AsKnown(self, self.syncs[: number + 1]).billing()
            for key in begun.keys() | said.keys():
                before = rows[*key, begun[key]] if key in begun else None
                if before and key in said and all(before[name] == said[key][name] for name in SHOWN):
                    continue
                if before:
                    before |= {"valid_until": sync.at, "is_current": False}
                    del begun[key]
                if key in said:
                    begun[key] = sync.at
                    rows[*key, sync.at] = said[key] | self._names(key) | {"valid_until": None, "is_current": True}
        return rows

    def _names(self, key: tuple[Any, ...]) -> Row:
        client, project, *_ = key
        return {
            "client_name": self.clients.get(client or "", {}).get("name"),
            "project_name": self.projects.get(project or "", {}).get("name"),
        }

    # ---- billing_monthly_rounded -----------------------------------------------------------------------------------

    def rounded_billing(self) -> dict[tuple[Any, ...], Row]:
        """Rows of `billing_monthly_rounded` by client, project, month and currency."""
        rows: dict[tuple[Any, ...], Row] = {}
        for entry in (entry for entry in self.entries if entry.is_billable):
            rule = self._rounding_rule(entry.client_id)
            key = (entry.client_id, entry.project_id, entry.month, entry.currency)
            row = rows.setdefault(
                key,
                self._names(key)
                | {"rounding_minutes": rule["minutes"], "rounding_direction": rule["direction"].upper()}
                | dict.fromkeys(
                    ("entry_count", "billable_seconds", "rounded_seconds", "amount_minor", "rounded_amount_minor"), 0
                ),
            )
            steps = Fraction(seconds(entry.row), 60 * rule["minutes"])
            whole = {"up": ceil(steps), "down": floor(steps), "nearest": floor(steps + Fraction(1, 2))}[rule["direction"]]
            billed = whole * 60 * rule["minutes"]
            row["entry_count"] += 1
            row["billable_seconds"] += seconds(entry.row)
            row["rounded_seconds"] += billed
            row["amount_minor"] += amount(entry.row)
            row["rounded_amount_minor"] += int(rounded(Fraction((entry.row["hourly_rate__amount"] or 0) * billed, 3600), 0))
        for (*_, currency), row in rows.items():
            row["currency_exponent"] = exponent_of(currency)
            row["billable_hours"] = rounded(Fraction(row["billable_seconds"], 3600), 2)
            row["rounded_hours"] = rounded(Fraction(row["rounded_seconds"], 3600), 2)
            row |= {name: in_units(row[f"{name}_minor"], currency) for name in ("amount", "rounded_amount")}
        return rows

    def _rounding_rule(self, client_id: str | None) -> Row:
        client = self.clients.get(client_id or "", {"id": "", "name": ""})
        by_id = [rule for rule in ROUNDING_RULES if rule["client"] and rule["client"] == client["id"]]
        by_name = [rule for rule in ROUNDING_RULES if rule["client"] and rule["client"].lower() == client["name"].lower()]
        for_all = [rule for rule in ROUNDING_RULES if rule["client"] is None]
        return [*by_id, *by_name, *for_all][0]
