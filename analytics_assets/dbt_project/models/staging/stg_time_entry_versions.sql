{%- set implausible = {
    'started_at': 'api_started_at is not null and started_at is null',
    'ended_at': 'api_ended_at is not null and ended_at is null',
    'api_duration_seconds': 'api_duration is not null and api_duration_seconds is null',
    'amount_minor': 'amount_minor is null',
    'cost_minor': 'cost_minor is null',
} -%}
{%- do implausible.update(json_of_other_types(arrays=['tag_ids', 'custom_field_values'])) -%}

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
        coalesce(_users_id, {{ blank_to_null('user_id') }}) as list_user_id,
        {{ blank_to_null('project_id') }} as project_id,
        {{ blank_to_null('task_id') }} as task_id,
        {{ blank_to_null('workspace_id') }} as workspace_id,
        {{ blank_to_null('kiosk_id') }} as kiosk_id,
        {{ blank_to_null('description') }} as description,
        coalesce({{ blank_to_null('type') }}, 'REGULAR') as entry_type,
        coalesce(billable, false) as is_billable,
        coalesce(is_locked, false) as is_locked,
        time_interval__end is null as is_running,
        {{ plausible_start('time_interval__start') }} as started_at,
        {{ plausible_end('time_interval__end') }} as ended_at,
        time_interval__start as api_started_at,
        time_interval__end as api_ended_at,
        nullif(time_interval__duration, '') as api_duration,
        {{ iso_duration_seconds('time_interval__duration') }} as api_duration_seconds,
        hourly_rate__amount as hourly_rate_minor,
        {{ rate_currency('hourly_rate') }} as hourly_rate_currency,
        cost_rate__amount as cost_rate_minor,
        {{ rate_currency('cost_rate') }} as cost_rate_currency,
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
        end as exact_amount_minor,
        case
            when is_work and cost_rate_minor is not null
                then {{ minor_units('cost_rate_minor', 'duration_seconds') }}
            else 0
        end as exact_cost_minor

    from measured

),

bounded as (

    select
        *,
        {{ plausible_number('exact_amount_minor', largest_minor()) }} as amount_minor,
        {{ plausible_number('exact_cost_minor', largest_minor()) }} as cost_minor

    from priced

)

select
    time_entry_id,
    user_id,
    list_user_id,
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
    {{ names_of(implausible) }} as implausible_fields,
    loaded_at,
    superseded_at,
    superseded_by

from bounded
