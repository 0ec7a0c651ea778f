"""The invented time entries: who booked what, from when to when.

Only the filling of days belongs here: working days in each person's own zone, holidays, absences, breaks,
timers that still run. Everything ends before `today` begins in UTC, so that no entry lies in the future.
"""

import datetime as dt
import random
from collections import defaultdict
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from analytics_assets.demo import texts
from analytics_assets.demo.people import Person
from analytics_assets.demo.places import PLACES, holidays, season
from analytics_assets.demo.records import Record, iso_duration
from analytics_assets.demo.workspace import Workspace

MINUTE, HOUR, DAY = 60, 3600, 86_400
ONE_DAY = dt.timedelta(1)
LOCKED_AFTER_DAYS = 60
SPECIAL_SHARE = 0.08
RUNNING_TIMERS = 3


@dataclass(frozen=True)
class _Day:
    """A day of a person, by the UTC second at which it begins for them, and how much is worked on it."""

    person: Person
    day: dt.date
    midnight: int
    weight: float


@dataclass(frozen=True)
class _Absence:
    person: Person
    midnight: int
    kind: str
    text: str


class EntryWriter:
    """Makes entries of one workspace and sums up what was booked on projects and tasks."""

    def __init__(self, workspace: Workspace, chance: random.Random, today: dt.date) -> None:
        self._workspace = workspace
        self._chance = chance
        self._now = _epoch(today)
        self._tags = [tag["id"] for tag in workspace.tags]
        self._mark = workspace.id[:18]
        self._dates: dict[int, str] = {}
        self._usual: dict[tuple[str, int], list[Record]] = {}
        self.booked: dict[str, int] = defaultdict(int)

    def write(self, person: Person, start: int, end: int | None, kind: str, text: str | None = None) -> None:
        """Make one entry and put it behind the person's others."""
        chance, workspace = self._chance, self._workspace
        entry_id = workspace.new_id(start)
        project = self._project(person, start) if kind == "REGULAR" else None
        task = None
        if project is not None and chance.random() < 0.6 and workspace.tasks[project["id"]]:
            task = chance.choice(workspace.tasks[project["id"]])
        billable = project is not None and project["billable"] and chance.random() < 0.9
        rate = None
        if billable and project is not None:
            rate = (task and task["hourlyRate"]) or project["hourlyRate"] or person.rate
        if end is not None:
            for thing in (project, task):
                if thing is not None:
                    self.booked[thing["id"]] += end - start
        span = {
            "start": self._iso(start),
            "end": None if end is None else self._iso(end),
            "duration": None if end is None else iso_duration(end - start),
        }
        is_regular = kind == "REGULAR"
        workspace.time_entries[person.id].append(
            {
                "id": entry_id,
                "description": texts.description(chance) if text is None else text,
                "userId": person.id,
                "workspaceId": workspace.id,
                "projectId": project["id"] if project else None,
                "taskId": task["id"] if task else None,
                "kioskId": None,
                "tagIds": texts.tag_ids(chance, self._tags) if is_regular else None,
                "billable": billable,
                "isLocked": self._now - start > LOCKED_AFTER_DAYS * DAY and chance.random() < 0.6,
                "type": kind,
                "timeInterval": span,
                "hourlyRate": rate,
                "costRate": person.cost if is_regular else None,
                "customFieldValues": texts.custom_field_values(chance, self._mark, entry_id) if is_regular else [],
            }
        )

    def _project(self, person: Person, start: int) -> Record | None:
        """One of the person's usual projects of that quarter, lately no archived one; now and then none."""
        projects = self._workspace.projects
        if not projects or self._chance.random() < 0.08:
            return None
        quarter = start // (91 * DAY)
        usual = self._usual.get((person.id, quarter))
        if usual is None:
            usual = self._chance.sample(projects, min(len(projects), self._chance.randrange(2, 7)))
            if self._now - start < 180 * DAY:
                usual = [project for project in usual if not project["archived"]]
            self._usual[person.id, quarter] = usual
        # Squared: the first of them get most of the time.
        return usual[int(self._chance.random() ** 2 * len(usual))] if usual else None

    def _iso(self, epoch: int) -> str:
        day, second = divmod(epoch, DAY)
        date = self._dates.get(day)
        if date is None:
            date = self._dates[day] = (dt.date(1970, 1, 1) + dt.timedelta(day)).isoformat()
        return f"{date}T{second // HOUR:02d}:{second % HOUR // MINUTE:02d}:{second % MINUTE:02d}Z"


def invent_entries(
    workspace: Workspace,
    chance: random.Random,
    people: list[Person],
    count: int,
    first_day: dt.date,
    today: dt.date,
) -> dict[str, int]:
    """Invent the entries, exactly as many as asked if anybody works, and add them.

    Returns:
        Seconds booked by id of project and task.
    """
    workspace.time_entries.update({person.id: [] for person in people})
    writer = EntryWriter(workspace, chance, today)
    days: list[_Day] = []
    absences: list[_Absence] = []
    for person in people if count else []:
        _fill_calendar(chance, person, first_day, today, days, absences)
    if not days:
        return {}
    absences = chance.sample(absences, min(len(absences), int(count * SPECIAL_SHARE)))
    for absence in absences:
        start = absence.midnight + 9 * HOUR
        length = int(8 * HOUR * min(1.0, absence.person.share)) // (15 * MINUTE) * 15 * MINUTE
        writer.write(absence.person, start, start + length, absence.kind, absence.text)
    active = [person for person in people if person.record["status"] == "ACTIVE"]
    running = active[: min(RUNNING_TIMERS, count // 10)]
    for person in running:
        writer.write(person, _epoch(today) - chance.randrange(10 * MINUTE, 5 * HOUR), None, "REGULAR")
    remaining = count - len(absences) - len(running)
    scale, done, total = remaining / sum(day.weight for day in days), 0, 0.0
    for position, day in enumerate(days):
        total += day.weight
        due = remaining if position == len(days) - 1 else int(total * scale)
        if due > done:
            _fill_day(writer, chance, day, due - done, may_forget=(today - day.day).days > 5)
        done = due
    workspace.changed()
    return writer.booked


def _fill_calendar(
    chance: random.Random,
    person: Person,
    first_day: dt.date,
    today: dt.date,
    days: list[_Day],
    absences: list[_Absence],
) -> None:
    """Find the person's working days, their holidays and the days they were away."""
    if not person.works:
        return
    zone, place = ZoneInfo(person.zone), PLACES[person.place]
    weekdays = [day for day in range(7) if day not in place.weekend]
    weekdays = sorted(chance.sample(weekdays, max(1, round(5 * min(1.0, person.share)))))
    day = max(first_day, person.joined)
    last = min(_last_day(person, today), person.left or today)
    away, reason = 0, ""
    while day <= last:
        if day.weekday() in weekdays:
            midnight = int(dt.datetime(day.year, day.month, day.day, tzinfo=zone).timestamp())
            feast = holidays(person.place, day.year).get(day)
            busy = season(person.place, day)
            if feast is not None:
                absences.append(_Absence(person, midnight, "HOLIDAY", feast))
            elif away:
                away -= 1
                absences.append(_Absence(person, midnight, "TIME_OFF", reason))
            else:
                days.append(_Day(person, day, midnight, busy * chance.uniform(0.6, 1.4)))
                if chance.random() < (0.015 if busy == 1.0 else 0.04):
                    away, reason = chance.choice((1, 1, 2, 5, 10)), chance.choice(texts.TIME_OFF)
        elif chance.random() < 0.01:
            midnight = int(dt.datetime(day.year, day.month, day.day, tzinfo=zone).timestamp())
            days.append(_Day(person, day, midnight, 0.3))
        day += ONE_DAY


def _last_day(person: Person, today: dt.date) -> dt.date:
    """The last day whose work is over everywhere when `today` begins in UTC."""
    offset = dt.datetime.combine(today, dt.time(), ZoneInfo(person.zone)).utcoffset() or dt.timedelta(0)
    is_over_early = offset >= dt.timedelta(0) and not person.is_evening_type
    return today - ONE_DAY * (1 if is_over_early else 2)


def _fill_day(writer: EntryWriter, chance: random.Random, day: _Day, count: int, *, may_forget: bool) -> None:
    """Write the entries of one day: one after the other, with pauses between, from a round hour on."""
    first = 18 * HOUR if day.person.is_evening_type else chance.choice((7, 8, 8, 9, 9, 9, 10)) * HOUR
    now = day.midnight + first + chance.choice((0, 0, 0, 15, 30, 45)) * MINUTE
    length = int((8 if count > 1 else 4) * HOUR * min(1.0, day.person.share + 0.3) * chance.uniform(0.7, 1.15))
    pause_at, is_break = count // 2, chance.random() < (0.3 if count >= 3 else 0.04)
    for position in range(count):
        span = max(MINUTE, int(length / count * chance.uniform(0.6, 1.4)))
        dice = chance.random()
        if dice < 0.7 and span > 5 * MINUTE:
            span -= span % (5 * MINUTE)
        if position == pause_at and is_break:
            writer.write(day.person, now, now + min(span, HOUR), "BREAK", "")
            now += min(span, HOUR)
            continue
        if position == pause_at and count >= 3:
            now += min(HOUR, length // count)
        end = now + span
        if dice > 0.9995 and may_forget:
            end = now + 79 * HOUR + 12 * MINUTE
        elif dice > 0.998:
            end = now
        writer.write(day.person, now, end, "REGULAR")
        now += span if dice < 0.8 else span + int(dice * 10) * MINUTE * (count < 20)


def _epoch(day: dt.date) -> int:
    return int(dt.datetime.combine(day, dt.time(), dt.UTC).timestamp())
