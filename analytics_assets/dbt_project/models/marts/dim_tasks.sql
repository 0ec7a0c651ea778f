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
    cost_rate_minor,
    cost_rate_currency,
    estimate_seconds,
    budget_minor,
    is_deleted,
    deleted_at,
    loaded_at

from tasks
