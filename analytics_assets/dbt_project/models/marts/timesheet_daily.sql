with entries as (

    select * from {{ ref('fct_time_entries') }}

),

users as (

    select * from {{ ref('dim_users') }}

),

projects as (

    select * from {{ ref('dim_projects') }}

),

localized as (

    select
        entries.user_id,
        entries.project_id,
        entries.is_work,
        entries.is_break,
        entries.is_time_off,
        entries.is_billable,
        entries.duration_seconds,
        entries.started_at,
        -- Running timers and entries that end before they start count no time: they stand on the day of their start, and
        -- so does all the time of an entry that is too long to be true. One that ends in the year 9999 has 2.9 million days.
        entries.duration_seconds between 1 and {{ longest_entry_days() }} * 86400 as is_spread,
        case
            when entries.duration_seconds between 1 and {{ longest_entry_days() }} * 86400 then entries.ended_at
            else entries.started_at
        end as ended_at,
        entries.time_zone

    from entries

),

-- A local date is at most a day away from the UTC date.
candidates as (

    select
        *,
        {{ utc_date('started_at') }} - 1 as first_date,
        {{ utc_date('ended_at') }} + 1 as last_date

    from localized

),

dated as (

    select
        candidates.*,
        cast(series.day as date) as candidate_date

    from candidates
    cross join {{ date_series('candidates.first_date', 'candidates.last_date') }} as series (day)

),

-- Of the entries only what their days follow from, because they are many more than the days.
distinct_spans as (

    select distinct
        time_zone,
        first_date,
        last_date

    from candidates

),

distinct_days as (

    select distinct
        distinct_spans.time_zone,
        cast(series.day as date) as candidate_date,
        {{ utc_moment('cast(series.day as timestamp)') }} as utc_midnight

    from distinct_spans
    cross join {{ date_series('distinct_spans.first_date', 'distinct_spans.last_date') }} as series (day)

),

offsets as (

    {{ zone_offsets('distinct_days', 'utc_midnight', 'time_zone') }}

),

-- When each day begins and ends, once per time zone: converting each entry by itself takes ten times as long.
days as (

    select
        distinct_days.time_zone,
        distinct_days.candidate_date as work_date,
        {{ local_day_start_by('offsets', 'distinct_days.candidate_date', 'distinct_days.time_zone') }} as day_started_at,
        {{ local_day_start_by('offsets', '(distinct_days.candidate_date + 1)', 'distinct_days.time_zone') }} as day_ended_at

    from distinct_days
    {{ join_offsets('offsets', 'distinct_days.utc_midnight', 'distinct_days.time_zone') }}

),

parts as (

    select
        dated.*,
        days.work_date,
        case
            when dated.is_spread then {{ seconds_between(
                'greatest(dated.started_at, days.day_started_at)', 'least(dated.ended_at, days.day_ended_at)'
            ) }}
            else dated.duration_seconds
        end as seconds

    from dated
    inner join days
        on dated.time_zone = days.time_zone
        and dated.candidate_date = days.work_date
    -- Samoa had no 30 December 2011: that day began when it ended.
    where days.day_started_at < days.day_ended_at
        and dated.started_at < days.day_ended_at
        -- An entry that ends at midnight, or in the second that begins there, has no part on the day that begins there.
        and (
            {{ seconds_between('days.day_started_at', 'dated.ended_at') }} > 0
            or (not dated.is_spread and dated.started_at >= days.day_started_at)
        )

),

summed as (

    select
        user_id,
        project_id,
        work_date,
        time_zone,
        {{ whole_sum('seconds') }} as tracked_seconds,
        {{ whole_sum('case when is_work then seconds end') }} as work_seconds,
        {{ whole_sum('case when is_break then seconds end') }} as break_seconds,
        {{ whole_sum('case when is_time_off then seconds end') }} as time_off_seconds,
        {{ whole_sum('case when is_billable then seconds end') }} as billable_seconds,
        {{ whole_sum('case when is_billable and is_work then seconds end') }} as billable_work_seconds,
        count(*) as entry_count

    from parts
    group by user_id, project_id, work_date, time_zone

)

select
    summed.user_id,
    users.user_name,
    summed.project_id,
    projects.project_name,
    projects.client_id,
    projects.client_name,
    summed.work_date,
    summed.time_zone,
    summed.tracked_seconds,
    summed.work_seconds,
    summed.break_seconds,
    summed.time_off_seconds,
    summed.billable_seconds,
    summed.billable_work_seconds,
    summed.entry_count

from summed
left join users on summed.user_id = users.user_id
left join projects on summed.project_id = projects.project_id
