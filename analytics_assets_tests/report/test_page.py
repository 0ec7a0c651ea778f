"""The page is one file that asks for nothing, takes names as text, and says in a sentence what is not there."""

import re
from base64 import b64decode
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from xml.etree import ElementTree

import pytest

from analytics_assets.report.charts import Series, stacked_bars
from analytics_assets.report.figures import Figures, MonthHours, MonthMoney
from analytics_assets.report.page import render
from analytics_assets.report.picture import hours_picture
from analytics_assets.report.quality_sections import CheckResult, Verified
from analytics_assets_tests.dbt.conftest import Build
from analytics_assets_tests.dbt.history import AS_OF
from analytics_assets_tests.report.parsed import figures_of, page_of

HOSTILE = ["<script>alert(1)</script>", '"><img src=x onerror=alert(2)> & Söhne 株式会社', "{{ 7 * 7 }} </style>"]
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
ALLOWED = {
    "html", "head", "meta", "title", "style", "body", "header", "main", "section", "h1", "h2", "h3", "p", "a", "div",
    "span", "figure",
    "svg", "path", "rect", "circle", "text", "ul", "li", "bdi", "table", "thead", "tbody", "tr", "th", "td", "small", "details",
    "summary", "pre", "code",
}  # fmt: skip


@pytest.fixture
def figures(lived_in: Build) -> Figures:
    return figures_of(lived_in, AS_OF)


def with_names(figures: Figures, names: list[str]) -> Figures:
    """The same figures with other names wherever a name stands."""
    changed = {}
    for field, rows in vars(figures).items():
        if not isinstance(rows, tuple) or not rows:
            continue
        named = [name for name in vars(rows[0]) if name.endswith("_name")]
        changed[field] = tuple(
            replace(row, **{name: names[(index + turn) % len(names)] for turn, name in enumerate(named)})
            for index, row in enumerate(rows)
        )
    return replace(figures, **changed)  # type: ignore[arg-type]


def test_the_page_asks_for_nothing_and_runs_nothing(figures: Figures) -> None:
    page = page_of(figures)
    assert {tag for tag, _ in page.tags} <= ALLOWED
    attributes = [(name, value or "") for _, each in page.tags for name, value in each.items()]
    assert [value for name, value in attributes if name in ("src", "srcset", "data", "action")] == []
    assert [value for name, value in attributes if name == "href" and not value.startswith("#")] == []
    assert [name for name, _ in attributes if name.startswith("on")] == []
    assert not re.search(r"url\(|@import|https?://", page.html)
    assert {"http-equiv": "Content-Security-Policy", "content": POLICY} in [each for tag, each in page.tags if tag == "meta"]


@pytest.mark.parametrize("name", HOSTILE)
def test_markup_in_names_is_text_and_no_name_stands_in_a_drawing(figures: Figures, name: str) -> None:
    hostile = with_names(figures, [name])
    page = page_of(hostile)
    assert {tag for tag, _ in page.tags} <= ALLOWED
    assert not any(name.startswith("on") for _, each in page.tags for name in each)
    assert [tag for tag, _ in page.tags] == [tag for tag, _ in page_of(figures).tags]
    shown = "".join(section.text for section in page.sections.values())
    assert name in shown
    assert not re.search("[a-zA-Z]{4,}|[<>&株]", page.in_svg), page.in_svg


def test_an_id_that_is_markup_is_text_too(figures: Figures) -> None:
    named = replace(figures, clients=tuple(replace(row, client_id="<b>", client_name=None) for row in figures.clients))
    assert "b" not in {tag for tag, _ in page_of(named).tags}
    checks = [CheckResult("<i>", "marts/<i>", passed=False, is_warning=True, rows=3)]
    assert "i" not in {tag for tag, _ in page_of(figures, checks).tags}


def test_the_same_figures_give_the_same_bytes(lived_in: Build) -> None:
    first, second = (render(figures_of(lived_in, AS_OF), workspace=None, checks=None) for _ in range(2))
    assert first == second


def test_every_section_of_a_workspace_without_anything_says_so_in_a_sentence(empty: Build, figures: Figures) -> None:
    nothing = replace(figures_of(empty, AS_OF), last_sync=figures.last_sync)
    page = page_of(nothing, [])
    for key, section in page.sections.items():
        if key not in ("head", "about"):
            assert section.tables == [], key
            assert re.search(r"\bNo .*\.|\bno .*\.", section.text), key
            assert "None" not in section.text


def test_a_warehouse_that_was_never_synced_says_so_and_nothing_else(empty: Build) -> None:
    page = page_of(figures_of(empty, AS_OF))
    assert list(page.sections) == ["head"]
    assert "Nothing has been synced yet." in page.sections["head"].text


def test_every_section_says_which_queries_it_comes_from(figures: Figures) -> None:
    page = page_of(figures)
    titles = {row[0] for row in page.sections["about"].tables[0][1:]}
    shown = re.findall(r"<h2[^>]*>([^<]+)</h2>", page.html)
    assert titles == set(shown) - {"About these numbers", "Data quality"}


def test_the_head_says_when_the_warehouse_was_last_compared_with_the_api(figures: Figures) -> None:
    at = datetime(2026, 11, 23, 14, 5, tzinfo=UTC)
    assert "Equal to the API when it was compared 23 Nov 2026" in page_of(figures, [], Verified(at, True)).sections["head"].text
    assert "Different from the API when it" in page_of(figures, [], Verified(at, False)).sections["head"].text
    assert "Not compared with the API yet; analytics-assets verify and" in page_of(figures, []).sections["head"].text
    assert "compared with the API" not in page_of(figures).sections["head"].text, "the command knows of no check"


def test_the_grid_of_a_chart_is_labelled_with_its_own_values() -> None:
    """Lines at 2.5 and 7.5 hours were labelled 2 and 8."""
    weeks = [date(2026, 11, 2), date(2026, 11, 9)]
    drawing = stacked_bars(weeks, [Series("c1", [9.0, 3.0])], width=600)
    assert re.findall(r'text-anchor="end">([^<]+)<', drawing) == ["0", "2.5", "5", "7.5", "10"]


def test_checks_that_are_not_known_are_not_taken_for_passed(figures: Figures) -> None:
    assert "not known here" in page_of(figures, None).sections["head"].text
    assert "No check has run yet." in page_of(figures, []).sections["quality"].text


def test_checks_that_did_not_pass_stand_there_as_sentences_with_their_rows(figures: Figures) -> None:
    checks = [
        CheckResult("days_are_short", "marts/timesheet_daily", passed=False, is_warning=True, rows=1234),
        CheckResult("ids_are_unique", "marts/dim_users", passed=False, is_warning=False),
        CheckResult("all_is_well", "marts/dim_users", passed=True, is_warning=False),
    ]
    page = page_of(figures, checks)
    assert "1 check of the data passed, 1 failure, 1 warning." in page.sections["head"].text
    assert page.sections["quality"].tables[0][1:] == [
        ["ids are unique", "marts/dim_users", "failure", "\N{EN DASH}"],
        ["days are short", "marts/timesheet_daily", "warning", "1,234"],
    ]
    passed = page_of(figures, [replace(check, passed=True) for check in checks])
    assert "All 3 checks of the data passed." in passed.sections["quality"].text


def test_amounts_have_the_digits_of_their_currency_and_a_real_minus_sign(figures: Figures) -> None:
    row = figures.clients[0]
    row = replace(row, client_id="c", client_name="Acme", tracked_seconds=3600, billable_seconds=3600, cost=Decimal(0))
    shown = [
        replace(row, currency=currency, currency_exponent=digits, amount=Decimal(amount), margin=Decimal(amount))
        for currency, digits, amount in (("EUR", 2, "-1234.5000"), ("JPY", 0, "1234567.0000"), ("KWD", 3, "0.1250"))
    ]  # fmt: skip
    (table,) = page_of(replace(figures, clients=tuple(shown))).sections["clients"].tables
    expected = [("\N{MINUS SIGN}1,234.50", "EUR"), ("1,234,567", "JPY"), ("0.125", "KWD")]
    assert [(line[3], line[8]) for line in table[1:]] == expected


def test_a_budget_is_used_up_when_nothing_is_left_of_it(figures: Figures) -> None:
    """The share is rounded to four digits, so that one of which 40 seconds were left was called used up."""
    row = replace(figures.budgets[0], kind="hours", planned_seconds=1_000_000, used_share=1.0)
    for left, said in ((40, "0 are used up"), (0, "1 is used up"), (-1, "1 is used up")):
        assert said in page_of(replace(figures, budgets=(replace(row, left_seconds=left),))).sections["budgets"].text


def test_points_are_the_difference_of_the_shares_that_are_shown(figures: Figures) -> None:
    """50.5 % was shown as 51 %, and counted as 50 in what the month was better than the one before."""
    months = tuple(
        MonthHours(date(2025, month, 1), tracked_seconds=tracked, work_seconds=1000, billable_seconds=billable)
        for month, tracked, billable in ((2, 1000, 490), (3, 1025, 505))
    )
    text = page_of(replace(figures, as_of=date(2025, 4, 15), months=months)).sections["glance"].text
    assert "51 %" in text and "+2 points on February" in text and "+3 % on February" in text


@pytest.mark.parametrize(
    ("before", "said"),
    [("-20.00", "-20.00 EUR in February"), ("0.00", "nothing billed in February"), ("50.00", "+100 % on February")],
)
def test_an_amount_is_set_beside_that_of_the_month_before(figures: Figures, before: str, said: str) -> None:
    """A month of credits was called one in which nothing was billed."""
    money = tuple(
        MonthMoney(date(2025, number, 1), "EUR", 2, Decimal(amount), Decimal(0)) for number, amount in ((2, before), (3, "100"))
    )
    text = page_of(replace(figures, as_of=date(2025, 4, 15), money=money)).sections["glance"].text
    assert said in text.replace("\N{MINUS SIGN}", "-")


def test_the_page_says_where_capacities_come_from(figures: Figures) -> None:
    """It said that all members had the same one."""
    text = page_of(figures).sections["capacity"].text
    assert "ANALYTICS_MEMBER_CAPACITIES" in text and "ANALYTICS_WEEKLY_CAPACITY_HOURS" in text
    assert "for everyone" not in text


def test_the_page_says_where_entries_that_were_moved_are_counted(figures: Figures) -> None:
    """A client whose hours went to another one has no row of it, and the page did not say so."""
    assert "An entry that was moved to another client is under the new one alone" in page_of(figures).sections["changes"].text


def test_a_client_of_our_own_words_is_not_mixed_up_with_having_none(figures: Figures) -> None:
    week = date(2025, 4, 14)
    row = figures.weeks[0]
    two = tuple(replace(row, week=week, client_id=each, client_name="No client", tracked_seconds=3600) for each in (None, "x"))
    page = page_of(replace(figures, weeks=two))
    assert page.sections["hours"].tables[0][0] == ["Week of", "No client", "No client"]
    assert page.html.count('<span class="swatch none"') == 1


def test_the_picture_of_the_hours_is_a_drawing_by_itself_that_holds_no_name(figures: Figures) -> None:
    picture = hours_picture(with_names(figures, HOSTILE))
    assert picture is not None
    before, _, image = picture.removesuffix(")").partition("(data:image/svg+xml;base64,")
    assert before == "![Hours by week]"
    svg = b64decode(image).decode()
    assert not any(name in svg for name in HOSTILE)
    bars = [each for each in ElementTree.fromstring(svg).iter() if each.tag == "{http://www.w3.org/2000/svg}rect"]
    assert len(bars) == len({row.week for row in figures.weeks if row.tracked_seconds})
    assert hours_picture(replace(figures, weeks=())) is None


def test_a_present_week_without_work_is_not_taken_for_the_last_point_of_the_line(figures: Figures) -> None:
    """The note called the last point the present week, on a Monday too, where it was the week before."""
    present = AS_OF - timedelta(days=AS_OF.weekday())
    this, last = (
        replace(figures.work_weeks[0], week=week, work_seconds=3600) for week in (present, present - timedelta(weeks=1))
    )
    assert "The last point is the present week" in page_of(replace(figures, work_weeks=(last, this))).sections["share"].text
    without = page_of(replace(figures, work_weeks=(last,))).sections["share"].text
    assert "The last point" not in without
    assert "The present week, which is not over, has no work yet." in without


def test_what_was_read_is_counted_in_words_of_one_and_of_many(figures: Figures) -> None:
    """A small workspace read "1 time entries, 1 users"."""
    for rows, words in ((1, "1 time entry, 1 user group, 1 user."), (2, "2 time entries, 2 user groups, 2 users.")):
        read = tuple(
            replace(figures.last_sync[0], resource=name, rows_read=rows) for name in ("time_entries", "user_groups", "users")
        )
        assert f"It read {words}" in page_of(replace(figures, last_sync=read)).sections["head"].text
