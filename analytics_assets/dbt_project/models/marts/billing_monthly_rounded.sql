with entries as (

    select * from {{ ref('fct_time_entries') }}

),

projects as (

    select * from {{ ref('dim_projects') }}

),

rules as (

    select * from {{ ref('stg_rounding_rules') }}

),

billed as (

    select
        entries.client_id,
        entries.project_id,
        {{ month_start('entries.work_date') }} as billing_month,
        entries.currency,
        coalesce(of_client.rounding_minutes, of_others.rounding_minutes) as rounding_minutes,
        coalesce(of_client.rounding_direction, of_others.rounding_direction) as rounding_direction,
        entries.hourly_rate_minor,
        entries.duration_seconds,
        entries.amount_minor

    from entries
    left join rules as of_client on entries.client_id = of_client.client_id
    left join rules as of_others on of_others.is_for_all_others
    where entries.is_billable

),

timed as (

    select
        *,
        {{ rounded_seconds('duration_seconds', '(60 * rounding_minutes)', 'rounding_direction') }} as rounded_seconds

    from billed

),

priced as (

    select
        *,
        case
            when rounding_minutes is null then amount_minor
            when hourly_rate_minor is null then 0
            else {{ plausible_number(minor_units('hourly_rate_minor', 'rounded_seconds'), largest_minor()) }}
        end as rounded_amount_minor

    from timed

),

summed as (

    select
        client_id,
        project_id,
        billing_month,
        currency,
        {{ currency_exponent('currency') }} as currency_exponent,
        rounding_minutes,
        rounding_direction,
        count(*) as entry_count,
        {{ whole_sum('duration_seconds') }} as billable_seconds,
        {{ whole_sum('rounded_seconds') }} as rounded_seconds,
        {{ whole_sum('amount_minor') }} as amount_minor,
        {{ whole_sum('rounded_amount_minor') }} as rounded_amount_minor

    from priced
    group by client_id, project_id, billing_month, currency, rounding_minutes, rounding_direction

)

select
    summed.client_id,
    projects.client_name,
    summed.project_id,
    projects.project_name,
    summed.billing_month,
    summed.currency,
    summed.currency_exponent,
    summed.rounding_minutes,
    summed.rounding_direction,
    summed.entry_count,
    summed.billable_seconds,
    {{ hours('summed.billable_seconds') }} as billable_hours,
    summed.rounded_seconds,
    {{ hours('summed.rounded_seconds') }} as rounded_hours,
    summed.amount_minor,
    {{ major_units('summed.amount_minor', 'summed.currency_exponent') }} as amount,
    summed.rounded_amount_minor,
    {{ major_units('summed.rounded_amount_minor', 'summed.currency_exponent') }} as rounded_amount

from summed
left join projects on summed.project_id = projects.project_id
