"""What the marts must say about an entry and about a history, worked out in Python.

Nothing here looks at the SQL of the models.
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from analytics_assets_tests.dbt.history import DEFAULT_TIME_ZONE, TIME_ZONES, Row, Sync

COMPARED = {
    "user_id": "user_id",
    "project_id": "project_id",
    "description": "description",
    "is_billable": "billable",
    "started_at": "time_interval__start",
    "ended_at": "time_interval__end",
    "hourly_rate_minor": "hourly_rate__amount",
    "hourly_rate_currency": "hourly_rate__currency",
    "tag_ids": "tag_ids",
}


@dataclass(frozen=True)
class Change:
    """A change as `time_entry_changes` must show it."""

    time_entry_id: str
    change_type: str
    first_seen_at: datetime
    entry_month: date
    previously_read_at: datetime | None
    is_certainly_late: bool
    is_return: bool
    changed_fields: tuple[str, ...] | None
    seconds_difference: int
    amount_minor_difference: int
    before: Row | None = field(compare=False, hash=False)
    after: Row | None = field(compare=False, hash=False)


def expected_entries(syncs: list[Sync]) -> tuple[dict[str, Row], list[Change]]:
    """The entries that exist at the end, and all late changes on the way there."""
    present: dict[str, Row] = {}
    ever: set[str] = set()
    changes = []
    for number, sync in enumerate(syncs):
        read = {row["id"]: row for row in sync.rows["time_entries"]}
        before_it = syncs[:number]
        for key, row in read.items():
            old = present.get(key)
            if old == row:
                continue
            changes.append(_change(key, old, row, sync, before_it, returned=old is None and key in ever))
        for key in [key for key, row in present.items() if key not in read and sync.reads(row["time_interval__start"])]:
            changes.append(_change(key, present.pop(key), None, sync, before_it, returned=False))
        present |= read
        ever |= set(read)
    return present, [change for change in changes if change is not None]


def _change(key: str, before: Row | None, after: Row | None, sync: Sync, earlier: list[Sync], *, returned: bool) -> Change | None:
    ended = [row for row in (before, after) if row is not None and sync.at >= month_end(row)]
    if not ended:
        return None
    start = ended[0]["time_interval__start"]
    previous = max((one.at for one in earlier if one.reads(start)), default=None)
    kind = "added" if before is None else "deleted" if after is None else "edited"
    if kind == "added" and not returned and (previous is None or previous < start):
        return None  # the first reading of that time
    fields = None
    if before is not None and after is not None:
        fields = tuple(name for name, column in COMPARED.items() if _comparable(before, column) != _comparable(after, column))
        if not fields:
            return None
    return Change(
        time_entry_id=key,
        change_type=kind,
        first_seen_at=sync.at,
        entry_month=work_date(ended[0]).replace(day=1),
        previously_read_at=previous,
        is_certainly_late=previous is not None and previous >= month_end(ended[0]),
        is_return=returned,
        changed_fields=fields,
        seconds_difference=(seconds(after) if after else 0) - (seconds(before) if before else 0),
        amount_minor_difference=(amount(after) if after else 0) - (amount(before) if before else 0),
        before=before,
        after=after,
    )


def _comparable(row: Row, column: str) -> object:
    if column.endswith("_rate__currency"):
        return rate_currency(row, column.removesuffix("_rate__currency"))
    value = row.get(column)
    return frozenset(value or ()) if column == "tag_ids" and not isinstance(value, str) else value or None


def zone_of(row: Row) -> ZoneInfo:
    """The time zone of the member who worked."""
    return ZoneInfo(TIME_ZONES.get(row.get("user_id") or row["_users_id"], DEFAULT_TIME_ZONE))


def work_date(row: Row) -> date:
    """The date of the start where the member is."""
    start: datetime = row["time_interval__start"]
    return start.astimezone(zone_of(row)).date()


def month_end(row: Row) -> datetime:
    """The moment at which the month of an entry ends where the member is."""
    next_month = (work_date(row).replace(day=1) + timedelta(days=32)).replace(day=1)
    return datetime.combine(next_month, time(), tzinfo=zone_of(row)).astimezone(UTC)


def seconds(row: Row) -> int:
    end = row.get("time_interval__end")
    return 0 if end is None else max(0, int((end - row["time_interval__start"]).total_seconds()))


def amount(row: Row) -> int:
    return _half_away_from_zero(row.get("hourly_rate__amount"), seconds(row)) if row.get("billable") else 0


def cost(row: Row) -> int:
    is_work = (row.get("type") or "REGULAR") not in {"BREAK", "HOLIDAY", "TIME_OFF"}
    return _half_away_from_zero(row.get("cost_rate__amount"), seconds(row)) if is_work else 0


def rate_currency(row: Row, kind: str) -> str | None:
    """The currency of a rate of an entry, a project or a task; one without an amount is none."""
    return None if row.get(f"{kind}_rate__amount") is None else row.get(f"{kind}_rate__currency") or None


def _half_away_from_zero(rate: int | None, worked: int) -> int:
    return int((Decimal(rate or 0) * worked / 3600).quantize(Decimal(1), ROUND_HALF_UP))


def seconds_by_day(row: Row) -> dict[date, int]:
    """The seconds of an entry on each day of its member's time zone.

    They are found by walking through it in quarter hours of UTC: no midnight and no change of clocks lies within one.
    """
    zone = zone_of(row)
    start, worked = row["time_interval__start"], seconds(row)
    days: dict[date, int] = {}
    position, end = start, start + timedelta(seconds=worked)
    while position < end:
        stop = min(end, datetime.fromtimestamp((int(position.timestamp()) // 900 + 1) * 900, tz=UTC))
        day = position.astimezone(zone).date()
        days[day] = days.get(day, 0) + int((stop - position).total_seconds())
        position = stop
    return days or {start.astimezone(zone).date(): 0}
