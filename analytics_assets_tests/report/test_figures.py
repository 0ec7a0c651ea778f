"""Each number on the page equals plain Python over the rows of the marts."""

import re
from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from analytics_assets.report.words import MINUS
from analytics_assets_tests.dbt.conftest import Build, Builder, nasty_build
from analytics_assets_tests.dbt.history import AS_OF
from analytics_assets_tests.report.parsed import Page, figures_of, page_of


def value(text: str) -> Decimal:
    return Decimal(text.replace(",", "").replace(MINUS, "-"))


def shown(seconds: int) -> Decimal:
    return round_half_up(Decimal(seconds) / 3600, 2)


def round_half_up(number: Decimal, digits: int) -> Decimal:
    scaled = abs(number) * Decimal(10**digits) + Decimal("0.5")
    return (Decimal(int(scaled)) / Decimal(10**digits)).copy_sign(number)


def busiest_day(build: Build) -> date:
    """A day of which the report has most to say: the middle of the month after the busiest one."""
    days = build.records("select work_date, tracked_seconds from marts.timesheet_daily")
    months: dict[date, int] = defaultdict(int)
    for row in days:
        months[row["work_date"].replace(day=1)] += row["tracked_seconds"]
    busiest = max(months, key=lambda month: months[month])
    return (busiest + timedelta(days=31)).replace(day=15)


@pytest.fixture(params=["lived_in", "mixed"])
def case(request: pytest.FixtureRequest) -> tuple[Build, date, Page]:
    build: Build = request.getfixturevalue(request.param)
    as_of = AS_OF if request.param == "lived_in" else busiest_day(build)
    return build, as_of, page_of(figures_of(build, as_of))


def test_hours_by_week_and_client_are_those_of_the_days(case: tuple[Build, date, Page]) -> None:
    build, as_of, page = case
    monday = as_of - timedelta(days=as_of.weekday())
    first = monday - timedelta(weeks=26)
    seconds: dict[tuple[str | None, date], int] = defaultdict(int)
    totals: dict[str | None, int] = defaultdict(int)
    names: dict[str | None, Any] = {None: "No client"}
    for row in build.records("from marts.timesheet_daily"):
        if first <= row["work_date"] <= as_of:
            week = row["work_date"] - timedelta(days=row["work_date"].weekday())
            seconds[row["client_id"], week] += row["tracked_seconds"]
            totals[row["client_id"]] += row["tracked_seconds"]
            names[row["client_id"]] = row["client_name"] or names.get(row["client_id"], f"Client {row['client_id']}")
    there = [each for each in totals if totals[each] > 0 and each is not None]
    largest = sorted(there, key=lambda each: (-totals[each], each))[:6]
    groups: list[list[str | None]] = [[each] for each in largest]
    headings = [names[each] for each in largest]
    if others := [each for each in there if each not in largest]:
        groups.append([*others])
        headings.append("Other clients")
    if totals[None]:
        groups.append([None])
        headings.append("No client")
    (table,) = page.sections["hours"].tables
    assert table[0] == ["Week of", *headings]
    weeks = [first + timedelta(weeks=index) for index in range(27)]
    assert [[row[0], *map(value, row[1:])] for row in table[1:]] == [
        [str(week), *(shown(sum(seconds[each, week] for each in group)) for group in groups)] for week in weeks
    ]


def test_the_billable_share_is_that_of_the_work_of_the_days(case: tuple[Build, date, Page]) -> None:
    build, as_of, page = case
    first = as_of - timedelta(days=as_of.weekday(), weeks=26)
    work: dict[date, int] = defaultdict(int)
    billed: dict[date, int] = defaultdict(int)
    for row in build.records("from marts.timesheet_daily"):
        if first <= row["work_date"] <= as_of:
            week = row["work_date"] - timedelta(days=row["work_date"].weekday())
            work[week] += row["work_seconds"]
            billed[week] += row["billable_work_seconds"]
    (table,) = page.sections["share"].tables
    assert [[row[0], *map(value, row[1:])] for row in table[1:]] == [
        [str(week), shown(work[week]), shown(billed[week]), round_half_up(Decimal(100 * billed[week]) / work[week], 1)]
        for week in sorted(work)
        if work[week]
    ]


def test_the_money_of_clients_is_that_of_the_month_in_each_currency(case: tuple[Build, date, Page]) -> None:
    build, as_of, page = case
    month = (as_of.replace(day=1) - timedelta(days=1)).replace(day=1)
    sums: dict[tuple[Any, Any], list[Any]] = defaultdict(lambda: [0, Decimal(0), Decimal(0), Decimal(0)])
    for row in build.records("from marts.billing_monthly"):
        if row["billing_month"] == month and row["currency"] is not None:
            name = "No client" if row["client_id"] is None else row["client_name"] or f"Client {row['client_id']}"
            each = sums[name, row["currency"]]
            each[0] += row["tracked_seconds"]
            each[1] += row["amount"]
            each[2] += row["cost"]
            each[3] = None if row["has_cost_in_other_currency"] or each[3] is None else each[3] + row["margin"]
    (table,) = page.sections["clients"].tables
    found = {(line[0], line[8]): line for line in table[1:] if not line[0].startswith(("All in", "Work billed"))}
    assert found.keys() == {key for key, (seconds, amount, *_) in sums.items() if seconds or amount}
    for key, line in found.items():
        seconds, amount, cost, margin = sums[key]
        assert [value(line[1]), value(line[3]), value(line[4])] == [shown(seconds), amount, cost], key
        assert line[5] == "\N{EN DASH}" if margin is None else value(line[5]) == margin, key
    for line in table[1:]:
        if line[0].startswith("All in"):
            rows = [each for (_, currency), each in sums.items() if currency == line[8]]
            assert [value(line[3]), value(line[4])] == [sum(each[1] for each in rows), sum(each[2] for each in rows)], line


def test_the_tiles_are_those_of_the_last_closed_month(case: tuple[Build, date, Page]) -> None:
    build, as_of, page = case
    start = (as_of.replace(day=1) - timedelta(days=1)).replace(day=1)
    days = [row for row in build.records("from marts.timesheet_daily") if row["work_date"].replace(day=1) == start]
    tracked, work, billed = (sum(row[f"{kind}_seconds"] for row in days) for kind in ("tracked", "work", "billable_work"))
    text = page.sections["glance"].text
    assert f"{round_half_up(Decimal(tracked) / 3600, 0):,.0f} h" in text
    assert f"{round_half_up(Decimal(100 * billed) / work, 0):.0f} %" in text
    so_far = [row for row in build.records("from marts.timesheet_daily") if as_of.replace(day=1) <= row["work_date"] <= as_of]
    if so_far:
        assert f"{shown(sum(row['tracked_seconds'] for row in so_far)):,.2f} h tracked up to" in text


def test_the_capacity_of_members_is_that_of_their_last_eight_complete_weeks(case: tuple[Build, date, Page]) -> None:
    build, as_of, page = case
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for row in build.records("from marts.utilization_weekly"):
        if as_of - timedelta(weeks=9) < row["week_start_date"] <= as_of - timedelta(weeks=1):
            for index, kind in enumerate(("work", "billable", "capacity")):
                sums[row["user_id"]][index] += row[f"{kind}_seconds"]
    expected = []
    for user in build.records("from marts.dim_users"):
        work, billable, capacity = sums[user["user_id"]]
        if work or (not user["is_deleted"] and user["status"] in (None, "ACTIVE")):
            share = f"{round_half_up(Decimal(100 * work) / capacity, 0):,} %" if capacity else "\N{EN DASH}"
            expected.append((user["user_name"] or f"Member {user['user_id']}", share, shown(work), shown(billable)))
    table = page.sections["capacity"].tables[-1]
    found = [
        (re.sub(r" (last entry on .*|no entry yet)$", "", row[0]), row[1], value(row[3]), value(row[4])) for row in table[1:]
    ]
    assert sorted(found) == sorted(expected)


def test_the_capacity_of_groups_is_that_of_the_same_weeks_of_their_members(case: tuple[Build, date, Page]) -> None:
    """Members begin their weeks on other days than the group: a week that was not over counted, and one that was did not."""
    build, as_of, page = case
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    members = build.records("from marts.user_group_members where not is_user_group_deleted")
    for row in build.records("from marts.utilization_weekly where is_complete"):
        if as_of - timedelta(weeks=9) < row["week_start_date"] <= as_of - timedelta(weeks=1):
            for group in [each["user_group_name"] for each in members if each["user_id"] == row["user_id"]]:
                for index, kind in enumerate(("work", "billable", "capacity")):
                    sums[group][index] += row[f"{kind}_seconds"]
    expected = {
        group: [f"{round_half_up(Decimal(100 * work) / capacity, 0):,} %", shown(work), shown(billable)]
        for group, (work, billable, capacity) in sums.items()
    }
    tables = page.sections["capacity"].tables
    assert len(tables) == (2 if expected else 1)
    assert {row[0]: [row[1], value(row[3]), value(row[4])] for row in tables[0][1:] if len(tables) == 2} == expected


def test_the_budgets_are_those_of_the_open_projects(case: tuple[Build, date, Page]) -> None:
    build, _, page = case
    expected = []
    for row in build.records("from marts.project_budgets"):
        if not row["is_archived"] and not row["is_deleted"]:
            if row["estimate_seconds"] is not None:
                left = shown(row["estimate_seconds"] - row["estimate_used_seconds"])
                expected.append((shown(row["estimate_seconds"]), left, "h"))
            if row["budget_minor"] is not None and row["currency"]:
                unit = Decimal(10) ** row["currency_exponent"]
                budget, used = row["budget_minor"] / unit, row["budget_used_minor"] / unit
                expected.append((budget, budget - used, row["currency"]))
    found = [
        (value(row[1]), value(row[2]), row[3].split(",")[0])
        for table in page.sections["budgets"].tables
        for row in table[1:]
        if row[1] != "\N{EN DASH}"
    ]
    assert sorted(found) == sorted(expected)


def test_the_changes_of_ended_months_add_up_to_those_of_the_mart(case: tuple[Build, date, Page]) -> None:
    build, as_of, page = case
    sums: dict[tuple[str, str], list[Decimal]] = defaultdict(lambda: [Decimal(0)] * 3)
    for row in build.records("from marts.time_entry_changes"):
        if row["is_billing_relevant"] and as_of - timedelta(days=90) <= row["first_seen_at"].date() <= as_of:
            each = sums[f"{row['entry_month']:%B %Y}", row["currency"] or "\N{EN DASH}"]
            each[0] += 1
            each[1] += Decimal(row["seconds_difference"])
            each[2] += row["amount_difference"] or 0
    found: dict[tuple[str, str], list[Decimal]] = defaultdict(lambda: [Decimal(0)] * 3)
    for line in page.sections["changes"].tables[0][1:] if page.sections["changes"].tables else []:
        each = found[line[0], line[7]]
        each[0] += sum(map(value, line[2:5]))
        each[1] += value(line[5])
        each[2] += value(line[6]) if line[6] != "\N{EN DASH}" else 0
    assert found.keys() == sums.keys()
    for key, (count, hours, amount) in found.items():
        assert count == sums[key][0]
        assert abs(hours - sums[key][1] / 3600) <= Decimal("0.005") * count
        assert amount == sums[key][2]


def test_changes_that_are_in_no_amount_are_counted_whichever_side_has_the_amount(builder: Builder) -> None:
    """Time that became billable at a rate without a currency had an amount of 0 before, and was not counted."""
    build = nasty_build(builder, "rates_without_currency")
    rows = [
        row
        for row in build.records("from marts.time_entry_changes where is_billing_relevant and amount_difference is null")
        if AS_OF - timedelta(days=90) <= row["first_seen_at"].date() <= AS_OF
    ]
    amounts = [(row["before_amount_minor"] or 0, row["after_amount_minor"] or 0) for row in rows]
    assert any(after and not before for before, after in amounts) and any(before and not after for before, after in amounts)
    found = sum(row.not_in_amount for row in figures_of(build, AS_OF).changed_months)
    assert found == sum(any(both) for both in amounts)
