"""The section about capacity: how much of their weeks groups and members worked, and how much of it is billed."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from analytics_assets.report.figures import Figures, GroupCapacity, MemberCapacity
from analytics_assets.report.view import Bar, Cell, Heading, Row, Section, Table, cells
from analytics_assets.report.words import count, day, hours, percent

HEADINGS: Final = (
    Heading("Worked, of capacity"),
    Heading("Billable, of capacity"),
    Heading("Hours worked"),
    Heading("Billable hours"),
    Heading("Worked and billable", "bar"),
)
QUERIES: Final = ("capacity_by_member", "capacity_by_group")
LONGEST: Final = 1.5
"""The share at which bars end; the number beside them says the rest."""


def capacity(figures: Figures) -> Section:
    """Tables of members and groups over the last eight weeks, with those who tracked nothing."""
    key, title = "capacity", "Capacity"
    if not figures.members:
        return Section(key, title, "No member is listed in the workspace.", queries=QUERIES)
    over = sum(row.work_seconds > (row.capacity_seconds or 0) > 0 for row in figures.members)
    idle = sum(not row.work_seconds for row in figures.members)
    since, until = figures.as_of - timedelta(days=62), figures.as_of - timedelta(days=1)
    return Section(
        key, title,
        f"Of {count(len(figures.members), 'member')}, {over:,} worked more than their capacity, and {idle:,} tracked no work.",
        [
            f"The last eight complete weeks of each member, which lie between {day(since)} and {day(until)}. A bar is the work "
            "(light) and what of it is billed (dark), the line in it 100 %. The capacity is what ANALYTICS_MEMBER_CAPACITIES "
            "says of a member, else ANALYTICS_WEEKLY_CAPACITY_HOURS, 40 hours a week by default; holidays and time off are not "
            "taken from it.",
            *(["A member of two groups counts in both."] if figures.groups else []),
        ],
        tables=[*_groups(figures.groups), _members(figures.members)],
        queries=QUERIES,
    )  # fmt: skip


def _groups(groups: Sequence[GroupCapacity]) -> list[Table]:
    rows = [
        Row(
            [
                Cell(row.user_group_name or f"Group {row.user_group_id}"),
                *_figures(row.work_seconds, row.billable_seconds, row.capacity_seconds),
            ]
        )
        for row in groups
    ]
    return [Table("Capacity of groups", [Heading("Group", "name"), *HEADINGS], rows)] if rows else []


def _members(members: Sequence[MemberCapacity]) -> Table:
    rows = [
        Row(
            [
                Cell(row.user_name or f"Member {row.user_id}", _absence(row)),
                *_figures(row.work_seconds, row.billable_seconds, row.capacity_seconds),
            ]
        )
        for row in members
    ]
    return Table("Capacity of members", [Heading("Member", "name"), *HEADINGS], rows)


def _absence(row: MemberCapacity) -> str:
    if row.work_seconds:
        return ""
    return f"last entry on {day(row.last_date)}" if row.last_date else "no entry yet"


def _figures(work: int, billable: int, whole: int | None) -> list[Cell]:
    bar = None
    if whole:
        parts = [
            (style, min(seconds / whole, LONGEST) / LONGEST * 100) for style, seconds in (("worked", work), ("billed", billable))
        ]
        bar = Bar(parts, mark=100 / LONGEST)
    return [*cells(percent(work, whole), percent(billable, whole), hours(work), hours(billable)), Cell(bar=bar)]
