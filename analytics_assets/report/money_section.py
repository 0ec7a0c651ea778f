"""The section about money: what each client brought and cost in the last closed month, currency by currency.

Nothing is added up over two currencies.
"""

from collections.abc import Sequence
from decimal import Decimal
from itertools import groupby
from typing import Final, Literal

from analytics_assets.report.charts import sparkline
from analytics_assets.report.figures import ClientMoney, Figures
from analytics_assets.report.view import Bar, Cell, Heading, Panel, Row, Section, Table, cells
from analytics_assets.report.words import (
    UNKNOWN,
    client,
    count,
    hours,
    in_hours,
    money,
    month,
    month_before,
    percent,
)

HEADINGS: Final = (
    Heading("Client", "name"),
    Heading("Hours"),
    Heading("Billable hours"),
    Heading("Amount"),
    Heading("Cost"),
    Heading("Margin"),
    Heading("Margin %"),
    Heading("Per hour"),
    Heading("Currency", "text"),
    Heading("Amount", "bar"),
)
QUERIES: Final = ("money_by_client", "money_by_month")


def clients(figures: Figures) -> Section:
    """A table of the clients by currency, and the amounts of each currency by month."""
    last = month_before(figures.as_of)
    title = f"Clients: money in {month(last)}"
    if not figures.clients:
        return Section("clients", title, f"No time was tracked in {month(last)}.", queries=QUERIES, panels=_panels(figures))
    known = [row for row in figures.clients if row.currency is not None]
    rows = [row for _, group in groupby(known, key=lambda each: each.currency) for row in _of_currency(list(group))]
    return Section(
        "clients", title, _finding(figures, known), _notes(figures, known),
        panels=_panels(figures),
        tables=[Table("Money by client and currency", HEADINGS, rows)] if rows else [],
        queries=QUERIES,
    )  # fmt: skip


def _finding(figures: Figures, known: Sequence[ClientMoney]) -> str:
    billed = [row for row in known if row.amount]
    if not billed:
        return "Nothing of the month was billed. Amounts are of billable time that has a rate in the time tracker."
    who = len({row.client_id for row in billed} - {None})
    currencies = count(len({row.currency for row in billed}), "currency", "currencies")
    return f"{count(who, 'client')} brought an amount, in {currencies}."


def _notes(figures: Figures, known: Sequence[ClientMoney]) -> list[str]:
    notes = [
        "An entry counts whole in the month that it starts in. Margin is amount less cost; per hour is the amount divided by "
        "all hours tracked. Currencies are never added up."
    ]
    if any(row.margin is None for row in known):
        notes.append("The margin is not known where the cost of the same work is in another currency.")
    if unknown := sum(row.currency is None for row in figures.clients):
        notes.append(
            f"The amounts of {count(unknown, 'client')} are not shown, because no currency is known; "
            "ANALYTICS_DEFAULT_CURRENCY sets one."
        )
    return notes


def _of_currency(group: Sequence[ClientMoney]) -> list[Row]:
    """The clients of a currency, then what only cost something in it, then the sum."""
    shown = [row for row in group if row.tracked_seconds or row.amount]
    only_cost = [row for row in group if not (row.tracked_seconds or row.amount) and row.cost]
    largest = max((row.amount or Decimal(0) for row in shown), default=Decimal(0))
    rows = [
        _row(row, client(row.client_id, row.client_name), largest, style="quiet" if row.client_id is None else "")
        for row in shown
    ]
    if only_cost:
        rows.append(_row(_summed(only_cost), "Work billed in another currency", Decimal(0), style="quiet"))
    if len(rows) > 1:
        rows.append(_row(_summed(group), f"All in {group[0].currency}", Decimal(0), style="total"))
    return rows


def _summed(group: Sequence[ClientMoney]) -> ClientMoney:
    margins = [row.margin for row in group if row.margin is not None]
    return ClientMoney(
        client_id=None,
        client_name=None,
        currency=group[0].currency,
        currency_exponent=group[0].currency_exponent,
        tracked_seconds=sum(row.tracked_seconds for row in group),
        billable_seconds=sum(row.billable_seconds for row in group),
        amount=sum((row.amount or Decimal(0) for row in group), Decimal(0)),
        cost=sum((row.cost or Decimal(0) for row in group), Decimal(0)),
        margin=sum(margins, Decimal(0)) if len(margins) == len(group) else None,
    )


def _row(row: ClientMoney, name: str, largest: Decimal, *, style: Literal["", "total", "quiet"]) -> Row:
    exponent, amount = row.currency_exponent, row.amount or Decimal(0)
    per_hour = amount / in_hours(row.tracked_seconds) if row.tracked_seconds else None
    bar = Bar([("amount", float(amount * 100 / largest))]) if largest > 0 and amount > 0 else None
    texts = (
        name,
        hours(row.tracked_seconds),
        hours(row.billable_seconds),
        money(row.amount, exponent),
        money(row.cost, exponent),
        money(row.margin, exponent),
        percent(row.margin, amount) if row.margin is not None and amount > 0 else UNKNOWN,
        money(per_hour, exponent),
        row.currency or UNKNOWN,
    )
    return Row([*cells(*texts), Cell(bar=bar)], style)


def _panels(figures: Figures) -> list[Panel]:
    """The amounts of 13 months in small bars, a panel for each currency with its own scale."""
    months = [month_before(figures.as_of, back) for back in range(13, 0, -1)]
    panels = []
    for currency, group in groupby(figures.money, key=lambda row: row.currency):
        rows = {row.month: row for row in group}
        amounts = [rows[each].amount if each in rows else Decimal(0) for each in months]
        if any(amounts):
            exponent = next(iter(rows.values())).currency_exponent
            value = f"{money(amounts[-1], exponent)} {currency}"
            highest = f"highest of 13 months: {money(max(amounts), exponent)}"
            panels.append(Panel(currency, value, highest, sparkline([float(amount) for amount in amounts])))
    return panels
