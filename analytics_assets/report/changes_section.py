"""The section about what changed behind the owner's back: hours and money of months that had ended."""

from collections.abc import Sequence
from typing import Final

from analytics_assets.report.figures import Change, Figures, MonthChanges
from analytics_assets.report.view import Heading, Row, Section, Table, cells
from analytics_assets.report.words import UNKNOWN, client, count, in_hours, moment, month, signed

QUERIES: Final = ("changes_by_month_and_client", "largest_changes")
BY_MONTH: Final = (
    Heading("Month", "name"),
    Heading("Client", "text"),
    Heading("Added"),
    Heading("Edited"),
    Heading("Deleted"),
    Heading("Hours"),
    Heading("Amount"),
    Heading("Currency", "text"),
)
LARGEST: Final = (
    Heading("Member", "name"),
    Heading("Project", "text"),
    Heading("Client", "text"),
    Heading("Month", "text"),
    Heading("Change", "text"),
    Heading("Seen", "text"),
    Heading("Hours"),
    Heading("Amount"),
    Heading("Currency", "text"),
)


def changes(figures: Figures) -> Section:
    """What was seen in the last 90 days, by month and client, and the ten largest changes."""
    key, title = "changes", "Changes after months ended"
    if not figures.changed_months:
        return Section(
            key,
            title,
            "No hours and no money of a month that had ended were seen to change in the last 90 days.",
            queries=QUERIES,
        )
    total = sum(row.added + row.edited + row.deleted for row in figures.changed_months)
    months = len({row.month for row in figures.changed_months})
    notes = [
        "A change counts by when a sync first saw it, and only if it moves hours or money; the numbers are after less before. "
        "If no sync had read the month after its end, the change may have been made before it. An entry that was moved to "
        "another client is under the new one alone, and one that was moved between two months that had ended under the one that "
        "it was in before."
    ]
    if unknown := sum(row.not_in_amount for row in figures.changed_months):
        notes.append(
            f"The amounts of {count(unknown, 'change')} are not in the table, because their currency changed or is not known."
        )
    return Section(
        key, title,
        f"{count(total, 'change')} to {count(months, 'month')} that had ended {'was' if total == 1 else 'were'} seen in the last "
        "90 days.",
        notes,
        tables=[
            Table("Changes by month and client", BY_MONTH, _by_month(figures.changed_months)),
            Table("The largest changes", LARGEST, _largest(figures.changes), folded="Those that move most hours"),
        ],
        queries=QUERIES,
    )  # fmt: skip


def _by_month(rows: Sequence[MonthChanges]) -> list[Row]:
    return [
        Row(
            cells(
                month(row.month),
                client(row.client_id, row.client_name),
                f"{row.added:,}",
                f"{row.edited:,}",
                f"{row.deleted:,}",
                signed(in_hours(row.seconds_difference), 2),
                UNKNOWN
                if row.amount_difference is None or row.currency_exponent is None
                else signed(row.amount_difference, row.currency_exponent),
                row.currency or UNKNOWN,
            )
        )
        for row in rows
    ]


def _largest(rows: Sequence[Change]) -> list[Row]:
    return [
        Row(
            cells(
                row.user_name or "No name",
                row.project_name or "No project",
                row.client_name or "No client",
                month(row.month),
                f"{row.change_type}: {row.changed_fields}" if row.changed_fields else row.change_type,
                moment(row.first_seen_at),
                signed(in_hours(row.seconds_difference), 2),
                UNKNOWN
                if row.amount_difference is None or row.currency_exponent is None
                else signed(row.amount_difference, row.currency_exponent),
                row.currency or UNKNOWN,
            )
        )
        for row in rows
    ]
