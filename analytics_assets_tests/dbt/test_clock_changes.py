"""Days of entries where clocks are changed and changed back soon: the offset of one day is not that of the next.

Models take what clocks differ from UTC for four days at once. That was chosen by looking at each day since 1970 in each time
zone that Python knows: the shortest time between two changes is the seven days of these zones.
"""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import pytest

from analytics_assets_tests.dbt.compiled import compiled_models
from analytics_assets_tests.dbt.conftest import Builder
from analytics_assets_tests.dbt.history import Row
from analytics_assets_tests.dbt.warehouse import create_warehouse, publish

CHANGES: Final = {
    "America/Recife": [date(2000, 10, 8)],
    "America/Boa_Vista": [date(2000, 10, 8)],
    "Asia/Gaza": [date(2011, 8, 1), date(2011, 8, 30)],
    "Asia/Hebron": [date(2011, 8, 1), date(2011, 8, 30)],
    "America/Argentina/Tucuman": [date(2004, 6, 1)],
    "Africa/El_Aaiun": [date(2012, 7, 20)],
    "Africa/Cairo": [date(2010, 8, 11), date(2014, 6, 26)],
    "Pacific/Apia": [date(2011, 12, 30)],  # a day that never was
    "Asia/Tehran": [date(2022, 3, 22)],  # at midnight
    "Australia/Lord_Howe": [date(2024, 4, 7)],  # by half an hour
    "Europe/Berlin": [date(2024, 3, 31), date(2024, 10, 27)],
    "Pacific/Kiritimati": [date(2024, 3, 31)],  # never, and 14 hours ahead of UTC
}
DAYS_AROUND: Final = 10
LENGTHS: Final = (timedelta(minutes=50), timedelta(hours=30))


def _entries(member: str, middle: date) -> list[Row]:
    first = datetime(middle.year, middle.month, middle.day, tzinfo=UTC) - timedelta(days=DAYS_AROUND)
    starts = [first + timedelta(minutes=47) * number for number in range(2 * DAYS_AROUND * 24 * 60 // 47)]
    return [
        {
            "id": f"{member} {start.isoformat()}",
            "user_id": member,
            "_users_id": member,
            "time_interval__start": start,
            "time_interval__end": start + LENGTHS[number % len(LENGTHS)],
        }
        for number, start in enumerate(starts)
    ]


def _seconds_by_day(start: datetime, end: datetime, zone: ZoneInfo) -> Counter[date]:
    """Walks in quarter hours of UTC: no midnight and no change of clocks lies within one."""
    days: Counter[date] = Counter()
    position = start
    while position < end:
        stop = min(end, datetime.fromtimestamp((int(position.timestamp()) // 900 + 1) * 900, tz=UTC))
        days[position.astimezone(zone).date()] += int((stop - position).total_seconds())
        position = stop
    return days


@pytest.mark.parametrize("zone", CHANGES)
def test_each_entry_counts_on_the_days_that_its_members_clocks_showed(builder: Builder, tmp_path: Path, zone: str) -> None:
    rows = [entry for middle in CHANGES[zone] for entry in _entries("member", middle)]
    user: Row = {"id": "member", "name": "Ada", "status": "ACTIVE", "settings": {"timeZone": zone}}
    path = create_warehouse(tmp_path / "analytics.duckdb")
    publish(path, {"users": [user], "time_entries": rows}, at=datetime(2040, 1, 1, tzinfo=UTC))
    built = compiled_models(builder).needed_for(["fct_time_entries", "timesheet_daily"]).build(path)

    clock = ZoneInfo(zone)
    dates = {row["id"]: row["time_interval__start"].astimezone(clock).date() for row in rows}
    assert {row["time_entry_id"]: row["work_date"] for row in built["fct_time_entries"]} == dates
    seconds: Counter[date] = Counter()
    for row in rows:
        seconds += _seconds_by_day(row["time_interval__start"], row["time_interval__end"], clock)
    assert {row["work_date"]: row["tracked_seconds"] for row in built["timesheet_daily"]} == seconds


def test_a_month_closes_when_midnight_comes_first_where_it_comes_twice(builder: Builder, tmp_path: Path) -> None:
    """In Havana clocks went from 1:00 back to 0:00 on 1 November 2020.

    October stayed open for the hour until the second midnight, so that an entry that was deleted in it was no late change,
    and the timesheet had long counted that hour as November.
    """
    user: Row = {"id": "member", "name": "Ada", "status": "ACTIVE", "settings": {"timeZone": "America/Havana"}}
    last_hours: list[Row] = [
        {
            "id": f"{hour}:00",
            "user_id": "member",
            "_users_id": "member",
            "time_interval__start": datetime(2020, 10, 31, hour, tzinfo=UTC),
            "time_interval__end": datetime(2020, 10, 31, hour + 1, tzinfo=UTC),
        }
        for hour in (8, 20)
    ]
    end_of_october = datetime(2020, 11, 1, 4, tzinfo=UTC)
    path = create_warehouse(tmp_path / "analytics.duckdb")
    publish(path, {"users": [user], "time_entries": last_hours}, at=datetime(2020, 10, 31, 22, tzinfo=UTC))
    publish(path, {"users": [user], "time_entries": last_hours[1:]}, at=end_of_october - timedelta(minutes=1))
    publish(path, {"users": [user], "time_entries": []}, at=end_of_october + timedelta(minutes=1))
    built = compiled_models(builder).needed_for(["time_entry_changes"]).build(path)
    found = [(row["time_entry_id"], row["change_type"], row["before_month_closes_at"]) for row in built["time_entry_changes"]]
    assert found == [("20:00", "deleted", end_of_october)]
