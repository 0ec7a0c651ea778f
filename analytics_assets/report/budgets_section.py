"""The section about estimates and budgets: what is used, what is left, and when it runs out at the present pace."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from analytics_assets.report.figures import Budget, Figures
from analytics_assets.report.view import Bar, Cell, Heading, Row, Section, Table, cells
from analytics_assets.report.words import UNKNOWN, count, day, hours, money, percent

SOON_DAYS: Final = 28
IDLE_DAYS: Final = 90
LONGEST: Final = 1.5
QUERIES: Final = ("budgets",)
HEADINGS: Final = (
    Heading("Project", "name"),
    Heading("Planned"),
    Heading("Left"),
    Heading("Unit", "text"),
    Heading("Used"),
    Heading("Used up on"),
    Heading("Last entry"),
    Heading("Used", "bar"),
)


def budgets(figures: Figures) -> Section:
    """A table of the budgets that matter now, and a folded one of those that are over and at rest."""
    key, title, as_of = "budgets", "Budgets", figures.as_of
    if not figures.budgets:
        return Section(key, title, "No open project has an estimate or a budget.", queries=QUERIES)
    resting = [row for row in figures.budgets if _is_over(row) and _is_idle(row, as_of)]
    shown = sorted((row for row in figures.budgets if row not in resting), key=lambda row: _order(row, as_of))
    tables = [Table("Estimates and budgets", HEADINGS, _rows(shown))] if shown else []
    if resting:
        folded = f"{len(resting):,} more are used up and have had no entry in {IDLE_DAYS} days"
        tables.append(Table("Estimates and budgets of projects at rest", HEADINGS, _rows(resting), folded=folded))
    soon, over = sum(_is_soon(row, as_of) for row in shown), sum(_is_over(row) for row in shown)
    until = day(as_of + timedelta(days=SOON_DAYS))
    return Section(
        key, title,
        f"Of {count(len(shown), 'estimate or budget', 'estimates and budgets')} of open projects, "
        f"{soon:,} will be used up by {until}, and {over:,} {'is' if over == 1 else 'are'} used up.",
        ["Planned and left are hours of an estimate, or the amount of a budget. The date is that on which it was used up, "
         "or will be at the pace of the last days that ANALYTICS_BURN_RATE_DAYS counts, 28 by default; without one it lasts "
         "longer. Bars end at 150 %. Archived projects are left out."],
        tables=tables, queries=QUERIES,
    )  # fmt: skip


def _is_over(row: Budget) -> bool:
    """Whether nothing is left. Without a currency only the share says so, which is rounded: one of 1 may leave some."""
    left = row.left_seconds if row.kind == "hours" else row.left_over
    return left <= 0 if left is not None else row.used_share is not None and row.used_share >= 1


def _is_idle(row: Budget, as_of: date) -> bool:
    return row.last_date is None or row.last_date <= as_of - timedelta(days=IDLE_DAYS)


def _is_soon(row: Budget, as_of: date) -> bool:
    return not _is_over(row) and row.used_up_on is not None and row.used_up_on <= as_of + timedelta(days=SOON_DAYS)


def _order(row: Budget, as_of: date) -> tuple[object, ...]:
    """Those that run out soon by their date, then those that are used up, then the rest, the fullest first."""
    rank = 0 if _is_soon(row, as_of) else 1 if _is_over(row) else 2
    return rank, (row.used_up_on or date.max) if rank == 0 else date.max, -(row.used_share or 0), row.project_id, row.kind


def _rows(rows: Sequence[Budget]) -> list[Row]:
    return [Row(_cells(row)) for row in rows]


def _cells(row: Budget) -> list[Cell]:
    is_hours = row.kind == "hours"
    planned = (
        hours(row.planned_seconds) if is_hours and row.planned_seconds is not None else money(row.planned, row.currency_exponent)
    )
    left = hours(row.left_seconds) if is_hours and row.left_seconds is not None else money(row.left_over, row.currency_exponent)
    unit = "h" if is_hours else row.currency or UNKNOWN
    share = row.used_share
    bar = None if share is None else Bar([("amount", min(max(share, 0), LONGEST) / LONGEST * 100)], mark=100 / LONGEST)
    texts = (
        planned,
        left,
        f"{unit}, since {day(row.period_start)}" if row.period_start else unit,
        UNKNOWN if share is None else percent(Decimal(str(share)), 1),
        day(row.used_up_on) if row.used_up_on else UNKNOWN,
        day(row.last_date) if row.last_date else "no entry yet",
    )
    return [Cell(row.project_name or f"Project {row.project_id}", row.client_name or ""), *cells(*texts), Cell(bar=bar)]
