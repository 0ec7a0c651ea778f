with tasks as (

    select * from {{ ref('stg_tasks') }}

)

select
    task_id,
    task_name,
    project_id,
    status,
    is_done,
    is_billable,
    assignee_count,
    hourly_rate_minor,
    hourly_rate_currency,
    {{ major_units('hourly_rate_minor', currency_exponent('hourly_rate_currency')) }} as hourly_rate,
    cost_rate_minor,
    cost_rate_currency,
    {{ major_units('cost_rate_minor', currency_exponent('cost_rate_currency')) }} as cost_rate,
    nullif(estimate_seconds, 0) as estimate_seconds,
    nullif(budget_minor, 0) as budget_minor,
    is_deleted,
    deleted_at,
    loaded_at

from tasks
