{%- set capacity_seconds = (var('weekly_capacity_hours') | float * 3600) | round | int -%}

with days as (

    select * from {{ ref('timesheet_daily') }}

),

users as (

    select * from {{ ref('dim_users') }}

),

tracked as (

    select
        days.user_id,
        {{ week_start('days.work_date', 'coalesce(users.week_start_iso_day, ' ~ iso_weekday('null') ~ ')') }}
            as week_start_date,
        {{ whole_sum('days.tracked_seconds') }} as tracked_seconds,
        {{ whole_sum('days.work_seconds') }} as work_seconds,
        {{ whole_sum('days.break_seconds') }} as break_seconds,
        {{ whole_sum('days.time_off_seconds') }} as time_off_seconds,
        {{ whole_sum('days.billable_seconds') }} as billable_seconds

    from days
    left join users on days.user_id = users.user_id
    group by 1, 2

),

-- Members who are still active also have the weeks up to now in which they tracked nothing.
periods as (

    select
        tracked.user_id,
        min(tracked.week_start_date) as first_week,
        greatest(
            max(tracked.week_start_date),
            max(case
                when not users.is_deleted and coalesce(users.status, 'ACTIVE') = 'ACTIVE'
                    then {{ week_start(as_of_date(), 'users.week_start_iso_day') }}
            end)
        ) as last_week

    from tracked
    left join users on tracked.user_id = users.user_id
    group by tracked.user_id

),

weeks as (

    select
        periods.user_id,
        cast(series.week_start as date) as week_start_date

    from periods
    cross join {{ date_series('periods.first_week', 'periods.last_week', step_days=7) }} as series (week_start)

),

-- The last line of the owner's file that has begun when the week begins.
capacities as (

    select
        weeks.user_id,
        weeks.week_start_date,
        lines.weekly_seconds,
        row_number() over (
            partition by weeks.user_id, weeks.week_start_date
            order by lines.valid_from desc nulls last, lines.weekly_seconds
        ) as recency

    from weeks
    inner join {{ ref('stg_member_capacities') }} as lines
        on weeks.user_id = lines.user_id
        and (lines.valid_from is null or lines.valid_from <= weeks.week_start_date)

),

filled as (

    select
        weeks.user_id,
        weeks.week_start_date,
        coalesce(tracked.tracked_seconds, 0) as tracked_seconds,
        coalesce(tracked.work_seconds, 0) as work_seconds,
        coalesce(tracked.break_seconds, 0) as break_seconds,
        coalesce(tracked.time_off_seconds, 0) as time_off_seconds,
        coalesce(tracked.billable_seconds, 0) as billable_seconds,
        coalesce(capacities.weekly_seconds, cast({{ capacity_seconds }} as bigint)) as capacity_seconds

    from weeks
    left join tracked
        on weeks.user_id = tracked.user_id
        and weeks.week_start_date = tracked.week_start_date
    left join capacities
        on weeks.user_id = capacities.user_id
        and weeks.week_start_date = capacities.week_start_date
        and capacities.recency = 1

),

-- Who is away can't work; time off of more hours than the week has leaves none.
available as (

    select
        *,
        greatest({{ whole_difference('capacity_seconds', 'time_off_seconds') }}, 0) as available_seconds

    from filled

)

select
    available.user_id,
    users.user_name,
    available.week_start_date,
    available.week_start_date + 7 <= {{ as_of_date() }} as is_complete,
    available.tracked_seconds,
    available.work_seconds,
    available.break_seconds,
    available.time_off_seconds,
    available.billable_seconds,
    available.capacity_seconds,
    {{ share('available.work_seconds', 'available.capacity_seconds') }} as capacity_share,
    {{ share('available.billable_seconds', 'available.capacity_seconds') }} as billable_capacity_share,
    available.available_seconds,
    {{ share('available.work_seconds', 'available.available_seconds') }} as available_share

from available
left join users on available.user_id = users.user_id
