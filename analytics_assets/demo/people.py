"""The invented members of the workspace and their groups: who they are, when they were there, how they work.

Only people belong here. What they worked on is `projects`' business, when exactly is `entries`'.
"""

import datetime as dt
import random
from dataclasses import dataclass

from analytics_assets.demo.places import NAMES, PLACES
from analytics_assets.demo.records import USER_SETTINGS, Record, default_record
from analytics_assets.demo.workspace import Workspace

MAIL_DOMAIN = "fernblick.example"
GROUP_NAMES = (
    "Engineering",
    "Διοίκηση",
    "Beratung & Schulung",
    "Design 🎨",
    "サポート",
    "Back office",
    "Freelancers, external",
    "Data",
)


@dataclass(frozen=True)
class Person:
    """A member with what their record does not say: place, share of a full week, first and last day."""

    record: Record
    place: str
    share: float
    joined: dt.date
    left: dt.date | None
    works: bool
    rate: Record | None
    cost: Record | None
    is_evening_type: bool

    @property
    def id(self) -> str:
        """Id of the member."""
        return str(self.record["id"])

    @property
    def zone(self) -> str:
        """IANA name of the member's time zone."""
        return PLACES[self.place].zone


def money(amount: int, currency: str) -> Record:
    """An amount in minor units and its currency."""
    return {"amount": amount, "currency": currency}


def invent_people(workspace: Workspace, chance: random.Random, count: int, first_day: dt.date, today: dt.date) -> list[Person]:
    """Invent the members and add them; the first of them has always been there and is active."""
    statuses = _statuses(count)
    people = [_person(workspace, chance, number, status, first_day, today) for number, status in enumerate(statuses)]
    workspace.users.extend(person.record for person in people)
    return people


def invent_groups(workspace: Workspace, chance: random.Random, count: int) -> None:
    """Invent the groups and add them: overlapping, one of them empty, some with managers."""
    for number in range(count):
        members = [user for user in workspace.users if chance.random() < 0.3] if number % 6 != 5 else []
        managers = members[: chance.choice((0, 1, 1, 2))]
        workspace.user_groups.append(
            default_record(
                "user_groups",
                workspace.new_id(),
                workspace.id,
                name=_numbered(GROUP_NAMES, number),
                userIds=[user["id"] for user in members],
                teamManagers=[{"id": user["id"], "name": user["name"]} for user in managers],
            )
        )


def _statuses(count: int) -> list[str]:
    """Mostly active; from eight members on, one of each kind and more of them as the workspace grows."""
    statuses = ["ACTIVE"] * count
    kinds = ("DELETED", "LIMITED", "NOT_REGISTERED", "PENDING_EMAIL_VERIFICATION", "LIMITED_DELETED")
    if count >= 8:
        for number, kind in enumerate(kinds):
            statuses[count - 1 - number] = kind
    for number in range(9, count - len(kinds), 11):
        statuses[number] = ("DELETED", "LIMITED", "DELETED")[number // 11 % 3]
    return statuses


def _person(workspace: Workspace, chance: random.Random, number: int, status: str, first_day: dt.date, today: dt.date) -> Person:
    name, latin, place = NAMES[number % len(NAMES)]
    turn = number // len(NAMES)
    if turn:
        name, latin = f"{name} {turn + 1}", f"{latin}.{turn + 1}"
    days = max(1, (today - first_day).days)
    joined, left = first_day, None
    if number and chance.random() < 0.3:
        joined = first_day + dt.timedelta(chance.randrange(days * 2 // 3 + 1))
    if status in ("DELETED", "LIMITED_DELETED"):
        left = joined + dt.timedelta(1 + chance.randrange(max(1, (today - joined).days)))
    currency = PLACES[place].currency
    factor = {"JPY": 1, "INR": 25, "UAH": 20, "EGP": 20, "TWD": 20}.get(currency, 1)
    cost = chance.randrange(25, 70) * 100 * factor
    record = default_record(
        "users",
        workspace.new_id(),
        workspace.id,
        email=f"{latin}@{MAIL_DOMAIN}" if number % 13 != 12 else "",
        name=name,
        status=status,
        profilePicture=f"https://img.{MAIL_DOMAIN}/{number}.png" if chance.random() < 0.6 else None,
        settings=_settings(chance, place),
        customFields=[],
    )
    if status == "NOT_REGISTERED":
        record.update(name=None, settings=None, email=None if number % 2 else record["email"])
    elif chance.random() < 0.5:
        record["customFields"] = _custom_fields(workspace, chance, record["id"])
    share = 1.0 if not number else chance.choice((1.0, 1.0, 1.0, 1.0, 0.8, 0.6, 0.5))
    return Person(
        record=record,
        place=place,
        share=share * (0.4 if status.startswith("LIMITED") else 1.0),
        joined=joined,
        left=left,
        works=status != "NOT_REGISTERED",
        rate=money(cost * 2, currency) if chance.random() < 0.7 else None,
        cost=money(cost, currency) if chance.random() < 0.8 else None,
        is_evening_type=chance.random() < 0.12,
    )


def _settings(chance: random.Random, place: str) -> Record:
    return {
        **USER_SETTINGS,
        "timeZone": PLACES[place].zone,
        "weekStart": "SUNDAY" if place in ("US", "EG", "JP", "BR") else "MONDAY",
        "timeFormat": "HOUR12" if place in ("US", "CA") else "HOUR24",
        "dateFormat": {"US": "MM/DD/YYYY", "GB": "DD/MM/YYYY", "DE": "DD.MM.YYYY"}.get(place, "YYYY-MM-DD"),
        "summaryReportSettings": {
            "group": chance.choice(("PROJECT", "USER", "CLIENT")),
            "subgroup": "TIME_ENTRY",
        },
        "myStartOfDay": chance.choice(("07:30", "08:00", "09:00", "09:00", "10:00")),
        "darkTheme": chance.random() < 0.4,
        "lang": {"DE": "DE", "FR": "FR", "BR": "PT", "JP": "JA"}.get(place, "EN"),
    }


def _custom_fields(workspace: Workspace, chance: random.Random, user_id: str) -> list[Record]:
    mark = workspace.id[:18]
    return [
        {
            "customFieldId": f"{mark}0000f1",
            "customFieldName": "Personnel number",
            "customFieldType": "TXT",
            "userId": user_id,
            "value": f"{chance.randrange(10_000):05d}",
        },
        {
            "customFieldId": f"{mark}0000f2",
            "customFieldName": "Skills",
            "customFieldType": "DROPDOWN_MULTIPLE",
            "userId": user_id,
            "value": chance.choice((None, [], ["SQL"], ["SQL", "Python", "Ελληνικά"])),
        },
    ]


def _numbered(names: tuple[str, ...], number: int) -> str:
    turn, position = divmod(number, len(names))
    return names[position] if not turn else f"{names[position]} {turn + 1}"
