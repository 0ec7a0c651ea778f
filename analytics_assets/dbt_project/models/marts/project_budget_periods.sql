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

),

named as (

    select
        periods.*,
        budgets.project_name,
        budgets.client_id,
        budgets.client_name,
        budgets.is_deleted,
        budgets.as_of_date,
        case when periods.kind = 'BUDGET' then budgets.currency end as currency

    from periods
    inner join budgets on periods.project_id = budgets.project_id

),

with_exponents as (

    select
        *,
        {{ currency_exponent('currency') }} as currency_exponent

    from named

)

select
    project_id,
    project_name,
    client_id,
    client_name,
    is_deleted,
    as_of_date,
    kind,
    period_start,
    period_end,
    is_current,
    available_seconds,
    used_seconds,
    currency,
    currency_exponent,
    available_minor,
    {{ major_units('available_minor', 'currency_exponent') }} as available,
    used_minor,
    {{ major_units('used_minor', 'currency_exponent') }} as used,
    has_amounts_in_other_currencies,
    coalesce(
        {{ share('used_seconds', 'available_seconds') }},
        {{ share('used_minor', 'available_minor') }}
    ) as used_share,
    coalesce(used_seconds > available_seconds, used_minor > available_minor) as is_over

from with_exponents
