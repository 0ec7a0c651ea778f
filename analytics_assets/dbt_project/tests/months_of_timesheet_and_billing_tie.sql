{{ config(meta={'dagster': {'ref': {'name': 'timesheet_daily'}}}) }}

{#- Per month, the timesheet holds what billing holds, but for entries that cross midnight at the month's end: those count
    whole in the month that they start in for billing, and on each day with their part in the timesheet. -#}

with entries as (

    select
        project_id,
        {{ month_start('work_date') }} as started_month,
        case
            when duration_seconds between 1 and {{ longest_entry_days() }} * 86400
                and {{ month_start('work_date + cast(duration_seconds // 86400 + 2 as integer)') }} > {{ month_start('work_date') }}
                then {{ month_start(local_date("ended_at - interval '1 microsecond'", 'time_zone')) }}
            else {{ month_start('work_date') }}
        end as ended_month,
        duration_seconds

    from {{ ref('fct_time_entries') }}
    where work_date is not null

),

months as (

    select
        project_id,
        billing_month as period,
        tracked_seconds

    from {{ ref('billing_monthly') }}
    where billing_month is not null

    union all

    select
        project_id,
        {{ month_start('work_date') }},
        -tracked_seconds

    from {{ ref('timesheet_daily') }}

),

differences as (

    select
        project_id,
        period,
        sum(tracked_seconds) as difference_seconds

    from months
    group by project_id, period
    having sum(tracked_seconds) <> 0

)

select differences.*
from differences
where not exists (
    select 1
    from entries
    where entries.started_month <> entries.ended_month
        and entries.project_id is not distinct from differences.project_id
        and differences.period between entries.started_month and entries.ended_month
)
