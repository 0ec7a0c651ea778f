"""An invented workspace and its history over seven syncs; dates are fixed, so that a failure comes back.

What the marts must say about it stands in `expected.py`.
"""

import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from analytics_assets.source.columns import ResourceName

Row = dict[str, Any]
Window = tuple[datetime, datetime | None]

AS_OF = date(2025, 4, 15)
DEFAULT_TIME_ZONE = "Asia/Kathmandu"

TIME_ZONES = {
    "berlin": "Europe/Berlin",
    "new_york": "America/New_York",
    "chatham": "Pacific/Chatham",  # 12:45 ahead of UTC
    "havana": "America/Havana",  # midnight comes twice when clocks are set back
    "santiago": "America/Santiago",  # no midnight when they are set forward
    "lord_howe": "Australia/Lord_Howe",  # half an hour of summer time
}
WITHOUT_TIME_ZONE = ("unset", "odd_settings", "mars")
MEMBERS = (*TIME_ZONES, *WITHOUT_TIME_ZONE)
LATE_MEMBER = "late_member"


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type,misc]


@dataclass(frozen=True)
class Sync:
    """A sync: when it was published, which entries it read, and what the API had of all resources then.

    `lists_not_read` are the members whose entries the API refused, whose rows are those of before; None where the sync
    does not say so, as those of earlier versions.
    """

    at: datetime
    window: Window
    rows: dict[ResourceName, list[Row]]
    lists_not_read: frozenset[str] | None = None

    def reads(self, start: datetime) -> bool:
        """Whether an entry that starts then is read."""
        first, end = self.window
        return start >= first and (end is None or start < end)


def invented_syncs() -> list[Sync]:
    """Seven syncs of a workspace whose entries come, change, leave and come back.

    They are the first load, routine ones, reconciles, a backfill of older months and one month alone.
    """
    chance = random.Random(20250415)
    readings: list[tuple[datetime, Window]] = [
        (utc(2025, 2, 10, 6), (utc(2024, 6, 1), None)),
        (utc(2025, 2, 28, 22), (utc(2025, 1, 1), None)),
        (utc(2025, 3, 1, 5), (utc(2025, 1, 1), None)),
        (utc(2025, 3, 5, 12), (utc(2024, 6, 1), None)),
        (utc(2025, 4, 2, 12), (utc(2025, 3, 1), None)),
        (utc(2025, 4, 6, 12), (utc(2024, 1, 1), None)),
        (utc(2025, 4, 7, 12), (utc(2024, 8, 1), utc(2024, 9, 1))),
    ]
    entries = {row["id"]: row for row in (_entry(chance, utc(2024, 1, 1), utc(2025, 2, 10, 6)) for _ in range(260))}
    entries |= {row["id"]: row for row in odd_entries()}
    gone: dict[str, Row] = {}
    syncs = []
    previous = readings[0][0]
    for number, (at, window) in enumerate(readings):
        if number:
            _live_on(chance, entries, gone, previous, at)
        others = _other_resources(number)
        sync = Sync(at, window, others)
        others["time_entries"] = [dict(row) for row in entries.values() if sync.reads(row["time_interval__start"])]
        syncs.append(sync)
        previous = at
    return syncs


def _live_on(chance: random.Random, entries: dict[str, Row], gone: dict[str, Row], previous: datetime, now: datetime) -> None:
    for _ in range(12):
        new = _entry(chance, previous, now)
        entries[new["id"]] = new
    for _ in range(8):
        late = _entry(chance, utc(2024, 1, 1), now)
        entries[late["id"]] = late
    ordinary = [key for key in entries if key.startswith("made_")]
    for key in chance.sample(ordinary, 30):
        entries[key] = entries[key] | _edit(chance, entries[key], now)
    for key in chance.sample(ordinary, 8):
        gone[key] = entries.pop(key)
    for key in chance.sample(sorted(gone), min(3, len(gone))):
        entries[key] = gone.pop(key)


def _entry(chance: random.Random, first: datetime, last: datetime) -> Row:
    start = first + timedelta(seconds=chance.randrange(int((last - first).total_seconds())))
    length = chance.choice([0, 59, 1800, 3601, 7200, 14_400, 30_000, 100_000, 300_000])
    end = None if chance.random() < 0.03 else start + timedelta(seconds=length)
    user = chance.choice(MEMBERS)
    return {
        "id": f"made_{chance.getrandbits(64):x}",
        "description": chance.choice(["Design", "Bücher — Review", ""]),
        "user_id": user,
        "_users_id": user,
        "workspace_id": "w",
        "project_id": chance.choice(["site", "app", "no_client", "", None]),
        "billable": chance.choice([True, True, False, None]),
        "type": chance.choice(["REGULAR", "REGULAR", "BREAK", "TIME_OFF", None]),
        "time_interval__start": start,
        "time_interval__end": end,
        "time_interval__duration": None if end is None else f"PT{length // 3600}H{length % 3600}S",
        "hourly_rate__amount": chance.choice([None, 1, 4321, 9999]),
        "hourly_rate__currency": chance.choice(["EUR", "USD"]),
        "cost_rate__amount": chance.choice([None, 3333]),
        "cost_rate__currency": chance.choice(["EUR", None]),
        "tag_ids": chance.choice([None, [], ["t1"], ["t1", "t2"], ["t2", "t1", "t2"]]),
        "is_locked": False,
    }


def _edit(chance: random.Random, row: Row, now: datetime) -> Row:
    start, end = row["time_interval__start"], row["time_interval__end"]
    kind = chance.choice(["end", "move", "text", "lock", "rate", "tags", "project"])
    if kind == "end":
        return {"time_interval__end": start + timedelta(seconds=chance.choice([60, 5000, 90_000]))}
    if kind == "move":
        by = timedelta(days=chance.choice([-40, -3, 3, 40]))
        if start + by < now:
            return {"time_interval__start": start + by, "time_interval__end": end and end + by}
    if kind == "text":
        return {"description": row["description"] + "!"}
    if kind == "rate":
        return {"hourly_rate__amount": chance.choice([0, 5555])}
    if kind == "tags":
        return {"tag_ids": row["tag_ids"] and row["tag_ids"][::-1]}
    if kind == "project":
        return {"project_id": chance.choice(["site", "app"])}
    return {"is_locked": not row["is_locked"]}


def odd_entries() -> list[Row]:
    """Entries that a server should not send and sends all the same."""
    start = utc(2025, 2, 3, 9)
    common: Row = {"user_id": "berlin", "_users_id": "berlin", "time_interval__start": start, "is_locked": False}
    hour = {"time_interval__end": start + timedelta(hours=1)}
    return [
        common | {"id": "ends_before_start", "time_interval__end": start - timedelta(hours=1), "time_interval__duration": "PT1H"},
        common | {"id": "without_user_id", "user_id": None, "_users_id": "new_york", **hour},
        common | {"id": "other_duration", **hour, "time_interval__duration": "PT2H"},
        common | {"id": "unknown_project", **hour, "project_id": "never_seen"},
        common | {"id": "unknown_task", **hour, "task_id": "never_seen"},
        common | {"id": "unknown_user", **hour, "user_id": "stranger", "_users_id": "stranger"},
        common | {"id": "unknown_tag", **hour, "tag_ids": ["never_seen"]},
        common | {"id": "new_type", **hour, "type": "SABBATICAL"},
        common | {"id": "negative_rate", **hour, "cost_rate__amount": -100},
        common | {"id": "odd_tags", **hour, "tag_ids": '{"not": "an array"}'},
    ]


def _other_resources(number: int) -> dict[ResourceName, list[Row]]:
    """The other resources; from the third sync on a project, a client, a member, a tag and a task are gone."""
    later = number >= 2
    users: list[Row] = [
        {"id": key, "name": key.title(), "status": "ACTIVE", "settings": {"timeZone": zone, "weekStart": "SUNDAY"}}
        for key, zone in TIME_ZONES.items()
    ]
    users += [
        {"id": "unset", "name": None, "settings": None},
        {"id": "odd_settings", "settings": '"a text"'},
        {"id": "mars", "settings": {"timeZone": "Mars/Olympus", "weekStart": 1}},
    ]
    projects: list[Row] = [
        {
            "id": "app",
            "name": "App",
            "client_id": "acme",
            "estimate__estimate": "PT100H",
            "budget_estimate": {"estimate": 100_000},
        },
        {"id": "no_client", "name": "Own work", "client_id": ""},
    ]
    rows: dict[ResourceName, list[Row]] = {
        "users": [row for row in users if not (later and row["id"] == "chatham")],
        "projects": projects if later else [*projects, {"id": "site", "name": "Site", "client_id": "gone"}],
        "clients": [{"id": "acme", "name": "Acme", "currency_code": "EUR"}],
        "tags": [{"id": "t1", "name": "One"}],
        "tasks": [{"id": "task", "name": "Task", "_projects_id": "app", "estimate": "3600", "budget_estimate": "5000"}],
        "user_groups": [{"id": "all", "name": "All", "user_ids": ["berlin", "mars"]}],
    }
    if not later:
        rows["clients"].append({"id": "gone", "name": "Gone Ltd", "currency_code": "CHF"})
        rows["tags"].append({"id": "t2", "name": "Two"})
    if number == 0:
        rows["tasks"].append({"id": "old_task", "name": "Old", "_projects_id": "site"})
        rows["user_groups"].append({"id": "old_group", "name": "Old", "user_ids": []})
    return rows
