with versions as (

    select * from {{ ref('stg_time_entry_versions') }}

),

current_versions as (

    select
        time_entry_id,
        user_id,
        project_id,
        task_id,
        workspace_id,
        kiosk_id,
        description,
        entry_type,
        is_work,
        is_break,
        is_time_off,
        is_billable,
        is_running,
        is_locked,
        started_at,
        ended_at,
        entry_date,
        duration_seconds,
        api_duration_seconds,
        hourly_rate_minor,
        hourly_rate_currency,
        cost_rate_minor,
        cost_rate_currency,
        amount_minor,
        cost_minor,
        tag_ids,
        custom_field_values,
        implausible_fields,
        loaded_at

    from versions
    where superseded_at is null

)

select * from current_versions
