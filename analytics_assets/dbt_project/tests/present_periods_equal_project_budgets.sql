{{ config(meta={'dagster': {'ref': {'name': 'project_budget_periods'}}}) }}

{#- The present period of an estimate or a budget has the values that project_budgets shows of it; it may be missing only
    where nothing was used in it. -#}

with budgets as (

    select
        project_id,
        'TIME_ESTIMATE' as kind,
        estimate_period_start as period_start,
        estimate_seconds as available,
        estimate_used_seconds as used,
        estimate_used_share as used_share

    from {{ ref('project_budgets') }}
    where estimate_period_start is not null
        and estimate_seconds is not null

    union all

    select
        project_id,
        'BUDGET',
        budget_period_start,
        budget_minor,
        budget_used_minor,
        budget_used_share

    from {{ ref('project_budgets') }}
    where budget_period_start is not null
        and budget_minor is not null

),

periods as (

    select
        project_id,
        kind,
        period_start,
        coalesce(available_seconds, available_minor) as available,
        coalesce(used_seconds, used_minor) as used,
        used_share

    from {{ ref('project_budget_periods') }}
    where is_current

)

select
    coalesce(budgets.project_id, periods.project_id) as project_id,
    coalesce(budgets.kind, periods.kind) as kind,
    budgets.used as used_in_project_budgets,
    periods.used as used_in_present_period

from budgets
full outer join periods
    on budgets.project_id = periods.project_id
    and budgets.kind = periods.kind
where (periods.project_id is null and budgets.used <> 0)
    or (
        periods.project_id is not null
        and (
            budgets.period_start is distinct from periods.period_start
            or budgets.available is distinct from periods.available
            or budgets.used is distinct from periods.used
            or budgets.used_share is distinct from periods.used_share
        )
    )
