"""The marts that are invoiced from, row by row and value by value against their promises in plain Python."""

from collections.abc import Mapping
from itertools import product
from typing import Any

import pytest

from analytics_assets_tests.dbt.conftest import WORKSPACES, Build, Builder, nasty_build
from analytics_assets_tests.dbt.history import AS_OF, Row
from analytics_assets_tests.dbt.invoice_promises import InvoicedWorkspace


@pytest.fixture(scope="module", params=WORKSPACES)
def nasty(request: pytest.FixtureRequest, builder: Builder) -> tuple[Build, InvoicedWorkspace]:
    """The build of a nasty workspace, and the same in Python."""
    return nasty_build(builder, request.param), InvoicedWorkspace(WORKSPACES[request.param])


def assert_same_rows(found: Mapping[Any, Row], expected: Mapping[Any, Row]) -> None:
    """Both have the same keys, and at each key the same values of the columns that are expected."""
    assert found.keys() == expected.keys()
    differences = [
        (key, name, found[key][name], value)
        for key, row in expected.items()
        for name, value in row.items()
        if found[key][name] != value
    ]
    assert differences == []


def test_the_projects_own_tests_hold(nasty: tuple[Build, InvoicedWorkspace]) -> None:
    build, _ = nasty
    assert build.success, build.messages


def test_money_of_each_entry_stands_in_units_of_its_currency_too(nasty: tuple[Build, InvoicedWorkspace]) -> None:
    build, workspace = nasty
    found = {row["time_entry_id"]: row for row in build.records("select * from marts.fct_time_entries")}
    assert_same_rows(found, workspace.money())
    exponents = {row[name] for row in found.values() for name in ("currency_exponent", "cost_currency_exponent")}
    expected: set[int | None] = {0, 2, 3, 4} if workspace.currency else {None, 2}
    assert exponents >= expected


def test_billing_is_what_it_promises(nasty: tuple[Build, InvoicedWorkspace]) -> None:
    build, workspace = nasty
    rows = build.records("select * from marts.billing_monthly")
    found = {tuple(row[name] for name in ("client_id", "project_id", "billing_month", "currency")): row for row in rows}
    assert len(found) == len(rows)
    assert_same_rows(found, workspace.billing())
    assert {row["has_cost_in_other_currency"] for row in rows} == {True, False}


def test_the_history_of_billing_is_what_it_promises(nasty: tuple[Build, InvoicedWorkspace]) -> None:
    build, workspace = nasty
    rows = build.records("select * from marts.billing_monthly_history")
    keys = ("client_id", "project_id", "billing_month", "currency", "valid_from")
    found = {tuple(row[name] for name in keys): row for row in rows}
    assert len(found) == len(rows)
    assert_same_rows(found, workspace.billing_history())
    assert {row["is_current"] for row in rows} == {True, False}


def test_rounded_billing_is_what_it_promises(nasty: tuple[Build, InvoicedWorkspace]) -> None:
    build, workspace = nasty
    rows = build.records("select * from marts.billing_monthly_rounded")
    keys = ("client_id", "project_id", "billing_month", "currency")
    found = {tuple(row[name] for name in keys): row for row in rows}
    assert len(found) == len(rows)
    assert_same_rows(found, workspace.rounded_billing())
    assert {row["rounding_direction"] for row in rows} == {"UP", "DOWN", "NEAREST"}
    assert build.status["rounding_rules_are_of_known_clients"] == "warn"


def test_late_changes_are_what_they_promise(nasty: tuple[Build, InvoicedWorkspace]) -> None:
    build, workspace = nasty
    rows = build.records("select * from marts.time_entry_changes")
    for row in rows:
        row["changed_fields"] = row["changed_fields"] and set(row["changed_fields"].split(", "))
    found = {(row["time_entry_id"], row["first_seen_at"]): row for row in rows}
    assert len(found) == len(rows)
    assert_same_rows(found, workspace.changes())
    # the story has money that was lost, and money that went from one currency to another
    assert any(row["before_amount_minor"] and row["after_amount_minor"] == 0 for row in rows)
    assert any(row["cost_minor_difference"] is None for row in rows)
    assert any(row["changed_fields"] == {"cost_rate_currency"} for row in rows)


def test_budgets_are_what_they_promise(nasty: tuple[Build, InvoicedWorkspace]) -> None:
    build, workspace = nasty
    found = {row["project_id"]: row for row in build.records("select * from marts.project_budgets")}
    assert_same_rows(found, workspace.budgets(AS_OF))
    # some are used in part, some are used up, some will be
    assert len({row["estimate_period_start"] for row in found.values() if row["estimate_used_seconds"]}) > 3
    dates = {row["projected_exhaustion_date"] for row in found.values()} - {None}
    assert min(dates) <= AS_OF < max(dates)


def test_budgets_of_tasks_are_what_they_promise(nasty: tuple[Build, InvoicedWorkspace]) -> None:
    build, workspace = nasty
    found = {row["task_id"]: row for row in build.records("select * from marts.task_budgets")}
    assert_same_rows(found, workspace.task_budgets(AS_OF))
    kinds = {(row["is_over_estimate"], row["is_deleted"]) for row in found.values()}
    assert kinds == set(product((True, False), repeat=2))
    assert any(row["other_projects_seconds"] for row in found.values())
    assert any(row["tracked_seconds"] > row["estimate_used_seconds"] > 0 for row in found.values() if row["estimate_seconds"])


def test_members_of_groups_are_what_they_promise(nasty: tuple[Build, InvoicedWorkspace]) -> None:
    build, workspace = nasty
    rows = build.records("select * from marts.user_group_members")
    found = {(row["user_group_id"], row["user_id"]): row for row in rows}
    assert len(found) == len(rows)
    assert_same_rows(found, workspace.group_members())
    assert {row["is_user_deleted"] for row in rows} == {True, False, None}
    assert {row["is_user_group_deleted"] for row in rows} == {True, False}


def test_weeks_of_groups_are_what_they_promise(nasty: tuple[Build, InvoicedWorkspace]) -> None:
    build, workspace = nasty
    rows = build.records("select * from marts.utilization_weekly_by_group")
    found = {(row["user_group_id"], row["week_start_date"]): row for row in rows}
    assert len(found) == len(rows)
    assert_same_rows(found, workspace.group_weeks(AS_OF))
    assert {row["member_count"] for row in rows} >= {1, 2, 3}
    assert {row["is_complete"] for row in rows} == {True, False}


def test_billing_by_day_is_what_it_promises(nasty: tuple[Build, InvoicedWorkspace]) -> None:
    build, workspace = nasty
    rows = build.records("select * from marts.billing_daily")
    keys = ("work_date", "user_id", "project_id", "task_id", "currency")
    found = {tuple(row[name] for name in keys): row for row in rows}
    assert len(found) == len(rows)
    assert_same_rows(found, workspace.billing_by_day())
    assert {row["has_cost_in_other_currency"] for row in rows} == {True, False}


def test_custom_fields_are_what_they_promise(nasty: tuple[Build, InvoicedWorkspace]) -> None:
    build, workspace = nasty
    rows = build.records("select * from marts.time_entry_custom_fields")
    keys = ("time_entry_id", "custom_field_id", "custom_field_name", "value_text")
    found = {tuple(row[name] for name in keys): row for row in rows}
    assert len(found) == len(rows)
    assert_same_rows(found, workspace.custom_fields())
    assert all(any(row[name] is not None for row in rows) for name in ("value_number", "value_boolean", "value_date"))
    assert build.status["custom_values_are_of_the_type_of_their_field"] == "warn"


def test_past_periods_of_budgets_are_what_they_promise(nasty: tuple[Build, InvoicedWorkspace]) -> None:
    build, workspace = nasty
    rows = build.records("select * from marts.project_budget_periods")
    found = {(row["project_id"], row["kind"], row["period_start"]): row for row in rows}
    assert len(found) == len(rows)
    assert_same_rows(found, workspace.budget_periods(AS_OF))
    kinds = {(row["kind"], row["is_current"], row["is_over"]) for row in rows}
    assert kinds >= {("BUDGET", False, False), *product(("TIME_ESTIMATE",), (True, False), (True, False))}
