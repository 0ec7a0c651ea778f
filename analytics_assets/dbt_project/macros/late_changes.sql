{#- Named parts of a query, after `users` and before what is selected: the last of them, `known_changes`, has the late changes of
    time entries. A change is an entry that was added, edited or deleted after its month had closed; what the first reading of a
    time or of a member's list brought is none. A version is named by its entry and when it was loaded: what it says is fetched by
    the caller, for the few that are part of a late change. -#}
{% macro late_changes_known() -%}
-- What was read when: every sync of time entries reads those that start in a window, which may be open to the future. It
-- names the members whose lists it has not read, unless an earlier version made it, or the only ones whose lists it has read.
readings as (

    select
        published_at,
        lists_not_read,
        lists_read,
        coalesce(read_began_at, published_at) as read_at,
        window_start,
        coalesce(window_end, timestamp with time zone '9999-12-31 00:00:00+00') as window_end

    from {{ source('raw', '_publications') }}
    where resource = 'time_entries'
        and voided_at is null

),

of_members as (

    select
        entries.time_entry_id,
        entries.list_user_id,
        entries.loaded_at,
        entries.superseded_at,
        entries.superseded_by,
        entries.started_at,
        {{ counting_time_zone('users') }} as time_zone,
        row_number() over (
            partition by entries.time_entry_id order by entries.loaded_at, entries.superseded_at
        ) as version_number

    from {{ ref('stg_time_entry_versions') }} as entries
    left join users on entries.user_id = users.user_id

),

{{ versions_with_months('of_members') }},

-- Since when a member's list is known to have been read: its first row says so where no sync does.
lists as (

    select
        list_user_id,
        min(loaded_at) as first_read_at

    from versions
    group by list_user_id

),

changes as (

    -- A version that took the place of another, or appeared where there was none (any more).
    select
        after_version.time_entry_id,
        after_version.list_user_id,
        after_version.loaded_at as first_seen_at,
        case when before_version.time_entry_id is null then 'added' else 'edited' end as change_type,
        before_version.time_entry_id is null and after_version.version_number > 1 as is_return,
        before_version.loaded_at as before_loaded_at,
        before_version.started_at as before_started_at,
        before_version.entry_month as before_entry_month,
        before_version.time_zone as before_time_zone,
        before_version.month_closes_at as before_month_closes_at,
        after_version.loaded_at as after_loaded_at,
        after_version.started_at as after_started_at,
        after_version.entry_month as after_entry_month,
        after_version.time_zone as after_time_zone,
        after_version.month_closes_at as after_month_closes_at

    from versions as after_version
    left join versions as before_version
        on after_version.time_entry_id = before_version.time_entry_id
        and after_version.version_number = before_version.version_number + 1
        and before_version.superseded_by = 'edited'
    -- What the very first reading brought, most of a history, is no late addition: nobody had looked before.
    where after_version.version_number > 1
        or after_version.loaded_at > (select min(published_at) from readings)

    union all

    -- A version that left without a successor.
    select
        time_entry_id,
        list_user_id,
        superseded_at,
        'deleted',
        false,
        loaded_at,
        started_at,
        entry_month,
        time_zone,
        month_closes_at,
        null,
        null,
        null,
        null,
        null

    from versions
    where superseded_by = 'deleted'

),

late_changes as (

    select
        *,
        {%- for column in ['entry_month', 'started_at', 'time_zone', 'month_closes_at'] %}
        case when first_seen_at >= before_month_closes_at then before_{{ column }} else after_{{ column }} end
            as {{ column }}{{ "," if not loop.last }}
        {%- endfor %}

    from changes
    where first_seen_at >= before_month_closes_at
        or first_seen_at >= after_month_closes_at

),

-- The lists that some sync has not read, or read alone, have their own last reading; all others share one.
lists_left_out as (

    select unnest(lists_not_read) as list_user_id from readings
    union
    select unnest(lists_read) from readings

),

-- There are few windows, so that every change is compared with each of them and with no reading by itself.
windows as (

    select distinct
        window_start,
        window_end

    from readings

),

changes_in_windows as (

    select
        late_changes.time_entry_id,
        late_changes.first_seen_at,
        coalesce(lists_left_out.list_user_id, '') as list_left_out,
        windows.window_start,
        windows.window_end

    from late_changes
    inner join windows
        on late_changes.started_at >= windows.window_start
        and late_changes.started_at < windows.window_end
    left join lists_left_out on late_changes.list_user_id = lists_left_out.list_user_id

),

readings_of_lists as (

    select
        lists_of_changes.list_left_out,
        readings.*,
        case when readings.lists_not_read is not null then readings.published_at end as exactly_known_at

    from readings
    inner join (select distinct list_left_out from changes_in_windows) as lists_of_changes
        on not coalesce(list_contains(readings.lists_not_read, lists_of_changes.list_left_out), false)
        and coalesce(list_contains(readings.lists_read, lists_of_changes.list_left_out), true)

),

-- The last reading of each window before each time at which changes in it were seen.
last_readings as (

    select
        happened_at as first_seen_at,
        list_left_out,
        window_start,
        window_end,
        read_at,
        published_at,
        exactly_known_at

    from (
        select
            is_reading,
            happened_at,
            list_left_out,
            window_start,
            window_end,
            max(read_at) over earlier_ones as read_at,
            max(published_at) over earlier_ones as published_at,
            max(exactly_known_at) over earlier_ones as exactly_known_at

        from (
            select
                1 as is_reading,
                published_at as happened_at,
                list_left_out,
                window_start,
                window_end,
                read_at,
                published_at,
                exactly_known_at

            from readings_of_lists
            union all
            select distinct 0, first_seen_at, list_left_out, window_start, window_end, null, null, null
            from changes_in_windows
        ) as readings_and_sightings
        window earlier_ones as (
            partition by list_left_out, window_start, window_end
            order by happened_at, is_reading
            rows between unbounded preceding and current row
        )
    ) as running
    where is_reading = 0
        and published_at is not null

),

-- The last reading before the change was seen that would have met the entry.
previous_readings as (

    select
        changed.time_entry_id,
        changed.first_seen_at,
        max(last_readings.read_at) as read_at,
        max(last_readings.published_at) as published_at,
        max(last_readings.exactly_known_at) as exactly_known_at

    from changes_in_windows as changed
    inner join last_readings
        on changed.first_seen_at = last_readings.first_seen_at
        and changed.list_left_out = last_readings.list_left_out
        and changed.window_start = last_readings.window_start
        and changed.window_end = last_readings.window_end
    group by changed.time_entry_id, changed.first_seen_at

),

-- What the first reading of a time or of a member's list brings was not added late: nobody had looked before. Where the
-- sync before does not say which lists it has read, a list that had no row by then may have been empty or refused: what
-- was worked before the member was first listed counts as not read; what was worked after that is shown, and never certain.
late_changes_with_readings as (

    select
        late_changes.*,
        users.first_listed_at,
        previous_readings.read_at as previously_read_at,
        previous_readings.published_at as previously_published_at,
        late_changes.change_type <> 'added'
            or late_changes.is_return
            or coalesce(lists.first_read_at <= previous_readings.published_at, false)
            or coalesce(
                previous_readings.exactly_known_at = previous_readings.published_at
                and users.first_listed_at <= previous_readings.published_at,
                false
            ) as is_list_known

    from late_changes
    left join previous_readings
        on late_changes.time_entry_id = previous_readings.time_entry_id
        and late_changes.first_seen_at = previous_readings.first_seen_at
    left join lists on late_changes.list_user_id is not distinct from lists.list_user_id
    left join users on late_changes.list_user_id = users.user_id

),

known_changes as (

    select * from late_changes_with_readings
    where change_type <> 'added'
        or is_return
        or (
            previously_read_at >= started_at
            and (is_list_known or (first_listed_at <= previously_published_at and first_listed_at <= started_at))
        )

)
{%- endmacro %}
