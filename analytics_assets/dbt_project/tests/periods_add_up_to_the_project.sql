{{ config(meta={'dagster': {'ref': {'name': 'project_budget_periods'}}}) }}

{#- Every entry up to today lies in one period, so that the periods add up to what the project has in all. -#}

with periods as (

    select
        project_id,
        kind,
        sum(coalesce(used_seconds, used_minor)) as used

    from {{ ref('project_budget_periods') }}
    group by project_id, kind

)

select
    periods.project_id,
    periods.kind,
    periods.used

from periods
inner join {{ ref('project_budgets') }} as budgets on periods.project_id = budgets.project_id
inner join {{ ref('dim_projects') }} as projects on periods.project_id = projects.project_id
where periods.used is distinct from case
    when periods.kind = 'BUDGET' then budgets.amount_minor
    when projects.is_estimate_with_non_billable then budgets.tracked_seconds
    else budgets.billable_seconds
end
