with source as (

    select
        id, user_id, _users_id, project_id, task_id, workspace_id, kiosk_id, description, type, billable,
        is_locked, time_interval__start, time_interval__end, time_interval__duration, hourly_rate__amount,
        hourly_rate__currency, cost_rate__amount, cost_rate__currency, tag_ids, custom_field_values,
        _loaded_at,
        cast(null as timestamp with time zone) as _valid_to,
        cast(null as varchar) as _change
    from {{ source('raw', 'time_entries') }}

    union all

    select
        id, user_id, _users_id, project_id, task_id, workspace_id, kiosk_id, description, type, billable,
        is_locked, time_interval__start, time_interval__end, time_interval__duration, hourly_rate__amount,
        hourly_rate__currency, cost_rate__amount, cost_rate__currency, tag_ids, custom_field_values,
        _loaded_at,
        _valid_to,
        _change
    from {{ source('raw_history', 'time_entries') }}

),

renamed as (

    select
        id as time_entry_id,
        coalesce({{ blank_to_null('user_id') }}, _users_id) as user_id,
        {{ blank_to_null('project_id') }} as project_id,
        {{ blank_to_null('task_id') }} as task_id,
        {{ blank_to_null('workspace_id') }} as workspace_id,
        {{ blank_to_null('kiosk_id') }} as kiosk_id,
        {{ blank_to_null('description') }} as description,
        coalesce({{ blank_to_null('type') }}, 'REGULAR') as entry_type,
        coalesce(billable, false) as is_billable,
        coalesce(is_locked, false) as is_locked,
        time_interval__start as started_at,
        time_interval__end as ended_at,
        {{ iso_duration_seconds('time_interval__duration') }} as api_duration_seconds,
        hourly_rate__amount as hourly_rate_minor,
        {{ blank_to_null('hourly_rate__currency') }} as hourly_rate_currency,
        cost_rate__amount as cost_rate_minor,
        {{ blank_to_null('cost_rate__currency') }} as cost_rate_currency,
        tag_ids,
        custom_field_values,
        _loaded_at as loaded_at,
        _valid_to as superseded_at,
        _change as superseded_by

    from source

),

measured as (

    select
        *,
        ended_at is null as is_running,
        entry_type = 'BREAK' as is_break,
        entry_type in ('HOLIDAY', 'TIME_OFF') as is_time_off,
        entry_type not in ('BREAK', 'HOLIDAY', 'TIME_OFF') as is_work,
        {{ utc_date('started_at') }} as entry_date,
        case
            when ended_at > started_at then {{ seconds_between('started_at', 'ended_at') }}
            else 0
        end as duration_seconds

    from renamed

),

priced as (

    select
        *,
        case
            when is_billable and hourly_rate_minor is not null
                then {{ minor_units('hourly_rate_minor', 'duration_seconds') }}
            else 0
        end as amount_minor,
        case
            when is_work and cost_rate_minor is not null
                then {{ minor_units('cost_rate_minor', 'duration_seconds') }}
            else 0
        end as cost_minor

    from measured

)

select * from priced
