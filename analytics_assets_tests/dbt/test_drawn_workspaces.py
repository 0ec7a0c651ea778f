"""Every mart, row by row against its promise, over workspaces and syncs that hypothesis draws.

The nasty workspaces are large and two; these are many and small, so that what fails is shrunk to a few entries.
"""

import random
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from analytics_assets_tests.dbt import nasty
from analytics_assets_tests.dbt.compiled import Models, compiled_models
from analytics_assets_tests.dbt.conftest import Builder
from analytics_assets_tests.dbt.history import AS_OF, TIME_ZONES, Row, Sync
from analytics_assets_tests.dbt.invoice_promises import InvoicedWorkspace
from analytics_assets_tests.dbt.periods import WEEKDAYS
from analytics_assets_tests.dbt.warehouse import ALL_TIME, create_warehouse, publish

EXAMPLES: Final = 15
MEMBERS: Final = [*TIME_ZONES, "unset"]
CURRENCIES: Final = ["EUR", "JPY", "KWD", "CLF", None]
TAGS: Final[list[Row]] = [{"id": "s", "name": "Site"}, {"id": "t", "name": ""}]

Rows = Mapping[Any, Row]

MARTS: Final[dict[str, tuple[tuple[str, ...], Callable[[InvoicedWorkspace], Rows]]]] = {
    "dim_users": (("user_id",), lambda workspace: workspace.dimensions()["dim_users"]),
    "dim_projects": (("project_id",), lambda workspace: workspace.dimensions()["dim_projects"]),
    "dim_clients": (("client_id",), lambda workspace: workspace.dimensions()["dim_clients"]),
    "dim_tasks": (("task_id",), lambda workspace: workspace.dimensions()["dim_tasks"]),
    "dim_tags": (("tag_id",), lambda workspace: workspace.dimensions()["dim_tags"]),
    "dim_user_groups": (("user_group_id",), lambda workspace: workspace.dimensions()["dim_user_groups"]),
    "fct_time_entries": (("time_entry_id",), InvoicedWorkspace.facts),
    "fct_time_entry_tags": (("time_entry_id", "tag_id"), InvoicedWorkspace.tags),
    "timesheet_daily": (("user_id", "project_id", "work_date"), InvoicedWorkspace.days),
    "utilization_weekly": (("user_id", "week_start_date"), lambda workspace: workspace.weeks(AS_OF)),
    "utilization_weekly_by_group": (("user_group_id", "week_start_date"), lambda workspace: workspace.group_weeks(AS_OF)),
    "user_group_members": (("user_group_id", "user_id"), InvoicedWorkspace.group_members),
    "billing_daily": (("work_date", "user_id", "project_id", "task_id", "currency"), InvoicedWorkspace.billing_by_day),
    "billing_monthly": (("client_id", "project_id", "billing_month", "currency"), InvoicedWorkspace.billing),
    "billing_monthly_history": (
        ("client_id", "project_id", "billing_month", "currency", "valid_from"),
        InvoicedWorkspace.billing_history,
    ),
    "billing_monthly_rounded": (
        ("client_id", "project_id", "billing_month", "currency"),
        InvoicedWorkspace.rounded_billing,
    ),
    "project_budgets": (("project_id",), lambda workspace: workspace.budgets(AS_OF)),
    "project_budget_periods": (("project_id", "kind", "period_start"), lambda workspace: workspace.budget_periods(AS_OF)),
    "task_budgets": (("task_id",), lambda workspace: workspace.task_budgets(AS_OF)),
    "time_entry_custom_fields": (
        ("time_entry_id", "custom_field_id", "custom_field_name", "value_text"),
        InvoicedWorkspace.custom_fields,
    ),
    "time_entry_changes": (("time_entry_id", "first_seen_at"), InvoicedWorkspace.changes),
}
"""The key of each mart, and what it promises."""


@pytest.fixture(scope="module")
def models(builder: Builder) -> Models:
    return compiled_models(builder)


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty warehouse to copy."""
    return create_warehouse(tmp_path_factory.mktemp("drawn") / "empty.duckdb")


def some(draw: st.DrawFn, rows: list[Row]) -> list[Row]:
    """Some of the rows, in their order; all of them are the simplest."""
    left = draw(st.sets(st.sampled_from(range(len(rows)))))
    return [row for position, row in enumerate(rows) if position not in left]


@st.composite
def histories(draw: st.DrawFn) -> list[Sync]:
    """One to four syncs of a small workspace: entries come, change, leave and come back, and so does everything else."""
    chance: random.Random = draw(st.randoms(use_true_random=False))
    rates = draw(st.lists(st.sampled_from(CURRENCIES), min_size=1, max_size=3))
    costs = draw(st.lists(st.sampled_from(CURRENCIES), min_size=1, max_size=3))
    # entries of any project may name a task of p3
    numbers = {3} | draw(st.sets(st.sampled_from(range(24)), max_size=5))
    projects = [row for number, row in enumerate(nasty.projects(rates)) if number in numbers]
    names = [row["id"] for row in projects]
    users: list[Row] = [
        {
            "id": key,
            "name": draw(st.sampled_from([key.title(), "", None])),
            "status": draw(st.sampled_from([None, "ACTIVE", "DELETED"])),
            "settings": {"timeZone": TIME_ZONES.get(key), "weekStart": draw(st.sampled_from([None, *WEEKDAYS]))},
        }
        for key in draw(st.lists(st.sampled_from(MEMBERS), min_size=1, max_size=4, unique=True))
    ]
    working = [*(row["id"] for row in users), *draw(st.sampled_from([[], ["unset"], ["unlisted"]]))]
    tasks = [row for row in nasty.TASKS if row["_projects_id"] in {*names, "unknown"}]
    present: dict[str, Row] = {}
    gone: dict[str, Row] = {}
    syncs: list[Sync] = []
    made = 0
    # earlier versions do not say which lists they have not read
    silent = draw(st.integers(0, 2))
    for at in sorted(draw(st.sets(st.sampled_from(nasty.PUBLISHED_AT), min_size=1, max_size=4))):
        for key in draw(st.sets(st.sampled_from(sorted(present)), max_size=6)) if present else ():
            if draw(st.sampled_from(["edit", "edit", "delete"])) == "edit":
                present[key] = present[key] | nasty.edit(chance, present[key], rates, costs, names)
            else:
                gone[key] = present.pop(key)
        for key in draw(st.sets(st.sampled_from(sorted(gone)), max_size=2)) if gone else ():
            if key not in present:
                present[key] = gone.pop(key)
        for key in draw(st.sets(st.sampled_from(sorted(names)), max_size=2)):
            other = {"client_id": draw(st.sampled_from([*(row["id"] for row in nasty.CLIENTS), ""]))}
            projects = [row | other if row["id"] == key else row for row in projects]
        for _ in range(draw(st.integers(0, 12))):
            made += 1
            present[f"e{made}"] = nasty.entry(chance, rates, costs, at, names, working) | {"id": f"e{made}"}
        not_read = draw(st.sets(st.sampled_from(working), max_size=2)) if len(syncs) >= silent else set()
        as_before = [row for row in syncs[-1].rows["time_entries"] if row["_users_id"] in not_read] if syncs else []
        syncs.append(
            Sync(
                at,
                (ALL_TIME, None),
                {
                    "users": some(draw, users),
                    "clients": some(draw, nasty.CLIENTS),
                    "projects": some(draw, projects),
                    "tasks": some(draw, tasks),
                    "tags": some(draw, TAGS),
                    "user_groups": some(draw, nasty.GROUPS),
                    "time_entries": as_before + [dict(row) for row in present.values() if row["_users_id"] not in not_read],
                },
                frozenset(not_read) if len(syncs) >= silent else None,
            )
        )
    # only a member who was listed at some time has a time zone
    ever_listed = {row["id"] for sync in syncs for row in sync.rows["users"]}
    syncs[-1].rows["users"] += [row for row in users if row["id"] not in ever_listed]
    return syncs


def assert_is_promised(mart: str, rows: list[Row], workspace: InvoicedWorkspace) -> None:
    """The mart has the promised rows and no others, and in each the promised values."""
    key, promise = MARTS[mart]
    found = {tuple(row[name] for name in key): row for row in rows}
    assert len(found) == len(rows), f"a row stands twice in {mart}"
    expected = {name if isinstance(name, tuple) else (name,): row for name, row in promise(workspace).items()}
    assert found.keys() == expected.keys(), f"{mart} has other rows"
    for values, row in expected.items():
        different = {name: (found[values][name], value) for name, value in row.items() if found[values][name] != value}
        assert different == {}, f"{mart}, {values}: found and promised"


def test_every_mart_has_its_promise_here(models: Models) -> None:
    assert set(models.marts) == MARTS.keys()


@pytest.mark.timeout(300)
def test_marts_of_drawn_workspaces_are_what_they_promise(models: Models, warehouse: Path, tmp_path: Path) -> None:
    path = tmp_path / "analytics.duckdb"

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
        print_blob=False,
    )
    @given(histories())
    def compare(syncs: list[Sync]) -> None:
        shutil.copy(warehouse, path)
        for sync in syncs:
            publish(path, sync.rows, at=sync.at, lists_not_read=sync.lists_not_read)
        built = models.build(path)
        for row in built["time_entry_changes"]:
            row["changed_fields"] = row["changed_fields"] and set(row["changed_fields"].split(", "))
        workspace = InvoicedWorkspace(syncs)
        for mart, rows in built.items():
            assert_is_promised(mart, rows, workspace)

    compare()
