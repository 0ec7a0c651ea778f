with projects as (

    select * from {{ ref('dim_projects') }}

),

budgets as (

    select * from {{ ref('project_budgets') }}

),

recurring as (

    select
        projects.project_id,
        'TIME_ESTIMATE' as kind,
        projects.estimate_reset as reset,
        projects.reset_iso_weekday,
        projects.reset_day_of_month,
        projects.reset_month,
        budgets.estimate_period_start as current_period_start,
        projects.is_estimate_with_non_billable,
        projects.estimate_seconds as available_seconds,
        cast(null as bigint) as available_minor

    from projects
    inner join budgets on projects.project_id = budgets.project_id
    where projects.estimate_seconds is not null
        and budgets.estimate_period_start is not null

    union all

    select
        projects.project_id,
        'BUDGET' as kind,
        projects.budget_reset as reset,
        projects.reset_iso_weekday,
        projects.reset_day_of_month,
        projects.reset_month,
        budgets.budget_period_start as current_period_start,
        projects.is_estimate_with_non_billable,
        cast(null as bigint) as available_seconds,
        projects.budget_minor as available_minor

    from projects
    inner join budgets on projects.project_id = budgets.project_id
    where projects.budget_minor is not null
        and budgets.budget_period_start is not null

),

-- The hours before the hour of the reset belong to the day before. What was planned ahead, or began after the date that
-- counts as today, is not there yet.
days as (

    select
        entries.project_id,
        {{ resetting_date('entries.started_at at time zone entries.time_zone', 'projects.reset_hour') }} as counting_date,
        {{ whole_sum('entries.duration_seconds') }} as tracked_seconds,
        {{ whole_sum('case when entries.is_billable then entries.duration_seconds end') }} as billable_seconds,
        {{ whole_sum('case when entries.currency is not distinct from budgets.currency
                      then entries.amount_minor end') }} as amount_minor,
        {{ whole_sum('case when entries.currency is distinct from budgets.currency
                      and entries.amount_minor <> 0 then 1 end') }} as entries_in_other_currencies

    from {{ ref('fct_time_entries') }} as entries
    inner join projects on entries.project_id = projects.project_id
    inner join budgets on entries.project_id = budgets.project_id
    where entries.work_date <= {{ as_of_date() }}
        and entries.project_id in (select project_id from recurring)
    group by 1, 2

),

spread as (

    select
        recurring.project_id,
        recurring.kind,
        {{ period_start('recurring.reset', 'days.counting_date', 'recurring') }} as period_start,
        {{ next_period_start('recurring.reset', 'days.counting_date', 'recurring') }} as next_period_start,
        recurring.current_period_start,
        recurring.available_seconds,
        recurring.available_minor,
        case
            when recurring.is_estimate_with_non_billable then days.tracked_seconds
            else days.billable_seconds
        end as counted_seconds,
        days.amount_minor,
        days.entries_in_other_currencies

    from recurring
    inner join days on recurring.project_id = days.project_id

),

periods as (

    select
        project_id,
        kind,
        period_start,
        next_period_start - 1 as period_end,
        period_start = current_period_start as is_current,
        available_seconds,
        available_minor,
        case when kind = 'TIME_ESTIMATE' then {{ whole_sum('counted_seconds') }} end as used_seconds,
        case when kind = 'BUDGET' then {{ whole_sum('amount_minor') }} end as used_minor,
        kind = 'BUDGET' and {{ whole_sum('entries_in_other_currencies') }} > 0 as has_amounts_in_other_currencies

    from spread
    group by project_id, kind, period_start, next_period_start, current_period_start, available_seconds, available_minor

)

select
    periods.project_id,
    budgets.project_name,
    budgets.client_id,
    budgets.client_name,
    budgets.is_deleted,
    budgets.as_of_date,
    periods.kind,
    periods.period_start,
    periods.period_end,
    periods.is_current,
    periods.available_seconds,
    periods.used_seconds,
    case when periods.kind = 'BUDGET' then budgets.currency end as currency,
    periods.available_minor,
    periods.used_minor,
    periods.has_amounts_in_other_currencies,
    coalesce(
        {{ share('periods.used_seconds', 'periods.available_seconds') }},
        {{ share('periods.used_minor', 'periods.available_minor') }}
    ) as used_share,
    coalesce(
        periods.used_seconds > periods.available_seconds,
        periods.used_minor > periods.available_minor
    ) as is_over

from periods
inner join budgets on periods.project_id = budgets.project_id
