{%- set recent_days = var('burn_rate_days') | int -%}

-- What was planned ahead, or began after the date that counts as today, is not there yet.
with entries as (

    select * from {{ ref('fct_time_entries') }}
    where project_id is not null
        and work_date <= {{ as_of_date() }}

),

-- What the entries say of their project: a currency, rather one that something is billed in, and its first day.
begun as (

    select
        project_id,
        coalesce(min(case when amount_minor <> 0 then currency end), min(currency)) as currency,
        {{ as_of_date() }} + 1 - greatest(min(work_date), {{ as_of_date() }} + 1 - {{ recent_days }}) as burn_days

    from entries
    group by project_id

),

projects as (

    select
        projects.*,
        coalesce(projects.hourly_rate_currency, projects.client_currency, begun.currency) as currency,
        coalesce(begun.burn_days, 0) as burn_days,
        {{ period_start('projects.estimate_reset', as_of_date(), 'projects') }} as estimate_period_start,
        {{ next_period_start('projects.estimate_reset', as_of_date(), 'projects') }} as next_estimate_period_start,
        {{ period_start('projects.budget_reset', as_of_date(), 'projects') }} as budget_period_start,
        {{ next_period_start('projects.budget_reset', as_of_date(), 'projects') }} as next_budget_period_start

    from {{ ref('dim_projects') }} as projects
    left join begun on projects.project_id = begun.project_id

),

days as (

    select
        projects.project_id,
        entries.work_date,
        projects.estimate_seconds,
        projects.budget_minor,
        entries.work_date > {{ as_of_date() }} - {{ recent_days }} as is_recent,
        {{ is_in_period('entries.work_date', 'entries.started_at at time zone entries.time_zone', 'projects.estimate_period_start', 'projects.reset_hour') }}
            as is_in_estimate_period,
        {{ is_in_period('entries.work_date', 'entries.started_at at time zone entries.time_zone', 'projects.budget_period_start', 'projects.reset_hour') }}
            as is_in_budget_period,
        {{ whole_sum('entries.duration_seconds') }} as tracked_seconds,
        {{ whole_sum('case when entries.is_billable then entries.duration_seconds end') }} as billable_seconds,
        {{ whole_sum('case when entries.is_billable or projects.is_estimate_with_non_billable
                      then entries.duration_seconds end') }} as counted_seconds,
        {{ whole_sum('case when entries.currency is not distinct from projects.currency
                      then entries.amount_minor end') }} as amount_minor,
        {{ whole_sum('case when entries.currency is distinct from projects.currency
                      and entries.amount_minor <> 0 then 1 end') }} as entries_in_other_currencies

    from entries
    inner join projects on entries.project_id = projects.project_id
    group by 1, 2, 3, 4, 5, 6, 7

),

running as (

    select
        *,
        case when is_in_estimate_period then counted_seconds else 0 end as estimate_used_seconds,
        case when is_in_budget_period then amount_minor else 0 end as budget_used_minor,
        sum(case when is_in_estimate_period then counted_seconds else 0 end)
            over (partition by project_id order by work_date) as running_seconds,
        sum(case when is_in_budget_period then amount_minor else 0 end)
            over (partition by project_id order by work_date) as running_minor

    from days

),

used as (

    select
        project_id,
        {{ whole_sum('tracked_seconds') }} as tracked_seconds,
        {{ whole_sum('billable_seconds') }} as billable_seconds,
        {{ whole_sum('amount_minor') }} as amount_minor,
        {{ whole_sum('estimate_used_seconds') }} as estimate_used_seconds,
        {{ whole_sum('budget_used_minor') }} as budget_used_minor,
        {{ whole_sum('case when is_recent then counted_seconds end') }} as recent_seconds,
        {{ whole_sum('case when is_recent then amount_minor end') }} as recent_minor,
        {{ whole_sum('entries_in_other_currencies') }} as entries_in_other_currencies,
        min(case when running_seconds >= estimate_seconds then work_date end) as estimate_exhausted_on,
        min(case when running_minor >= budget_minor then work_date end) as budget_exhausted_on

    from running
    group by project_id

),

compared as (

    select
        projects.*,
        case when used.project_id is null then 0 else used.tracked_seconds end as tracked_seconds,
        case when used.project_id is null then 0 else used.billable_seconds end as billable_seconds,
        case when used.project_id is null then 0 else used.amount_minor end as amount_minor,
        coalesce(used.entries_in_other_currencies, 0) > 0 as has_amounts_in_other_currencies,
        case when used.project_id is null then 0 else used.recent_seconds end as recent_seconds,
        case when used.project_id is null then 0 else used.recent_minor end as recent_minor,
        case when projects.estimate_seconds is not null
            then case when used.project_id is null then 0 else used.estimate_used_seconds end end as estimate_used_seconds,
        case when projects.budget_minor is not null
            then case when used.project_id is null then 0 else used.budget_used_minor end end as budget_used_minor,
        used.estimate_exhausted_on,
        used.budget_exhausted_on

    from projects
    left join used on projects.project_id = used.project_id

),

projected as (

    select
        *,
        {{ currency_exponent('currency') }} as currency_exponent,
        {{ whole_difference('budget_minor', 'budget_used_minor') }} as budget_remaining_minor,
        case when burn_days = 0 then 0 else {{ whole_quotient(wide_integer('recent_minor') ~ ' * 7', 'burn_days') }} end as burn_minor_per_week,
        coalesce(estimate_exhausted_on, {{ projected_date(
            whole_difference('estimate_seconds', 'estimate_used_seconds'), 'recent_seconds', 'burn_days', 'next_estimate_period_start'
        ) }}) as estimate_exhaustion_date,
        coalesce(budget_exhausted_on, {{ projected_date(
            whole_difference('budget_minor', 'budget_used_minor'), 'recent_minor', 'burn_days', 'next_budget_period_start'
        ) }}) as budget_exhaustion_date

    from compared

)

select
    project_id,
    project_name,
    client_id,
    client_name,
    is_archived,
    is_deleted,
    {{ as_of_date() }} as as_of_date,
    currency,
    currency_exponent,
    tracked_seconds,
    billable_seconds,
    amount_minor,
    {{ major_units('amount_minor', 'currency_exponent') }} as amount,
    has_amounts_in_other_currencies,

    estimate_seconds,
    estimate_period_start,
    estimate_used_seconds,
    {{ whole_difference('estimate_seconds', 'estimate_used_seconds') }} as estimate_remaining_seconds,
    {{ share('estimate_used_seconds', 'estimate_seconds') }} as estimate_used_share,

    budget_minor,
    {{ major_units('budget_minor', 'currency_exponent') }} as budget,
    budget_period_start,
    budget_used_minor,
    {{ major_units('budget_used_minor', 'currency_exponent') }} as budget_used,
    budget_remaining_minor,
    {{ major_units('budget_remaining_minor', 'currency_exponent') }} as budget_remaining,
    {{ share('budget_used_minor', 'budget_minor') }} as budget_used_share,
    budget_minor is not null and is_budget_with_expenses as has_expenses_not_counted,

    cast(burn_days as integer) as burn_days,
    case when burn_days = 0 then 0 else {{ whole_quotient(wide_integer('recent_seconds') ~ ' * 7', 'burn_days') }} end as burn_seconds_per_week,
    burn_minor_per_week,
    {{ major_units('burn_minor_per_week', 'currency_exponent') }} as burn_per_week,
    estimate_exhaustion_date,
    budget_exhaustion_date,
    least(estimate_exhaustion_date, budget_exhaustion_date) as projected_exhaustion_date

from projected
