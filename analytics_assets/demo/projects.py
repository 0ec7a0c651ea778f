"""The invented clients, projects, tasks and tags: what there is to work on.

Only things to book time on belong here, and afterwards the sums of what was booked. Who books when is
`entries`' business.
"""

import random
from collections import defaultdict

from analytics_assets.demo.people import Person, money
from analytics_assets.demo.records import Record, default_record, iso_duration
from analytics_assets.demo.workspace import Workspace

CLIENT_NAMES = (
    "Bäckerei Krümel & Söhne",
    "Nordlicht Energie AG",
    "Σύμβουλοι Αιγαίου",
    "合同会社 青空",
    "Harbour & Finch Ltd",
    'Café "L\'Été"',
    "Київська друкарня",
    "مكتبة النيل",
    "Summit Ridge, Inc.",
    "Padaria São João",
    "Kiwi Orchard Trust",
    "Zażółć Gęślą Sp. z o.o.",
    "O'Hara\tBros.",
    "Städtische Bibliothek",
    "भारत टेक्सटाइल्स",
)
PROJECT_KINDS = (
    "Website relaunch",
    "Datenmigration",
    "Mobile app",
    "Warehouse, phase 2",
    "Schulung & Support",
    "Αναβάθμιση ERP",
    "ブランド刷新",
    "Audit 2024-01-01",
    "Maintenance (SLA)",
    "Дослідження ринку",
    'Internal "lab"',
    "Intranet 🚀",
)
TASK_NAMES = (
    "Kick-off",
    "Analysis",
    "Design",
    "Implementation",
    "Review",
    "Tests",
    "Rollout",
    "Abnahme",
    "修正",
)
TAG_NAMES = (
    "overtime",
    "remote",
    "on-site",
    "urgent!",
    "Reise",
    "возврат",
    "会議",
    "pro bono",
    "bug, fix",
    "weekend",
    "R&D",
    "σύσκεψη",
    "☕ coffee",
    "12:00",
    "null",
)
CURRENCIES = ("EUR", "EUR", "USD", "GBP", "JPY", "BRL", "NZD")
COLOURS = ("#03A9F4", "#8BC34A", "#FF5722", "#9C27B0", "#795548", "#009688", "#FFC107")


def invent_clients(workspace: Workspace, chance: random.Random, count: int) -> None:
    """Invent the clients and add them; every seventh is archived."""
    for number in range(count):
        currency = CURRENCIES[number % len(CURRENCIES)]
        has_address = chance.random() < 0.6
        workspace.clients.append(
            default_record(
                "clients",
                workspace.new_id(),
                workspace.id,
                name=_numbered(CLIENT_NAMES, number),
                archived=number % 7 == 6,
                email=f"billing{number}@client.example" if chance.random() < 0.8 else None,
                address=f"{chance.randrange(1, 200)} Long Street\nFloor {number}\n1{number:04d} Town" if has_address else None,
                note=chance.choice((None, "", "Pays late; send a reminder.", "Ask for Frau Öz")),
                ccEmails=chance.choice((None, [], [f"cc{number}@client.example", "boss@client.example"])),
                currencyId=f"{workspace.id[:18]}{CURRENCIES.index(currency):06x}",
                currencyCode=currency,
            )
        )


def invent_tags(workspace: Workspace, chance: random.Random, count: int) -> None:
    """Invent the tags and add them; some are archived."""
    for number in range(count):
        name = _numbered(TAG_NAMES, number)
        archived = number > 2 and chance.random() < 0.15
        workspace.tags.append(default_record("tags", workspace.new_id(), workspace.id, name=name, archived=archived))


def invent_projects(workspace: Workspace, chance: random.Random, people: list[Person], count: int) -> None:
    """Invent the projects and their tasks and add them; every fifth project has no client."""
    for number in range(count):
        client = chance.choice(workspace.clients) if workspace.clients and number % 5 != 4 else None
        project = _project(workspace, chance, people, number, client)
        workspace.projects.append(project)
        tasks = [] if number % 9 == 8 else _tasks(workspace, chance, project, people)
        workspace.tasks[project["id"]] = tasks


def sum_durations(workspace: Workspace, seconds: dict[str, int]) -> None:
    """Write the time that was booked into projects and tasks, as the API shows it."""
    booked = defaultdict(int, seconds)
    for project in workspace.projects:
        project["duration"] = iso_duration(booked[project["id"]])
        for task in workspace.tasks[project["id"]]:
            task["duration"] = iso_duration(booked[task["id"]]) if booked[task["id"]] else None


def _project(workspace: Workspace, chance: random.Random, people: list[Person], number: int, client: Record | None) -> Record:
    currency = str(client["currencyCode"]) if client else "EUR"
    project_id = workspace.new_id()
    billable = chance.random() < 0.8
    own_rates = [money(chance.randrange(50, 150) * 100, currency), None, None, None, None]
    hours = chance.choice((0, 0, 40, 120, 750))
    name = f"{PROJECT_KINDS[number % len(PROJECT_KINDS)]} {number // len(PROJECT_KINDS) + 1}"
    return default_record(
        "projects",
        project_id,
        workspace.id,
        name=name,
        clientId=client["id"] if client else "",
        clientName=client["name"] if client else "",
        note=chance.choice(("", "", "See contract §4\nand the annex.", 'Says "fixed price"')),
        hourlyRate=money(chance.randrange(60, 180) * 100, currency) if billable else None,
        costRate=money(chance.randrange(30, 60) * 100, currency) if chance.random() < 0.3 else None,
        billable=billable,
        archived=number % 6 == 5,
        template=number % 29 == 28,
        public=chance.random() < 0.7,
        color=COLOURS[number % len(COLOURS)],
        estimate={"estimate": f"PT{hours}H" if hours else "PT0S", "type": "MANUAL" if hours else "AUTO"},
        timeEstimate={
            "estimate": f"PT{hours}H" if hours else "PT0S",
            "type": "MANUAL" if hours else "AUTO",
            "resetOption": "MONTHLY" if hours == 40 else None,
            "active": bool(hours),
            "includeNonBillable": chance.random() < 0.5,
        },
        budgetEstimate=_budget(chance),
        estimateReset=_reset(chance) if hours == 40 else None,
        memberships=[
            {
                "userId": person.id,
                "hourlyRate": chance.choice(own_rates),
                "costRate": None,
                "targetId": project_id,
                "membershipType": "PROJECT",
                "membershipStatus": "ACTIVE" if person.left is None else "INACTIVE",
            }
            for person in chance.sample(people, min(len(people), chance.randrange(6)))
        ],
    )


def _budget(chance: random.Random) -> Record | None:
    amount = chance.choice((None, None, 500_000, 12_345_678))
    if amount is None:
        return None
    return {
        "estimate": amount,
        "type": "MANUAL",
        "resetOption": chance.choice((None, "MONTHLY")),
        "active": True,
        "includeExpenses": chance.random() < 0.3,
    }


def _reset(chance: random.Random) -> Record:
    day = chance.randrange(1, 29)
    return {"interval": "MONTHLY", "dayOfWeek": "MONDAY", "dayOfMonth": day, "month": "JANUARY", "hour": 0}


def _tasks(workspace: Workspace, chance: random.Random, project: Record, people: list[Person]) -> list[Record]:
    tasks = []
    rate = project["hourlyRate"]
    dearer = money(rate["amount"] + 500, rate["currency"]) if rate else None
    for name in chance.sample(TASK_NAMES, chance.randrange(1, len(TASK_NAMES))):
        how_many = min(len(people), chance.choice((0, 0, 1, 3)))
        assignees = [person.id for person in chance.sample(people, how_many)]
        hours = chance.choice((0, 2, 16, 79))
        tasks.append(
            default_record(
                "tasks",
                workspace.new_id(),
                workspace.id,
                project["id"],
                name=name,
                assigneeId=assignees[0] if assignees else None,
                assigneeIds=assignees,
                userGroupIds=[workspace.user_groups[0]["id"]] if workspace.user_groups and chance.random() < 0.1 else [],
                estimate=f"PT{hours}H{chance.choice((0, 12, 54))}M" if hours else "PT0S",
                status="DONE" if chance.random() < 0.35 else "ACTIVE",
                budgetEstimate=chance.choice((0, 0, 150_000, 999_999)),
                billable=project["billable"],
                hourlyRate=dearer if chance.random() < 0.2 else None,
                costRate=None,
            )
        )
    return tasks


def _numbered(names: tuple[str, ...], number: int) -> str:
    turn, position = divmod(number, len(names))
    return names[position] if not turn else f"{names[position]} {turn + 1}"
