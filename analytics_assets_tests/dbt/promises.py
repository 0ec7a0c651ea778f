"""What the marts that are invoiced from promise in their `.yml`, as plain Python.

Loops, dates and exact fractions, entry by entry, written from the descriptions of the columns and never from the SQL:
whoever changes a promise changes it here too. Nothing here is fast.
"""

from collections import Counter
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any

from analytics_assets_tests.dbt.entry import (
    Entry,
    billed_values,
    days_after_month_end,
    fields_of,
    local_start,
    member_of,
    start_of,
)
from analytics_assets_tests.dbt.expected import amount, cost, month_end, rate_currency, seconds
from analytics_assets_tests.dbt.history import Row, Sync
from analytics_assets_tests.dbt.money import exponent_of, in_units, rounded
from analytics_assets_tests.dbt.periods import period_at, projected

BURN_RATE_DAYS = 28


class Workspace:
    """A workspace after its syncs; rows that left it are known as they were last seen."""

    def __init__(self, syncs: list[Sync]) -> None:
        self.syncs = syncs
        self.projects = {row["id"]: row for sync in syncs for row in sync.rows["projects"]}
        self.clients = {row["id"]: row for sync in syncs for row in sync.rows["clients"]}
        last = syncs[-1].rows["time_entries"]
        rates = Counter(rate_currency(row, "hourly") for row in last if rate_currency(row, "hourly"))
        self.currency = min(rates, key=lambda currency: (-rates[currency], currency), default=None)
        self.entries = [self.entry(row) for row in last]

    def entry(self, row: Row) -> Entry:
        """An entry, or a version that it had, with its currencies."""
        project = self.projects.get(row.get("project_id") or "", {})
        client = self.clients.get(project.get("client_id") or "", {})
        currency = (
            rate_currency(row, "hourly") or client.get("currency_code") or rate_currency(project, "hourly") or self.currency
        ) or None
        return Entry(row, project.get("client_id") or None, currency, rate_currency(row, "cost") or currency)

    # ---- fct_time_entries ------------------------------------------------------------------------------------------

    def money(self) -> dict[str, Row]:
        """Money of the rows of `fct_time_entries` by entry."""
        return {
            entry.row["id"]: {
                "currency_exponent": exponent_of(entry.currency),
                "cost_currency_exponent": exponent_of(entry.cost_currency),
                "amount": in_units(amount(entry.row), entry.currency),
                "cost": in_units(cost(entry.row), entry.cost_currency),
                "hourly_rate": in_units(entry.row["hourly_rate__amount"], entry.currency),
                "cost_rate": in_units(entry.row["cost_rate__amount"], entry.cost_currency),
            }
            for entry in self.entries
        }

    # ---- billing_monthly -------------------------------------------------------------------------------------------

    def billing(self) -> dict[tuple[Any, ...], Row]:
        """Rows of `billing_monthly` by client, project, month and currency."""
        rows: dict[tuple[Any, ...], Row] = {}

        def row_of(entry: Entry, currency: str | None) -> Row:
            project = self.projects.get(entry.project_id or "", {})
            start = {
                "project_name": project.get("name"),
                "client_name": self.clients.get(entry.client_id or "", {}).get("name"),
                "has_cost_in_other_currency": False,
            }
            sums = dict.fromkeys(("tracked_seconds", "billable_seconds", "amount_minor", "cost_minor"), 0)
            return rows.setdefault((entry.client_id, entry.project_id, entry.month, currency), start | sums)

        for entry in self.entries:
            row = row_of(entry, entry.currency)
            row["tracked_seconds"] += seconds(entry.row)
            row["billable_seconds"] += seconds(entry.row) if entry.is_billable else 0
            row["amount_minor"] += amount(entry.row)
            if not cost(entry.row):
                continue
            paid = row_of(entry, entry.cost_currency)
            paid["cost_minor"] += cost(entry.row)
            if paid is not row:
                row["has_cost_in_other_currency"] = paid["has_cost_in_other_currency"] = True
        for (*_, currency), row in rows.items():
            row["tracked_hours"] = rounded(Fraction(row["tracked_seconds"], 3600), 2)
            row["billable_hours"] = rounded(Fraction(row["billable_seconds"], 3600), 2)
            row["margin_minor"] = None if row["has_cost_in_other_currency"] else row["amount_minor"] - row["cost_minor"]
            row["currency_exponent"] = exponent_of(currency)
            row |= {name: in_units(row[f"{name}_minor"], currency) for name in ("amount", "cost", "margin")}
        return rows

    # ---- time_entry_changes ----------------------------------------------------------------------------------------

    def changes(self) -> dict[tuple[str, datetime], Row]:
        """Rows of `time_entry_changes` by entry and time, for syncs that each read all time."""
        found = {}
        known: dict[str, Row] = {}
        ever: set[str] = set()
        listed: dict[str, datetime] = {}
        rows_read: dict[str, datetime] = {}
        for sync in self.syncs:
            read = {row["id"]: row for row in sync.rows["time_entries"]}
            for key in known.keys() | read.keys():
                before, after = known.get(key), read.get(key)
                if before == after:
                    continue
                is_return = before is None and key in ever
                is_new = before is None and not is_return
                member = member_of(after or before)
                last = self._last_reading(member, sync.at)
                previous = None if last is None else last.at
                is_said = last is not None and last.lists_not_read is not None
                is_listed = previous is not None and listed.get(member, sync.at) <= previous
                is_list_known = not is_new or rows_read.get(member, sync.at) < sync.at or (is_said and is_listed)
                is_first_reading = is_new and (
                    previous is None
                    or previous < start_of(after)
                    or not (is_list_known or (is_listed and listed[member] <= start_of(after)))
                )
                change = self._change(before, after, sync.at)
                if change is not None and not is_first_reading:
                    found[key, sync.at] = change | {
                        "is_return": is_return,
                        "previously_read_at": previous,
                        "is_certainly_late": is_list_known and previous is not None and previous >= self._closed(change),
                    }
            for row in read.values():
                rows_read.setdefault(member_of(row), sync.at)
            for user in sync.rows["users"]:
                listed.setdefault(user["id"], sync.at)
            known = read
            ever |= read.keys()
        return found

    def _last_reading(self, member: str, before: datetime) -> Sync | None:
        """The last earlier sync that read the list of a member."""
        readings = [sync for sync in self.syncs if sync.at < before and member not in (sync.lists_not_read or ())]
        return readings[-1] if readings else None

    @staticmethod
    def _closed(change: Row) -> datetime:
        """The closing time of the month that the change is late for."""
        sides = [side for side in ("before", "after") if change[f"{side}_entry_month"] == change["entry_month"]]
        closed: datetime = change[f"{sides[0]}_month_closes_at"]
        return closed

    def _change(self, before_row: Row | None, after_row: Row | None, at: datetime) -> Row | None:
        before = None if before_row is None else self.entry(before_row)
        after = None if after_row is None else self.entry(after_row)
        ended = [side for side in (before, after) if side and at >= month_end(side.row)]
        if not ended:
            return None
        fields = None
        if before and after:
            fields = {name for name, value in fields_of(before).items() if value != fields_of(after)[name]}
            if not fields:
                return None
            is_relevant = billed_values(before) != billed_values(after)
        else:
            is_relevant = any(side and seconds(side.row) > 0 for side in (before, after))
        shown = after or before
        assert shown
        change: Row = {
            "change_type": "edited" if fields else "added" if after else "deleted",
            "changed_fields": fields,
            "entry_month": ended[0].month,
            "days_after_month_end": days_after_month_end(ended[0], at),
            "is_billing_relevant": is_relevant,
            "project_id": shown.project_id,
            "project_name": self.projects.get(shown.project_id or "", {}).get("name"),
            "client_id": shown.client_id,
            "client_name": self.clients.get(shown.client_id or "", {}).get("name"),
            "seconds_difference": (seconds(after.row) if after else 0) - (seconds(before.row) if before else 0),
        }
        for side, entry in (("before", before), ("after", after)):
            change |= {
                f"{side}_entry_month": entry and entry.month,
                f"{side}_month_closes_at": entry and month_end(entry.row),
                f"{side}_project_id": entry and entry.project_id,
                f"{side}_is_billable": entry and entry.is_billable,
                f"{side}_duration_seconds": entry and seconds(entry.row),
                f"{side}_hourly_rate_minor": entry and entry.row["hourly_rate__amount"],
                f"{side}_cost_rate_minor": entry and entry.row["cost_rate__amount"],
                f"{side}_amount_minor": entry and amount(entry.row),
                f"{side}_cost_minor": entry and cost(entry.row),
                f"{side}_currency": entry and entry.currency,
                f"{side}_cost_currency": entry and entry.cost_currency,
            }
            for name, currency in (
                *(("hourly_rate", "currency"), ("cost_rate", "cost_currency")),
                *(("amount", "currency"), ("cost", "cost_currency")),
            ):
                change[f"{side}_{name}"] = in_units(change[f"{side}_{name}_minor"], change[f"{side}_{currency}"])
        for minor, currency in (("amount_minor", "currency"), ("cost_minor", "cost_currency")):
            money = {side: change[f"{side}_{minor}"] for side in ("before", "after") if change[f"{side}_{minor}"]}
            named = {change[f"{side}_{currency}"] for side in money} or {getattr(shown, currency)}
            change[currency] = named.pop() if len(named) == 1 else None
            change[f"{minor}_difference"] = None if named else money.get("after", 0) - money.get("before", 0)
            difference = minor.replace("_minor", "_difference")
            change[difference] = in_units(change[f"{minor}_difference"], change[currency])
            change[f"{currency}_exponent"] = exponent_of(change[currency])
        return change

    # ---- project_budgets -------------------------------------------------------------------------------------------

    def budgets(self, as_of: date) -> dict[str, Row]:
        """Rows of `project_budgets` by project."""
        return {key: self._budget(project, as_of) for key, project in self.projects.items()}

    def _budget(self, project: Row, as_of: date) -> Row:
        entries = [entry for entry in self.entries if entry.project_id == project["id"] and entry.start_date <= as_of]
        client = self.clients.get(project["client_id"] or "", {})
        with_amount = {entry.currency for entry in entries if amount(entry.row) and entry.currency}
        own = min(with_amount or {entry.currency for entry in entries if entry.currency}, default=None)
        currency = rate_currency(project, "hourly") or client.get("currency_code") or own
        counted = project["time_estimate__include_non_billable"] is not False

        def estimated(entry: Entry) -> int:
            return seconds(entry.row) if counted or entry.is_billable else 0

        def billed(entry: Entry) -> int:
            return amount(entry.row) if entry.currency == currency else 0

        first_recent = as_of - timedelta(days=BURN_RATE_DAYS - 1)
        burn_days = max((as_of - max(entry.start_date, first_recent)).days + 1 for entry in entries) if entries else 0
        recent = [entry for entry in entries if entry.start_date >= first_recent]
        row: Row = {
            "project_name": project["name"],
            "client_name": client.get("name"),
            "as_of_date": as_of,
            "currency": currency,
            "tracked_seconds": sum(seconds(entry.row) for entry in entries),
            "billable_seconds": sum(seconds(entry.row) for entry in entries if entry.is_billable),
            "amount_minor": sum(billed(entry) for entry in entries),
            "has_amounts_in_other_currencies": any(amount(entry.row) and entry.currency != currency for entry in entries),
            "burn_days": burn_days,
        }
        hours = (project["time_estimate__estimate"] or "PT0H")[2:-1] if project["time_estimate__active"] else "0"
        budget = project["budget_estimate"]
        for name, unit, whole, reset, count in (
            ("estimate", "seconds", int(hours) * 3600, project["time_estimate__reset_option"], estimated),
            ("budget", "minor", budget["estimate"], budget["resetOption"], billed),
        ):
            start, following = period_at(reset, project["estimate_reset"] or {}, as_of)
            spent_lately = sum(count(entry) for entry in recent)
            row |= {
                f"{name}_period_start": start and start.date(),
                f"{name}_{unit}": whole or None,
                f"burn_{unit}_per_week": int(rounded(Fraction(spent_lately * 7, burn_days or 1), 0)),
            }
            if not whole:
                row |= dict.fromkeys((f"{name}_used_{unit}", f"{name}_remaining_{unit}", f"{name}_used_share"))
                row[f"{name}_exhaustion_date"] = None
                continue
            of_period = [entry for entry in entries if start is None or local_start(entry.row) >= start]
            used = sum(count(entry) for entry in of_period)
            row |= {
                f"{name}_used_{unit}": used,
                f"{name}_remaining_{unit}": whole - used,
                f"{name}_used_share": float(rounded(Fraction(used, whole), 4)),
                f"{name}_exhaustion_date": next(
                    (
                        day
                        for day in sorted({entry.start_date for entry in of_period})
                        if sum(count(entry) for entry in of_period if entry.start_date <= day) >= whole
                    ),
                    projected(whole - used, Fraction(spent_lately, burn_days or 1), as_of, following),
                ),
            }
        row["currency_exponent"] = exponent_of(currency)
        for minor in ("amount_minor", "budget_minor", "budget_used_minor", "budget_remaining_minor", "burn_minor_per_week"):
            row[minor.replace("_minor", "")] = in_units(row[minor], currency)
        row["has_expenses_not_counted"] = bool(budget["estimate"] and budget["includeExpenses"])
        dates = [row[f"{name}_exhaustion_date"] for name in ("estimate", "budget")]
        row["projected_exhaustion_date"] = min((day for day in dates if day), default=None)
        return row
