"""The head of the page and its last sections: what was synced, which checks did not pass, where each figure comes from."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from analytics_assets.report.figures import Figures, PublishedResource
from analytics_assets.report.queries import QUERIES, marts_of
from analytics_assets.report.view import Heading, Row, Section, Table, cells
from analytics_assets.report.words import UNKNOWN, count, day, moment, number

CHECKS_NOT_KNOWN: Final = "The results of the checks are not known here; a sync writes them into the report."


@dataclass(frozen=True)
class CheckResult:
    """How a check of the data ended."""

    name: str
    asset: str
    passed: bool
    is_warning: bool
    rows: int | None = None


@dataclass(frozen=True)
class Verified:
    """When the raw tables were last compared with the API as a whole, and whether they were equal."""

    at: datetime
    is_equal: bool


def verified(last: Verified | None) -> str:
    """When the warehouse was last proven to equal the API, in a sentence."""
    if last is None:
        return "Not compared with the API yet; analytics-assets verify and the check raw_matches_api do that."
    return f"{'Equal to' if last.is_equal else 'Different from'} the API when it was compared {moment(last.at)}."


def synced(figures: Figures) -> str:
    """When the last sync was and what it read, in a sentence."""
    if not figures.last_sync:
        return "Nothing has been synced yet. Run make run or analytics-assets sync."
    read = [_rows(row) for row in figures.last_sync]
    entries = next((row for row in figures.last_sync if row.resource == "time_entries"), None)
    span = f" {_span(entries)}" if entries is not None and entries.window_start is not None else ""
    return f"Synced {moment(figures.last_sync[0].published_at)}. It read {', '.join(read)}.{span}"


def _rows(read: PublishedResource) -> str:
    many = read.resource.replace("_", " ")
    one = f"{many.removesuffix('ies')}y" if many.endswith("ies") else many.removesuffix("s")
    return count(read.rows_read, one, many)


def _span(entries: PublishedResource) -> str:
    start, end = entries.window_start, entries.window_end
    assert start is not None
    until = f"to {_day(end)}" if end is not None else "to now"
    return f"Time entries were read again from {_day(start)} {until}."


def _day(value: datetime) -> str:
    return day(value.astimezone(UTC).date())


def checked(checks: Sequence[CheckResult] | None, of: datetime | None = None) -> str:
    """How the checks ended, in a sentence, and in another when that was known, where it was known before."""
    if checks is None:
        return CHECKS_NOT_KNOWN
    if not checks:
        return "No check has run yet."
    failed, warned = _failed(checks), _warned(checks)
    passed = f"{_of_the_data(len(checks) - len(failed) - len(warned))} passed"
    more = [count(len(some), word) for some, word in ((failed, "failure"), (warned, "warning")) if some]
    return f"{', '.join([passed, *more])}.{_known(of)}"


def _of_the_data(checks: int) -> str:
    return count(checks, "check of the data", "checks of the data")


def _known(of: datetime | None) -> str:
    return "" if of is None else f" That was so when a sync wrote this report {moment(of)}."


def _failed(checks: Sequence[CheckResult]) -> list[CheckResult]:
    return [check for check in checks if not check.passed and not check.is_warning]


def _warned(checks: Sequence[CheckResult]) -> list[CheckResult]:
    return [check for check in checks if not check.passed and check.is_warning]


def quality(checks: Sequence[CheckResult] | None, of: datetime | None = None) -> Section:
    """The checks that did not pass."""
    key, title = "quality", "Data quality"
    if not checks:
        return Section(key, title, checked(checks, of))
    unmet = sorted([*_failed(checks), *_warned(checks)], key=lambda check: (check.is_warning, check.asset, check.name))
    if not unmet:
        all_passed = f"All {_of_the_data(len(checks))} passed." if len(checks) > 1 else "The check passed."
        return Section(key, title, f"{all_passed}{_known(of)}")
    rows = [
        Row(
            cells(
                check.name.replace("_", " "),
                check.asset,
                "warning" if check.is_warning else "failure",
                UNKNOWN if check.rows is None else number(check.rows),
            )
        )
        for check in unmet
    ]
    headings = [Heading("What is not so", "name"), Heading("Asset", "text"), Heading("Kind", "text"), Heading("Rows")]
    return Section(
        key, title, checked(checks, of),
        ["Each line is a sentence that should be true and is not, for so many rows. The Dagster UI (make dev) shows the query "
         "of each check. The summary of a sync counts the checks of this report and of the copy for BI tools too, which run "
         "later."],
        tables=[Table("Checks that did not pass", headings, rows)],
    )  # fmt: skip


def about(sections: Sequence[Section], figures: Figures) -> Section:
    """Which marts and which query each section comes from."""
    rows = [
        Row(cells(section.title, ", ".join(section.queries), _marts(section.queries))) for section in sections if section.queries
    ]
    headings = [Heading("Section", "name"), Heading("Queries", "text"), Heading("Marts", "text")]
    return Section(
        "about", "About these numbers",
        f"All figures are as of {day(figures.as_of)}, the date that counted as today when the marts were built.",
        ["Days are those of the member who worked, or of ANALYTICS_REPORTING_TIME_ZONE where it is set. The queries are below as "
         "they were run; they work in any DuckDB session on the warehouse."],
        tables=[Table("Where the figures come from", headings, rows)],
        queries=tuple(QUERIES),
    )  # fmt: skip


def _marts(queries: Sequence[str]) -> str:
    return ", ".join(sorted({f"marts.{mart}" for name in queries for mart in marts_of(name)}))
