"""The sections about time: at a glance, hours by week and client, billable share."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from analytics_assets.report.charts import Series, share_line, sparkline, stacked_bars
from analytics_assets.report.figures import Figures, MonthHours, MonthMoney
from analytics_assets.report.view import Chart, Heading, Legend, Panel, Row, Section, Table, cells
from analytics_assets.report.words import (
    UNKNOWN,
    client,
    count,
    day,
    hours,
    in_hours,
    money,
    month,
    month_before,
    percent,
    plain,
    signed,
    whole_percent,
)

WEEKS: Final = 26
CLOSED_MONTHS: Final = 13
LARGEST_CLIENTS: Final = 6
MONEY_TILES: Final = 3
WIDE: Final = 900
NARROW: Final = 350

Key = tuple[str | None, str | None]


def glance(figures: Figures) -> Section:
    """The last closed month in a few tiles, and how the present one is going."""
    months = [month_before(figures.as_of, back) for back in range(CLOSED_MONTHS, 0, -1)]
    by_month = {row.month: row for row in figures.months}
    closed = [by_month.get(each, MonthHours(each, 0, 0, 0)) for each in months]
    last, before = closed[-1], closed[-2]
    tiles = [
        Panel(
            f"Hours, {month(last.month)}",
            f"{hours(last.tracked_seconds, 0)} h",
            _change(last.tracked_seconds, before.tracked_seconds, before.month),
            sparkline([float(in_hours(row.tracked_seconds)) for row in closed]),
        ),
        Panel(
            f"Billable, {month(last.month)}",
            percent(last.billable_seconds, last.work_seconds),
            _points(last, before),
            sparkline([row.billable_seconds / row.work_seconds if row.work_seconds else 0.0 for row in closed]),
        ),
    ]
    currencies = _currencies(figures, months[-1])
    tiles += [_money_tile(figures, currency, months) for currency in currencies[:MONEY_TILES]]
    notes = [
        "The small bars are the last 13 closed months. Hours are all that is tracked; billable is the share of work that is "
        "billed, breaks, holidays and time off left out."
    ]
    if len(currencies) > MONEY_TILES:
        rest = count(len(currencies) - MONEY_TILES, "more currency", "more currencies")
        notes.append(f"Amounts of {rest} are under Clients.")
    if not currencies:
        notes.append(
            f"Nothing was billed in {month(last.month)}. Amounts are of billable time that has a rate in the time tracker."
        )
    return Section(
        "glance", "At a glance", _so_far(figures, by_month), notes, tiles,
        queries=("hours_by_month", "hours_at_the_same_day", "money_by_month"),
    )  # fmt: skip


def _so_far(figures: Figures, by_month: dict[date, MonthHours]) -> str:
    this = month_before(figures.as_of, 0)
    row = by_month.get(this)
    before = month(month_before(figures.as_of)).split()[0]
    tracked = f"{hours(row.tracked_seconds)} h" if row else "no time"
    return (
        f"{month(this)} so far: {tracked} tracked up to {day(figures.as_of)}; at the same day of {before} it was "
        f"{hours(figures.seconds_at_the_same_day)} h."
    )


def _change(now: int, before: int, before_month: date) -> str:
    name = month(before_month).split()[0]
    if not before:
        return f"nothing tracked in {name}"
    return f"{signed(Decimal(now - before) * 100 / before)} % on {name}"


def _points(last: MonthHours, before: MonthHours) -> str:
    if not last.work_seconds or not before.work_seconds:
        return ""
    points = whole_percent(last.billable_seconds, last.work_seconds) - whole_percent(before.billable_seconds, before.work_seconds)
    return f"{signed(points)} {'point' if abs(points) == 1 else 'points'} on {month(before.month).split()[0]}"


def _currencies(figures: Figures, last: date) -> list[str]:
    """The currencies that something was billed in last month; amounts can't be compared, so most months go first."""
    billed: dict[str, int] = defaultdict(int)
    for row in figures.money:
        billed[row.currency] += row.amount != 0
    there = {row.currency for row in figures.money if row.month == last and row.amount != 0}
    clients: dict[str, int] = defaultdict(int)
    for each in figures.clients:
        clients[each.currency or ""] += each.billable_seconds
    return sorted(there, key=lambda currency: (-clients[currency], -billed[currency], currency))


def _money_tile(figures: Figures, currency: str, months: list[date]) -> Panel:
    rows: dict[date, MonthMoney] = {row.month: row for row in figures.money if row.currency == currency}
    last, before = rows[months[-1]], rows.get(months[-2])
    name = month(months[-2]).split()[0]
    if before is None or not before.amount:
        change = f"nothing billed in {name}"
    elif before.amount < 0:  # no share of it says anything
        change = f"{money(before.amount, before.currency_exponent)} {currency} in {name}"
    else:
        change = f"{signed((last.amount - before.amount) * 100 / before.amount)} % on {name}"
    amounts = [float(rows[each].amount) if each in rows else 0.0 for each in months]
    value = f"{money(last.amount, last.currency_exponent)} {currency}"
    return Panel(f"Amount, {month(months[-1])}", value, change, sparkline(amounts))


def weeks_of(figures: Figures) -> list[date]:
    """The weeks of the charts: 26 complete ones, and the present one."""
    present = figures.as_of - timedelta(days=figures.as_of.weekday())
    return [present - timedelta(weeks=back) for back in range(WEEKS, -1, -1)]


def hours_by_week(figures: Figures) -> Section:
    """Hours of the last weeks, stacked by client."""
    weeks, key = weeks_of(figures), "hours"
    queries = ("hours_by_week_and_client",)
    title = "Hours by week and client"
    if not figures.weeks:
        return Section(key, title, f"No time was tracked between {day(weeks[0])} and {day(figures.as_of)}.", queries=queries)
    lines = _lines(figures)
    total = sum(row.tracked_seconds for row in figures.weeks)
    seconds = {name: [per_week.get(week, 0) for week in weeks] for name, per_week in lines.items()}
    styles = {name: _style(name, index) for index, name in enumerate(lines)}
    series = [Series(styles[name], [value / 3600 for value in values]) for name, values in seconds.items()]
    chart = Chart(
        f"Bars of the hours tracked in each of the {len(weeks)} weeks since {day(weeks[0])}; the numbers are in the table below.",
        stacked_bars(weeks, series, width=WIDE),
        stacked_bars(weeks, series, width=NARROW),
    )
    names = [_label(name) for name in lines]
    legend = [Legend(styles[name], label, f"{hours(sum(seconds[name]))} h") for name, label in zip(lines, names, strict=True)]
    rows = [
        Row(cells(f"{week}", *(plain(in_hours(seconds[name][index]), 2) for name in lines))) for index, week in enumerate(weeks)
    ]
    table = Table(
        "Hours by week and client", [Heading("Week of", "name"), *(Heading(label) for label in names)], rows, folded="Numbers"
    )
    return Section(
        key, title,
        f"{hours(total)} h were tracked for {_clients(figures)} since {day(weeks[0])}.",
        [f"Weeks begin on Monday. {_present_week(seconds.values())}"],
        chart=chart, legend=legend, tables=[table], queries=queries,
    )  # fmt: skip


def _present_week(of_clients: Iterable[Sequence[int]]) -> str:
    if any(values[-1] for values in of_clients):
        return "The last bar is the present week, which is not over."
    return "The present week, which is not over, has no time yet."


OTHERS: Final[Key] = ("others", None)
NONE: Final[Key] = (None, None)


def _lines(figures: Figures) -> dict[Key, dict[date, int]]:
    """Seconds by week of the largest clients by size, of all others together, and of none, in this order."""
    totals: dict[str | None, int] = defaultdict(int)
    names = {row.client_id: row.client_name for row in figures.weeks}
    for row in figures.weeks:
        totals[row.client_id] += row.tracked_seconds
    largest = sorted((each for each in totals if each is not None), key=lambda each: (-totals[each], each))
    shown: dict[str | None, Key] = {each: (f"id:{each}", client(each, names[each])) for each in largest[:LARGEST_CLIENTS]}
    lines: dict[Key, dict[date, int]] = {key: defaultdict(int) for key in shown.values()}
    if len(largest) > LARGEST_CLIENTS:
        lines[OTHERS] = defaultdict(int)
    if None in totals:
        lines[NONE] = defaultdict(int)
    for row in figures.weeks:
        key = NONE if row.client_id is None else shown.get(row.client_id, OTHERS)
        lines[key][row.week] += row.tracked_seconds
    return lines


def _style(key: Key, index: int) -> str:
    return {OTHERS: "others", NONE: "none"}.get(key, f"c{index}")


def _label(key: Key) -> str:
    return {OTHERS: "Other clients", NONE: "No client"}.get(key, key[1] or UNKNOWN)


def _clients(figures: Figures) -> str:
    ids = {row.client_id for row in figures.weeks}
    known = count(len(ids - {None}), "client")
    if ids == {None}:
        return "no client"
    return f"{known} and for none" if None in ids else known


def billable_share(figures: Figures) -> Section:
    """The share of work that is billed, week by week."""
    weeks, key, title, queries = weeks_of(figures), "share", "Billable share", ("billable_by_week",)
    by_week = {row.week: row for row in figures.work_weeks if row.work_seconds > 0}
    if not by_week:
        return Section(key, title, f"No work was tracked between {day(weeks[0])} and {day(figures.as_of)}.", queries=queries)
    shares = [by_week[week].billable_seconds / by_week[week].work_seconds if week in by_week else None for week in weeks]
    chart = Chart(
        f"A line of the billable share of each week since {day(weeks[0])}, from 0 to 100 %; the numbers are in the table below.",
        share_line(weeks, shares, width=WIDE),
        share_line(weeks, shares, width=NARROW),
    )
    rows = [
        Row(
            cells(
                f"{week}",
                plain(in_hours(row.work_seconds), 2),
                plain(in_hours(row.billable_seconds), 2),
                plain(Decimal(row.billable_seconds) * 100 / row.work_seconds, 1),
            )
        )
        for week, row in sorted(by_week.items())
    ]
    headings = [Heading("Week of", "name"), Heading("Hours of work"), Heading("Billable hours"), Heading("Percent")]
    complete = [week for week in weeks[:-1] if week in by_week]
    last = by_week[complete[-1] if complete else weeks[-1]]
    finding = f"{percent(last.billable_seconds, last.work_seconds)} of the work of the week of {day(last.week)} is billed."
    return Section(
        key, title, finding,
        ["Billable hours divided by hours of work; breaks, holidays and time off are not work. "
         + ("The last point is the present week, which is not over." if weeks[-1] in by_week
            else "The present week, which is not over, has no work yet.")],
        chart=chart, tables=[Table("Billable share by week", headings, rows, folded="Numbers")], queries=queries,
    )  # fmt: skip
