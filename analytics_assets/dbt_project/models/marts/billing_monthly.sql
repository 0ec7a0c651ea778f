with entries as (

    select * from {{ ref('fct_time_entries') }}

),

projects as (

    select * from {{ ref('dim_projects') }}

),

-- Time and amount count under the currency of the amount, cost under its own: two currencies are never added up. Both
-- rows of an entry whose cost is in another currency say so.
amounts as (

    select
        client_id,
        project_id,
        {{ month_start('work_date') }} as billing_month,
        currency,
        duration_seconds as tracked_seconds,
        case when is_billable then duration_seconds else 0 end as billable_seconds,
        amount_minor,
        case when cost_currency is not distinct from currency then cost_minor else 0 end as cost_minor,
        case when cost_currency is distinct from currency and cost_minor <> 0 then 1 else 0 end
            as has_cost_in_other_currency
    from entries

),

costs_in_another_currency as (

    select
        client_id,
        project_id,
        {{ month_start('work_date') }} as billing_month,
        cost_currency as currency,
        0 as tracked_seconds,
        0 as billable_seconds,
        0 as amount_minor,
        cost_minor,
        1 as has_cost_in_other_currency
    from entries
    where cost_currency is distinct from currency
        and cost_minor <> 0

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

    from (
        select * from amounts
        union all
        select * from costs_in_another_currency
    ) as entries_and_costs
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
