"""The figures of the report as plain values, one query of `queries.sql` for each.

Nothing is put into words here, and nothing is rounded: seconds stay whole, money is exact.
"""

from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TypeVar

import duckdb

from analytics_assets.report.queries import QUERIES


@dataclass(frozen=True)
class PublishedResource:
    """What the last sync published of one resource."""

    resource: str
    published_at: datetime
    window_start: datetime | None
    window_end: datetime | None
    rows_read: int


@dataclass(frozen=True)
class MonthHours:
    """Time of a month."""

    month: date
    tracked_seconds: int
    work_seconds: int
    billable_seconds: int


@dataclass(frozen=True)
class MonthMoney:
    """Money of a month in one currency."""

    month: date
    currency: str
    currency_exponent: int
    amount: Decimal
    cost: Decimal


@dataclass(frozen=True)
class ClientWeek:
    """Time of a week for one client; without an id for none."""

    week: date
    client_id: str | None
    client_name: str | None
    tracked_seconds: int


@dataclass(frozen=True)
class WorkWeek:
    """Work of a week, and what of it is billed."""

    week: date
    work_seconds: int
    billable_seconds: int


@dataclass(frozen=True)
class ClientMoney:
    """Money of one client in one currency; amounts are unknown without a currency, the margin where costs are in another."""

    client_id: str | None
    client_name: str | None
    currency: str | None
    currency_exponent: int | None
    tracked_seconds: int
    billable_seconds: int
    amount: Decimal | None
    cost: Decimal | None
    margin: Decimal | None


@dataclass(frozen=True)
class MemberCapacity:
    """Work of a member against what the weeks hold; no capacity for a member without weeks."""

    user_id: str
    user_name: str | None
    work_seconds: int
    billable_seconds: int
    capacity_seconds: int | None
    last_date: date | None


@dataclass(frozen=True)
class GroupCapacity:
    """The same of a group."""

    user_group_id: str
    user_group_name: str | None
    work_seconds: int
    billable_seconds: int
    capacity_seconds: int


@dataclass(frozen=True)
class Budget:
    """An estimate in seconds or a budget in money, of an open project."""

    project_id: str
    kind: str
    planned_seconds: int | None
    left_seconds: int | None
    planned: Decimal | None
    left_over: Decimal | None
    used_share: float | None
    used_up_on: date | None
    period_start: date | None
    project_name: str | None
    client_name: str | None
    currency: str | None
    currency_exponent: int | None
    last_date: date | None


@dataclass(frozen=True)
class MonthChanges:
    """What changed in a month that had ended, for one client and currency."""

    month: date
    client_id: str | None
    client_name: str | None
    currency: str | None
    currency_exponent: int | None
    added: int
    edited: int
    deleted: int
    seconds_difference: int
    amount_difference: Decimal | None
    not_in_amount: int


@dataclass(frozen=True)
class Change:
    """One change of an entry whose month had ended."""

    time_entry_id: str
    change_type: str
    first_seen_at: datetime
    month: date
    user_name: str | None
    client_name: str | None
    project_name: str | None
    changed_fields: str | None
    seconds_difference: int
    amount_difference: Decimal | None
    currency: str | None
    currency_exponent: int | None
    is_certainly_late: bool


@dataclass(frozen=True)
class Figures:
    """All figures of the report, as of one date."""

    as_of: date
    last_sync: tuple[PublishedResource, ...]
    months: tuple[MonthHours, ...]
    seconds_at_the_same_day: int
    money: tuple[MonthMoney, ...]
    weeks: tuple[ClientWeek, ...]
    work_weeks: tuple[WorkWeek, ...]
    clients: tuple[ClientMoney, ...]
    members: tuple[MemberCapacity, ...]
    groups: tuple[GroupCapacity, ...]
    budgets: tuple[Budget, ...]
    changed_months: tuple[MonthChanges, ...]
    changes: tuple[Change, ...]


Row = TypeVar("Row")


def read_figures(con: duckdb.DuckDBPyConnection, as_of: date) -> Figures:
    """The figures of the marts.

    Args:
        con: a connection to the warehouse; reading is enough.
        as_of: the date that counts as today.
    """
    con.execute("SET TimeZone = 'UTC'")
    con.execute(f"SET VARIABLE as_of = DATE '{as_of:%Y-%m-%d}'")
    same_day = con.execute(QUERIES["hours_at_the_same_day"]).fetchone()
    assert same_day is not None  # a sum without groups has one row
    return Figures(
        as_of=as_of,
        last_sync=_rows(con, "last_sync", PublishedResource),
        months=_rows(con, "hours_by_month", MonthHours),
        seconds_at_the_same_day=same_day[0],
        money=_rows(con, "money_by_month", MonthMoney),
        weeks=_rows(con, "hours_by_week_and_client", ClientWeek),
        work_weeks=_rows(con, "billable_by_week", WorkWeek),
        clients=_rows(con, "money_by_client", ClientMoney),
        members=_rows(con, "capacity_by_member", MemberCapacity),
        groups=_rows(con, "capacity_by_group", GroupCapacity),
        budgets=_rows(con, "budgets", Budget),
        changed_months=_rows(con, "changes_by_month_and_client", MonthChanges),
        changes=_rows(con, "largest_changes", Change),
    )


def date_of_marts(con: duckdb.DuckDBPyConnection, otherwise: date) -> date:
    """The date that counted as today when the marts were built.

    The page speaks of that date, so that a report of an older warehouse does not show empty weeks. Without a project no
    mart holds it; then it is the day of the last sync, or the other date given.
    """
    built = con.execute(QUERIES["date_of_marts"]).fetchone()
    if built is not None and isinstance(built[0], date):
        return built[0]
    synced = _rows(con, "last_sync", PublishedResource)
    return synced[0].published_at.astimezone(UTC).date() if synced else otherwise


def _rows(con: duckdb.DuckDBPyConnection, name: str, kind: type[Row]) -> tuple[Row, ...]:
    """The rows of a query; its columns are the fields of the dataclass."""
    result = con.execute(QUERIES[name])
    columns = [column[0] for column in result.description]
    assert set(columns) == {field.name for field in fields(kind)}, name  # type: ignore[arg-type]
    return tuple(kind(**dict(zip(columns, row, strict=True))) for row in result.fetchall())
