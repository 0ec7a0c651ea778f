with tasks as (

    select * from {{ ref('dim_tasks') }}

),

projects as (

    select * from {{ ref('dim_projects') }}

),

budgets as (

    select * from {{ ref('project_budgets') }}

),

-- What was planned ahead, or began after the date that counts as today, is not there yet.
entries as (

    select
        tasks.task_id,
        tasks.project_id is not distinct from entries.project_id as is_in_project,
        entries.duration_seconds,
        entries.is_billable,
        entries.amount_minor,
        entries.currency

    from {{ ref('fct_time_entries') }} as entries
    inner join tasks on entries.task_id = tasks.task_id
    where entries.work_date <= {{ as_of_date() }}

),

begun as (

    select
        task_id,
        coalesce(min(case when amount_minor <> 0 then currency end), min(currency)) as currency

    from entries
    where is_in_project
    group by task_id

),

-- The currency is the one of the project, so that amounts of its tasks can be added up and compared with its own.
named as (

    select
        tasks.task_id,
        tasks.task_name,
        tasks.project_id,
        projects.project_name,
        projects.client_id,
        projects.client_name,
        tasks.status,
        tasks.is_done,
        tasks.is_deleted,
        coalesce(budgets.currency, tasks.hourly_rate_currency, begun.currency) as currency,
        coalesce(projects.is_estimate_with_non_billable, true) as is_estimate_with_non_billable,
        tasks.estimate_seconds,
        tasks.budget_minor

    from tasks
    left join projects on tasks.project_id = projects.project_id
    left join budgets on tasks.project_id = budgets.project_id
    left join begun on tasks.task_id = begun.task_id

),

used as (

    select
        named.task_id,
        {{ whole_sum('case when entries.is_in_project then entries.duration_seconds end') }} as tracked_seconds,
        {{ whole_sum('case when entries.is_in_project and entries.is_billable
                      then entries.duration_seconds end') }} as billable_seconds,
        {{ whole_sum('case when entries.is_in_project
                      and (entries.is_billable or named.is_estimate_with_non_billable)
                      then entries.duration_seconds end') }} as counted_seconds,
        {{ whole_sum('case when entries.is_in_project and entries.currency is not distinct from named.currency
                      then entries.amount_minor end') }} as amount_minor,
        {{ whole_sum('case when entries.is_in_project and entries.currency is distinct from named.currency
                      and entries.amount_minor <> 0 then 1 end') }} as entries_in_other_currencies,
        {{ whole_sum('case when not entries.is_in_project then entries.duration_seconds end') }}
            as other_projects_seconds

    from named
    left join entries on named.task_id = entries.task_id
    group by named.task_id

),

compared as (

    select
        named.*,
        used.tracked_seconds,
        used.billable_seconds,
        used.amount_minor,
        used.entries_in_other_currencies > 0 as has_amounts_in_other_currencies,
        used.other_projects_seconds,
        case when named.estimate_seconds is not null then used.counted_seconds end as estimate_used_seconds,
        case when named.budget_minor is not null then used.amount_minor end as budget_used_minor,
        {{ currency_exponent('named.currency') }} as currency_exponent

    from named
    inner join used on named.task_id = used.task_id

),

remaining as (

    select
        *,
        {{ whole_difference('budget_minor', 'budget_used_minor') }} as budget_remaining_minor

    from compared

)

select
    task_id,
    task_name,
    project_id,
    project_name,
    client_id,
    client_name,
    status,
    is_done,
    is_deleted,
    {{ as_of_date() }} as as_of_date,
    currency,
    currency_exponent,
    tracked_seconds,
    billable_seconds,
    amount_minor,
    {{ major_units('amount_minor', 'currency_exponent') }} as amount,
    has_amounts_in_other_currencies,
    other_projects_seconds,

    estimate_seconds,
    estimate_used_seconds,
    {{ whole_difference('estimate_seconds', 'estimate_used_seconds') }} as estimate_remaining_seconds,
    {{ share('estimate_used_seconds', 'estimate_seconds') }} as estimate_used_share,
    coalesce(estimate_used_seconds > estimate_seconds, false) as is_over_estimate,

    budget_minor,
    {{ major_units('budget_minor', 'currency_exponent') }} as budget,
    budget_used_minor,
    {{ major_units('budget_used_minor', 'currency_exponent') }} as budget_used,
    budget_remaining_minor,
    {{ major_units('budget_remaining_minor', 'currency_exponent') }} as budget_remaining,
    {{ share('budget_used_minor', 'budget_minor') }} as budget_used_share,
    coalesce(budget_used_minor > budget_minor, false) as is_over_budget

from remaining
