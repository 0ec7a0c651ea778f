with weeks as (

    select * from {{ ref('utilization_weekly') }}

),

members as (

    select * from {{ ref('user_group_members') }}

),

-- Most days of a week lie where its fourth day does, whichever weekday it begins on.
summed as (

    select
        members.user_group_id,
        members.user_group_name,
        members.is_user_group_deleted,
        {{ week_start('weeks.week_start_date + 3', iso_weekday('null')) }} as week_start_date,
        min(case when weeks.is_complete then 1 else 0 end) = 1 as is_complete,
        count(*) as member_count,
        {{ whole_sum('weeks.tracked_seconds') }} as tracked_seconds,
        {{ whole_sum('weeks.work_seconds') }} as work_seconds,
        {{ whole_sum('weeks.break_seconds') }} as break_seconds,
        {{ whole_sum('weeks.time_off_seconds') }} as time_off_seconds,
        {{ whole_sum('weeks.billable_seconds') }} as billable_seconds,
        {{ whole_sum('weeks.capacity_seconds') }} as capacity_seconds,
        {{ whole_sum('weeks.available_seconds') }} as available_seconds

    from weeks
    inner join members on weeks.user_id = members.user_id
    group by 1, 2, 3, 4

)

select
    user_group_id,
    user_group_name,
    is_user_group_deleted,
    week_start_date,
    is_complete,
    member_count,
    tracked_seconds,
    work_seconds,
    break_seconds,
    time_off_seconds,
    billable_seconds,
    capacity_seconds,
    {{ share('work_seconds', 'capacity_seconds') }} as capacity_share,
    {{ share('billable_seconds', 'capacity_seconds') }} as billable_capacity_share,
    available_seconds,
    {{ share('work_seconds', 'available_seconds') }} as available_share

from summed
