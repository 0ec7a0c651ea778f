with entries as (

    select * from {{ ref('stg_time_entries') }}

),

projects as (

    select * from {{ ref('dim_projects') }}

),

users as (

    select * from {{ ref('dim_users') }}

),

workspace as (

    {{ workspace_currency(ref('stg_time_entries')) }}

)

select
    entries.time_entry_id,
    entries.user_id,
    entries.project_id,
    projects.client_id,
    entries.task_id,
    entries.workspace_id,
    entries.description,
    entries.is_billable,
    entries.is_running,
    entries.started_at,
    entries.ended_at,
    entries.duration_seconds,
    entries.entry_date,
    entries.amount_minor,
    entries.cost_minor,
    {{ amount_currency('entries', 'projects', 'workspace') }} as currency,

    {{ cost_currency('entries', 'projects', 'workspace') }} as cost_currency,
    entries.hourly_rate_minor,
    entries.cost_rate_minor,
    entries.entry_type,
    entries.is_work,
    entries.is_break,
    entries.is_time_off,
    entries.is_locked,
    entries.kiosk_id,
    entries.api_duration_seconds,
    {{ local_date('entries.started_at', counting_time_zone('users')) }} as work_date,
    {{ counting_time_zone('users') }} as time_zone,
    entries.implausible_fields,
    entries.loaded_at

from entries
left join projects on entries.project_id = projects.project_id
left join users on entries.user_id = users.user_id
cross join workspace
