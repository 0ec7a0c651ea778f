with projects as (

    select * from {{ ref('stg_projects') }}

),

clients as (

    select * from {{ ref('dim_clients') }}

)

select
    projects.project_id,
    projects.project_name,
    projects.workspace_id,
    projects.client_id,
    coalesce(clients.client_name, projects.client_name) as client_name,
    clients.currency as client_currency,
    projects.note,
    projects.color,
    projects.is_billable,
    projects.is_archived,
    projects.is_template,
    projects.is_public,
    projects.hourly_rate_minor,
    projects.hourly_rate_currency,
    projects.cost_rate_minor,
    projects.cost_rate_currency,

    -- The older field counts where the newer one is empty or switched off.
    coalesce(
        case when coalesce(projects.is_time_estimate_active, true) then nullif(projects.time_estimate_seconds, 0) end,
        nullif(projects.estimate_seconds, 0)
    ) as estimate_seconds,
    projects.time_estimate_reset as estimate_reset,
    coalesce(projects.is_time_estimate_with_non_billable, true) as is_estimate_with_non_billable,
    case when coalesce(projects.is_budget_active, true) then nullif(projects.budget_minor, 0) end as budget_minor,
    projects.budget_reset,
    coalesce(projects.is_budget_with_expenses, false) as is_budget_with_expenses,
    projects.reset_iso_weekday,
    projects.reset_day_of_month,
    projects.reset_month,
    projects.reset_hour,

    projects.is_deleted,
    projects.deleted_at,
    projects.loaded_at

from projects
left join clients on projects.client_id = clients.client_id
