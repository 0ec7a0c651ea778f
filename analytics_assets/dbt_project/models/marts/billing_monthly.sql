with projects as (

    select * from {{ ref('dim_projects') }}

),

amounts_and_costs as (

    {{ amounts_and_costs(ref('fct_time_entries'), ['client_id', 'project_id', month_start('work_date') ~ ' as billing_month']) }}

),

summed as (

    select
        client_id,
        project_id,
        billing_month,
        currency,
        {{ whole_sum('tracked_seconds') }} as tracked_seconds,
        {{ whole_sum('billable_seconds') }} as billable_seconds,
        {{ whole_sum('amount_minor') }} as amount_minor,
        {{ whole_sum('cost_minor') }} as cost_minor,
        max(has_cost_in_other_currency) = 1 as has_cost_in_other_currency

    from amounts_and_costs
    group by client_id, project_id, billing_month, currency

),

with_margins as (

    select
        *,
        case when not has_cost_in_other_currency
            then {{ whole_difference('amount_minor', 'cost_minor') }} end as margin_minor,
        {{ currency_exponent('currency') }} as currency_exponent

    from summed

)

select
    summed.client_id,
    projects.client_name,
    summed.project_id,
    projects.project_name,
    summed.billing_month,
    summed.currency,
    summed.currency_exponent,
    summed.tracked_seconds,
    {{ hours('summed.tracked_seconds') }} as tracked_hours,
    summed.billable_seconds,
    {{ hours('summed.billable_seconds') }} as billable_hours,
    summed.amount_minor,
    {{ major_units('summed.amount_minor', 'summed.currency_exponent') }} as amount,
    summed.cost_minor,
    {{ major_units('summed.cost_minor', 'summed.currency_exponent') }} as cost,
    summed.margin_minor,
    {{ major_units('summed.margin_minor', 'summed.currency_exponent') }} as margin,
    summed.has_cost_in_other_currency

from with_margins as summed
left join projects on summed.project_id = projects.project_id
