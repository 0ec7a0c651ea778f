"""A time entry as the marts see it, and what of it makes a change."""

from dataclasses import dataclass
from datetime import date, datetime

from analytics_assets_tests.dbt.expected import amount, cost, month_end, rate_currency, seconds, work_date, zone_of
from analytics_assets_tests.dbt.history import Row


@dataclass(frozen=True)
class Entry:
    """An entry as the marts see it: with what follows from its project, its client and the workspace."""

    row: Row
    client_id: str | None
    currency: str | None
    cost_currency: str | None

    @property
    def project_id(self) -> str | None:
        return self.row.get("project_id") or None

    @property
    def start_date(self) -> date:
        return work_date(self.row)

    @property
    def month(self) -> date:
        return self.start_date.replace(day=1)

    @property
    def is_billable(self) -> bool:
        return bool(self.row.get("billable"))


def start_of(row: Row | None) -> datetime:
    """The moment at which an entry begins."""
    assert row is not None
    start: datetime = row["time_interval__start"]
    return start


def member_of(row: Row | None) -> str:
    """The member in whose list an entry stands."""
    assert row is not None
    member: str = row["_users_id"]
    return member


def local_start(row: Row) -> datetime:
    """The time on the clocks of the member at which an entry begins."""
    return start_of(row).astimezone(zone_of(row)).replace(tzinfo=None)


def days_after_month_end(entry: Entry, at: datetime) -> int:
    """Days from the end of the entry's month to a moment, on the clocks of the member."""
    zone = zone_of(entry.row)
    return (at.astimezone(zone).date() - month_end(entry.row).astimezone(zone).date()).days


def fields_of(entry: Entry) -> dict[str, object]:
    """The fields whose change is an edit."""
    row = entry.row
    fields = [
        (field["customFieldId"], sorted(field["value"]) if isinstance(field["value"], list) else field["value"])
        for field in row["custom_field_values"] or []
        if field["value"] not in (None, "", [])
    ]
    return {
        "user_id": row["user_id"],
        "project_id": entry.project_id,
        "task_id": row["task_id"] or None,
        "description": row["description"] or None,
        "entry_type": row["type"] or "REGULAR",
        "is_billable": entry.is_billable,
        "started_at": row["time_interval__start"],
        "ended_at": row["time_interval__end"],
        "hourly_rate_minor": row["hourly_rate__amount"],
        "hourly_rate_currency": rate_currency(row, "hourly"),
        "cost_rate_minor": row["cost_rate__amount"],
        "cost_rate_currency": rate_currency(row, "cost"),
        "tag_ids": set(row["tag_ids"] or []),
        "custom_field_values": sorted(fields),
    }


def billed_values(entry: Entry) -> tuple[object, ...]:
    """What makes a change one of hours or money of a month."""
    row = entry.row
    kind = row["type"] or "REGULAR"
    money = (amount(row), cost(row), entry.currency, entry.cost_currency)
    return (row["user_id"], entry.project_id, entry.month, kind, entry.is_billable, seconds(row), *money)
