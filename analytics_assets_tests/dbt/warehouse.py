"""Raw tables for the dbt tests, written straight into DuckDB.

What a sync does to them stands here in its plainest form, without dlt: `publish` makes rows the current ones at a given
time and moves what they replace to the history. `fill` makes many entries at once.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb

from analytics_assets.source.columns import ResourceName
from analytics_assets.warehouse.descriptions import LOADED_AT
from analytics_assets.warehouse.tables import PUBLICATIONS, RAW, columns_of, data_columns, ensure_tables

Row = Mapping[str, object]
Rows = Sequence[Row]

ALL_TIME = datetime(2000, 1, 1, tzinfo=UTC)

PUBLISHED = "(published_at, resource, window_start, window_end, rows_read, rows_new, rows_changed, rows_deleted, lists_not_read)"


def create_warehouse(path: Path) -> Path:
    """A DuckDB file with all raw tables, empty."""
    with duckdb.connect(str(path)) as connection:
        ensure_tables(connection)
    return path


def publish(
    path: Path,
    rows: Mapping[ResourceName, Rows],
    *,
    at: datetime,
    window: tuple[datetime, datetime | None] = (ALL_TIME, None),
    lists_not_read: Collection[str] | None = None,
) -> None:
    """Make these rows all that the API has of their resources, of time entries those that start in the window."""
    with duckdb.connect(str(path)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        for resource, incoming in rows.items():
            _publish_resource(connection, resource, incoming, at, window)
            of_entries = resource == "time_entries"
            not_read = sorted(lists_not_read) if of_entries and lists_not_read is not None else None
            connection.execute(
                f"insert into {PUBLICATIONS} {PUBLISHED} values (?, ?, ?, ?, 0, 0, 0, 0, ?)",
                [at, resource, *(window if of_entries else (None, None)), not_read],
            )


def _publish_resource(
    connection: duckdb.DuckDBPyConnection,
    resource: ResourceName,
    rows: Rows,
    at: datetime,
    window: tuple[datetime, datetime | None],
) -> None:
    columns = data_columns(connection, resource, columns_of(connection, RAW, resource))
    names = ", ".join(columns)
    connection.execute(f"create or replace temp table incoming as select {names} from raw.{resource} limit 0")
    # in one JSON document: DuckDB takes a millisecond for each parameter
    document = json.dumps([{name: _stored(row.get(name)) for name in columns} for row in rows])
    structure = json.dumps([dict.fromkeys(columns, "VARCHAR")])
    connection.execute(
        f"insert into incoming by name select unnest(record) from (select unnest(from_json($rows, '{structure}')) as record)",
        {"rows": document},
    )
    connection.execute(f"create or replace temp table covered as select * from raw.{resource} where {_inside(resource, window)}")
    same = " and ".join(f"old.{name} is not distinct from new.{name}" for name in columns)
    connection.execute(
        f"""
        insert into raw_history.{resource} ({names}, {LOADED_AT}, _valid_to, _change)
        select {", ".join(f"old.{name}" for name in (*columns, LOADED_AT))}, $at, if(new.id is null, 'deleted', 'edited')
        from raw.{resource} as old left join incoming as new on old.id = new.id
        where not ({same}) and new.id is not null or new.id is null and old.id in (select id from covered)
        """,
        {"at": at},
    )
    connection.execute(f"delete from incoming as new using raw.{resource} as old where old.id = new.id and {same}")
    connection.execute(
        f"delete from raw.{resource} where id in (select id from raw_history.{resource} where _valid_to = $at)", {"at": at}
    )
    connection.execute(f"insert into raw.{resource} ({names}, {LOADED_AT}) select {names}, $at from incoming", {"at": at})


def _inside(resource: ResourceName, window: tuple[datetime, datetime | None]) -> str:
    if resource != "time_entries":
        return "true"
    start, end = window
    until = "true" if end is None else f"time_interval__start < timestamptz '{end.isoformat()}'"
    return f"time_interval__start >= timestamptz '{start.isoformat()}' and {until}"


def _stored(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    return json.dumps(value) if isinstance(value, list | dict) else value


def fill(path: Path, *, entries: int, last_day: date) -> None:
    """Many entries of three years up to a day.

    There are 40 members and 60 projects; every twentieth entry may cross a midnight, every tenth was edited once.
    """
    with duckdb.connect(str(path)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        first_load = f"timestamptz '{last_day} 00:00:00+00' - interval 400 day"
        connection.execute(
            f"""
            insert into raw.users by name
            select format('u{{}}', n) as id, format('Member {{}}', n) as name, 'ACTIVE' as status,
                json_object(
                    'timeZone', ['Europe/Berlin', 'America/New_York', 'Asia/Kathmandu', 'UTC'][n % 4 + 1],
                    'weekStart', ['MONDAY', 'SUNDAY'][n % 2 + 1]
                ) as settings, {first_load} as {LOADED_AT}
            from range(40) as members (n);
            insert into raw.clients by name
            select format('c{{}}', n) as id, format('Client {{}}', n) as name, 'EUR' as currency_code, {first_load} as {LOADED_AT}
            from range(15) as clients (n);
            insert into raw.projects by name
            select format('p{{}}', n) as id, format('Project {{}}', n) as name, format('c{{}}', n % 15) as client_id,
                'PT2000H' as estimate__estimate, json_object('estimate', 10000000) as budget_estimate,
                9000 as hourly_rate__amount, 'EUR' as hourly_rate__currency, {first_load} as {LOADED_AT}
            from range(60) as projects (n);
            insert into raw.tags by name
            select format('g{{}}', n) as id, format('Tag {{}}', n) as name, {first_load} as {LOADED_AT}
            from range(25) as tags (n);
            insert into raw.tasks by name
            select format('t{{}}', n) as id, format('Task {{}}', n) as name, format('p{{}}', n % 60) as project_id,
                {first_load} as {LOADED_AT}
            from range(300) as tasks (n);
            create temp table made as
            select format('{{:024x}}', n) as id, format('u{{}}', n % 40) as user_id, format('u{{}}', n % 40) as _users_id,
                'w' as workspace_id, format('p{{}}', n % 60) as project_id, format('t{{}}', n % 300) as task_id,
                format('Work on {{}}', n % 977) as description, n % 3 > 0 as billable, 'REGULAR' as type,
                timestamptz '{last_day} 00:00:00+00' - interval 1 day * (n % 1095)
                    + interval 1 minute * (if(n % 20 = 0, 23 * 60, 6 * 60) + n % 97) as time_interval__start,
                time_interval__start + interval 1 second * (1800 + n % 7200) as time_interval__end,
                format('PT{{}}S', 1800 + n % 7200) as time_interval__duration,
                9000 as hourly_rate__amount, 'EUR' as hourly_rate__currency,
                4000 as cost_rate__amount, 'EUR' as cost_rate__currency,
                json_array(format('g{{}}', n % 25), format('g{{}}', n % 7)) as tag_ids,
                greatest({first_load}, date_trunc('hour', time_interval__end) + interval 1 hour) as {LOADED_AT}
            from range({entries}) as entries (n);
            insert into raw_history.time_entries by name
            select * replace ('Draft' as description),
                {LOADED_AT} + interval 40 day as _valid_to, if(id < format('{{:024x}}', 500), 'deleted', 'edited') as _change
            from made where hash(id) % 10 = 0;
            insert into raw.time_entries by name
            select * replace (
                if(hash(id) % 10 = 0, {LOADED_AT} + interval 40 day, {LOADED_AT}) as {LOADED_AT}
            )
            from made where not (hash(id) % 10 = 0 and id < format('{{:024x}}', 500));
            insert into {PUBLICATIONS} {PUBLISHED}
            select published_at, 'time_entries', date_trunc('month', published_at) - interval 1 month, null, 0, 0, 0, 0, null
            from (
                select {LOADED_AT} as published_at from raw.time_entries
                union select _valid_to from raw_history.time_entries
            ) as published where published_at > {first_load};
            insert into {PUBLICATIONS} {PUBLISHED}
            values ({first_load}, 'time_entries', timestamptz '2000-01-01 00:00:00+00', null, 0, 0, 0, 0, null);
            """
        )
