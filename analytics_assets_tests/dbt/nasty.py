"""Two small workspaces in which as much as possible is unusual at once, and what happens to them over five syncs.

Only what the API has at each sync stands here; what the marts must say about it is in `promises`. Dates and chances are
fixed, so that a failure comes back.
"""

import random
from datetime import datetime, timedelta
from itertools import product
from typing import Any

from analytics_assets.source.columns import ResourceName
from analytics_assets_tests.dbt.history import TIME_ZONES, Row, Sync, utc
from analytics_assets_tests.dbt.warehouse import ALL_TIME

# Months end between them; the third is published in the very moment in which February does.
PUBLISHED_AT = [utc(2025, 2, 10, 6), utc(2025, 2, 20, 6), utc(2025, 3, 1), utc(2025, 3, 20, 6), utc(2025, 4, 10, 6)]

MEMBERS = ["new_york", "chatham", "unset"]

USERS: list[Row] = [
    {"id": "new_york", "name": "Ada", "settings": {"timeZone": TIME_ZONES["new_york"], "weekStart": "SUNDAY"}},
    {"id": "chatham", "name": "Grace", "settings": {"timeZone": TIME_ZONES["chatham"], "weekStart": "FRIDAY"}},
    {"id": "unset", "name": "", "settings": {"timeZone": None}},
]

GROUPS: list[Row] = [
    {"id": "former", "name": "Former", "user_ids": ["unset"]},
    {"id": "all", "name": "All", "user_ids": [*MEMBERS, "left"]},
    {"id": "some", "name": "Some", "user_ids": ["chatham", "unset", "chatham", "stranger", "", None]},
    {"id": "empty", "name": "Empty", "user_ids": []},
    {"id": "unsaid", "name": "Unsaid", "user_ids": None},
    {"id": "odd", "name": "Odd", "user_ids": '{"not": "an array"}'},
]

CLIENTS: list[Row] = [
    {"id": "german", "name": "Krümel", "currency_code": "EUR"},
    {"id": "american", "name": "Ridge", "currency_code": "USD"},
    {"id": "without_currency", "name": "Unsaid", "currency_code": ""},
    {"id": "gone", "name": "Gone", "currency_code": "JPY"},
]

RESETS: list[Any] = [
    None,
    {"interval": "MONTHLY", "dayOfWeek": "THURSDAY", "dayOfMonth": 26, "month": "FEBRUARY", "hour": 8},
    {"dayOfWeek": "SUNDAY", "dayOfMonth": 31, "month": "SEPTEMBER"},
    {"dayOfWeek": "TUESDAY", "dayOfMonth": 15, "month": "APRIL", "hour": 23},
    {"dayOfMonth": 30, "month": "FEBRUARY"},
    {"dayOfMonth": None, "hour": None},
]

FIELDS: list[Any] = [
    None,
    [],
    [{"customFieldId": "f", "name": "Order", "value": None}],
    [
        {"customFieldId": "f", "name": "Order", "value": "4711", "type": "TXT"},
        {"customFieldId": "g", "name": "Kinds", "value": ["a", "b"], "type": "DROPDOWN_MULTIPLE"},
        {"customFieldId": "n", "name": "Kilometres", "value": 37.5, "type": "NUMBER"},
    ],
    [
        {"customFieldId": "n", "name": "Kilometres", "value": 37.5, "type": "NUMBER"},
        {"customFieldId": "g", "name": "Sorts", "value": ["b", "a"], "type": "DROPDOWN_MULTIPLE"},
        {"customFieldId": "f", "name": "Order", "value": "4711", "type": "TXT"},
    ],
    [
        {"customFieldId": "f", "name": "Order", "value": ""},
        {"customFieldId": "g", "name": "Kinds", "value": ["a"]},
        {"customFieldId": "c", "name": "On site", "value": False, "type": "CHECKBOX"},
        {"customFieldId": "d", "name": "Days", "value": ["2024-02-29", "2023-02-29", "29.02.2024"]},
        {"customFieldId": "n", "name": "Kilometres", "value": "many", "type": "NUMBER"},
        {"customFieldId": "t", "name": "Texts", "value": ["00042", "-0.5", "1e3", " 5", "1234567890123456", "true", "½"]},
        {"customFieldId": "z", "name": "Nothing", "value": 0, "type": "NUMBER"},
    ],
]

TASK_PROJECTS = [*(f"p{position}" for position in range(24)), "unknown"]
TASKS: list[Row] = [
    {
        "id": f"{project}_{name}",
        "name": f"{name.title()} {project}",
        # the API names the project of a task, or does not
        "project_id": [project, None][number % 2],
        "_projects_id": project,
        "status": ["ACTIVE", "DONE"][number % 2],
        "estimate": ["PT1H", "PT2H30M", None, "PT0S", "1", "PT9H", "PT1S"][number % 7],
        "budget_estimate": [None, 5000, 0, 123_456, {"estimate": 7}][number % 5],
        "hourly_rate__amount": [None, 7000, 12_345][number % 3],
        "hourly_rate__currency": [None, "CHF", "JPY", "CHF"][number % 4],
    }
    for number, (project, name) in enumerate(product(TASK_PROJECTS, ["draw", "build", "wait"]))
]


def projects(rates: list[str | None]) -> list[Row]:
    """A project for each reset and each way in which it may repeat, with clients, rates and budgets taking turns."""
    made = []
    for number, reset in enumerate(RESETS):
        for turn, option in enumerate((None, "WEEKLY", "MONTHLY", "YEARLY")):
            position = 4 * number + turn
            rate = rates[position % len(rates)]
            made.append(
                {
                    "id": f"p{position}",
                    "name": f"Project {position}",
                    "client_id": [*(client["id"] for client in CLIENTS), "", None][position % 6],
                    "hourly_rate__amount": None if rate is None or position % 5 == 4 else 9000,
                    "hourly_rate__currency": rate,
                    "time_estimate__estimate": ["PT100H", "PT9H", "PT40H", None, "PT2H"][position % 5],
                    "time_estimate__reset_option": option,
                    "time_estimate__active": position % 7 != 6,
                    "time_estimate__include_non_billable": [True, False, None][position % 3],
                    "budget_estimate": {
                        "estimate": [15_000, 200_000, 0][position % 3],
                        "resetOption": [option, None][position % 2],
                        "active": True,
                        "includeExpenses": position % 4 == 1,
                    },
                    "estimate_reset": reset,
                }
            )
    return made


def syncs_of(seed: int, *, rates: list[str | None], costs: list[str | None], entries: int) -> list[Sync]:
    """Five syncs, each of all time, of a workspace whose rates are in these currencies."""
    chance = random.Random(seed)
    known = projects(rates)
    names = [project["id"] for project in known]
    present = {row["id"]: row for row in (entry(chance, rates, costs, utc(2025, 2, 10), names) for _ in range(entries))}
    gone: dict[str, Row] = {}
    syncs = []
    for number, at in enumerate(PUBLISHED_AT):
        if number:
            for _ in range(entries // 20):
                new = entry(chance, rates, costs, at, names)
                present[new["id"]] = new
            for key in chance.sample(sorted(present), entries // 4):
                present[key] = present[key] | edit(chance, present[key], rates, costs, names)
            for key in chance.sample(sorted(present), entries // 20):
                gone[key] = present.pop(key)
            for key in chance.sample(sorted(gone), min(len(gone), 2)):
                present[key] = gone.pop(key)
        rows: dict[ResourceName, list[Row]] = {
            "tasks": [row for position, row in enumerate(TASKS) if number < 3 or position % 5],
            "users": [*USERS, *([{"id": "left", "name": "Lea"}] if number < 3 else [])],
            "user_groups": GROUPS if number < 2 else GROUPS[1:],
            "clients": [row for row in CLIENTS if number < 2 or row["id"] != "gone"],
            "projects": known if number < 3 else known[1:],
            "time_entries": [dict(row) for row in present.values()],
        }
        syncs.append(Sync(at, (ALL_TIME, None), rows))
    return syncs


def entry(
    chance: random.Random,
    rates: list[str | None],
    costs: list[str | None],
    now: datetime,
    project_names: list[str],
    members: list[str] = MEMBERS,
) -> Row:
    """An entry of the weeks or the year before, or one that is planned for the weeks to come."""
    first, last = chance.choice([(-500, 0), *[(-60, 20)] * 4, (0, 90)])
    start = now + timedelta(seconds=chance.randrange(first * 86_400, last * 86_400))
    if chance.random() < 0.3:
        start = start.replace(hour=chance.choice([0, 7, 8, 22, 23]), minute=0, second=0)
    user = chance.choice(members)
    length = timedelta(seconds=chance.choice([1, 18, 1800, 5401, 36_000]))
    key = chance.getrandbits(64)
    project = chance.choice([*project_names, "unknown", "", None])
    # of the project, at least at first; of another one; of none that is known; none
    tasks = [*[f"{project}_draw", f"{project}_build"] * 2, "p3_draw", "unknown", "", None]
    return {
        "id": f"{key:016x}",
        "user_id": user,
        "_users_id": user,
        "description": "",
        "project_id": project,
        "task_id": tasks[key % len(tasks)],
        "type": chance.choice(["REGULAR", "REGULAR", None, "BREAK", "HOLIDAY"]),
        "time_interval__start": start,
        "time_interval__end": None if chance.random() < 0.03 else start + length,
        "custom_field_values": chance.choice(FIELDS),
        "tag_ids": chance.choice([None, [], ["s", "t"], ["t", "s"]]),
        "is_locked": False,
        **_rate(chance, rates),
        **_cost(chance, costs),
    }


def _rate(chance: random.Random, currencies: list[str | None]) -> Row:
    """A billable rate, or none, as the API shows it for time that is not billable."""
    if chance.random() < 0.3:
        currency = chance.choice([*currencies, None])
        return {"billable": False, "hourly_rate__amount": None, "hourly_rate__currency": currency}
    amount = chance.choice([0, 1, -1, -100, 4321, 12_300])
    return {"billable": True, "hourly_rate__amount": amount, "hourly_rate__currency": chance.choice(currencies)}


def _cost(chance: random.Random, currencies: list[str | None]) -> Row:
    currency = chance.choice([*currencies, None])
    return {"cost_rate__amount": chance.choice([None, 0, -3, 3333]), "cost_rate__currency": currency}


def edit(chance: random.Random, row: Row, rates: list[str | None], costs: list[str | None], project_names: list[str]) -> Row:
    """What changes of an entry when somebody edits it."""
    start, end = row["time_interval__start"], row["time_interval__end"]
    by = timedelta(days=chance.choice([-40, -1, 1, 40]))
    return chance.choice(
        [
            _rate(chance, rates),
            {"billable": False, "hourly_rate__amount": None, "hourly_rate__currency": None},
            _cost(chance, costs),
            {"cost_rate__currency": chance.choice(costs)},
            {"project_id": chance.choice(project_names)},
            {"project_id": chance.choice(project_names), **_rate(chance, rates)},
            {"time_interval__start": start + by, "time_interval__end": end and end + by},
            {"time_interval__end": start + timedelta(seconds=chance.choice([1800, 7200]))},
            {"custom_field_values": chance.choice(FIELDS)},
            {"tag_ids": row["tag_ids"] and row["tag_ids"][::-1]},
            {"is_locked": not row["is_locked"]},
            {"type": "BREAK"},
        ]
    )
