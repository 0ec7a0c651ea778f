{%- set implausible = {
    'hourly_rate_minor': 'abs(' ~ wide_integer('hourly_rate__amount') ~ ') > ' ~ largest_minor(),
    'cost_rate_minor': 'abs(' ~ wide_integer('cost_rate__amount') ~ ') > ' ~ largest_minor(),
    'api_tracked_seconds': "duration <> '' and " ~ iso_duration_seconds('duration') ~ ' is null',
    'estimate_seconds': "estimate__estimate <> '' and " ~ iso_duration_seconds('estimate__estimate') ~ ' is null',
    'time_estimate_seconds':
        "time_estimate__estimate <> '' and " ~ iso_duration_seconds('time_estimate__estimate') ~ ' is null',
    'budget_minor': json_text('budget_estimate', 'estimate') ~ ' is not null and '
        ~ plausible_number(json_bigint('budget_estimate', 'estimate'), largest_minor()) ~ ' is null',
} -%}
{%- do implausible.update(
    json_of_other_types(arrays=['memberships'], objects=['budget_estimate', 'estimate_reset'])
) -%}

with source as (

    {{ current_and_departed('projects', columns=[
        'id', 'name', 'workspace_id', 'client_id', 'client_name', 'note', 'color', 'billable', 'archived',
        'template', 'public', 'hourly_rate__amount', 'hourly_rate__currency', 'cost_rate__amount',
        'cost_rate__currency', 'duration', 'estimate__estimate', 'estimate__type', 'time_estimate__estimate',
        'time_estimate__type', 'time_estimate__reset_option', 'time_estimate__active',
        'time_estimate__include_non_billable', 'budget_estimate', 'estimate_reset', 'memberships',
        '_loaded_at'
    ]) }}

),

renamed as (

    select
        id as project_id,
        name as project_name,
        workspace_id,
        {{ blank_to_null('client_id') }} as client_id,
        {{ blank_to_null('client_name') }} as client_name,
        {{ blank_to_null('note') }} as note,
        {{ blank_to_null('color') }} as color,
        coalesce(billable, false) as is_billable,
        coalesce(archived, false) as is_archived,
        coalesce(template, false) as is_template,
        coalesce(public, false) as is_public,

        hourly_rate__amount as hourly_rate_minor,
        {{ rate_currency('hourly_rate') }} as hourly_rate_currency,
        cost_rate__amount as cost_rate_minor,
        {{ rate_currency('cost_rate') }} as cost_rate_currency,

        {{ iso_duration_seconds('duration') }} as api_tracked_seconds,
        {{ iso_duration_seconds('estimate__estimate') }} as estimate_seconds,
        {{ blank_to_null('estimate__type') }} as estimate_type,
        {{ iso_duration_seconds('time_estimate__estimate') }} as time_estimate_seconds,
        {{ blank_to_null('time_estimate__type') }} as time_estimate_type,
        {{ blank_to_null('time_estimate__reset_option') }} as time_estimate_reset,
        time_estimate__active as is_time_estimate_active,
        time_estimate__include_non_billable as is_time_estimate_with_non_billable,
        {{ plausible_number(json_bigint('budget_estimate', 'estimate'), largest_minor()) }} as budget_minor,
        {{ blank_to_null(json_text('budget_estimate', 'type')) }} as budget_type,
        {{ blank_to_null(json_text('budget_estimate', 'resetOption')) }} as budget_reset,
        {{ json_boolean('budget_estimate', 'active') }} as is_budget_active,
        {{ json_boolean('budget_estimate', 'includeExpenses') }} as is_budget_with_expenses,
        estimate_reset,
        cast({{ iso_weekday("upper(" ~ json_text('estimate_reset', 'dayOfWeek') ~ ")", default='MONDAY') }} as bigint)
            as reset_iso_weekday,
        least(greatest(coalesce({{ json_bigint('estimate_reset', 'dayOfMonth') }}, 1), 1), 31) as reset_day_of_month,
        cast({{ month_number("upper(" ~ json_text('estimate_reset', 'month') ~ ")") }} as bigint) as reset_month,
        case
            when {{ json_bigint('estimate_reset', 'hour') }} between 0 and 23
                then {{ json_bigint('estimate_reset', 'hour') }}
            else 0
        end as reset_hour,
        memberships,
        {{ names_of(implausible) }} as implausible_fields,

        is_deleted,
        deleted_at,
        _loaded_at as loaded_at

    from source

)

select * from renamed
