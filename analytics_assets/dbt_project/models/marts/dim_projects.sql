with projects as (

    select * from {{ ref('stg_projects') }}

),

clients as (

    select * from {{ ref('dim_clients') }}

),

-- What the tasks of a project add up to; those that left the API no longer count, but those that left with their project
-- do: it stays as it was last seen.
tasks as (

    select
        tasks.project_id,
        nullif({{ whole_sum('tasks.estimate_seconds') }}, 0) as estimate_seconds,
        nullif({{ whole_sum('tasks.budget_minor') }}, 0) as budget_minor

    from {{ ref('stg_tasks') }} as tasks
    inner join projects on tasks.project_id = projects.project_id
    where not tasks.is_deleted
        or tasks.deleted_at >= projects.deleted_at
    group by tasks.project_id

),

-- An estimate or budget of type AUTO is made from the tasks while it is in use. The older estimate is AUTO by default:
-- it says nothing where there is a newer one.
typed as (

    select
        *,
        coalesce(upper(case
            when coalesce(is_time_estimate_active, true) then coalesce(time_estimate_type, estimate_type)
            when time_estimate_type is null then estimate_type
        end) = 'AUTO', false) as is_estimate_from_tasks,
        coalesce(upper(budget_type) = 'AUTO' and coalesce(is_budget_active, true), false) as is_budget_from_tasks

    from projects

)

select
    typed.project_id,
    typed.project_name,
    typed.workspace_id,
    typed.client_id,
    -- The project's own word counts for a client that was never listed; without a client there is none to name.
    coalesce(clients.client_name, case when typed.client_id is not null then typed.client_name end) as client_name,
    clients.currency as client_currency,
    typed.note,
    typed.color,
    typed.is_billable,
    typed.is_archived,
    typed.is_template,
    typed.is_public,
    typed.hourly_rate_minor,
    typed.hourly_rate_currency,
    {{ major_units('typed.hourly_rate_minor', currency_exponent('typed.hourly_rate_currency')) }} as hourly_rate,
    typed.cost_rate_minor,
    typed.cost_rate_currency,
    {{ major_units('typed.cost_rate_minor', currency_exponent('typed.cost_rate_currency')) }} as cost_rate,

    -- The older field counts where the newer one is empty; one that is switched off is none, whatever the older one says.
    coalesce(
        case when typed.is_estimate_from_tasks then tasks.estimate_seconds end,
        case when coalesce(typed.is_time_estimate_active, true) then nullif(typed.time_estimate_seconds, 0) end,
        case when coalesce(typed.time_estimate_seconds, 0) = 0 then nullif(typed.estimate_seconds, 0) end
    ) as estimate_seconds,
    typed.is_estimate_from_tasks,
    typed.time_estimate_reset as estimate_reset,
    coalesce(typed.is_time_estimate_with_non_billable, true) as is_estimate_with_non_billable,
    coalesce(
        case when typed.is_budget_from_tasks then tasks.budget_minor end,
        case when coalesce(typed.is_budget_active, true) then nullif(typed.budget_minor, 0) end
    ) as budget_minor,
    typed.is_budget_from_tasks,
    typed.budget_reset,
    coalesce(typed.is_budget_with_expenses, false) as is_budget_with_expenses,
    typed.reset_iso_weekday,
    typed.reset_day_of_month,
    typed.reset_month,
    typed.reset_hour,

    typed.is_deleted,
    typed.deleted_at,
    typed.loaded_at

from typed
left join clients on typed.client_id = clients.client_id
left join tasks on typed.project_id = tasks.project_id
