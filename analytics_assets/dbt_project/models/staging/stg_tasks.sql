{%- set implausible = {
    'hourly_rate_minor': 'abs(' ~ wide_integer('hourly_rate__amount') ~ ') > ' ~ largest_minor(),
    'cost_rate_minor': 'abs(' ~ wide_integer('cost_rate__amount') ~ ') > ' ~ largest_minor(),
    'api_tracked_seconds': "duration <> '' and " ~ iso_duration_seconds('duration') ~ ' is null',
    'estimate_seconds': "estimate <> '' and " ~ iso_duration_seconds('estimate') ~ ' is null',
    'budget_minor': plausible_number(json_minor_units('budget_estimate'), largest_minor()) ~ ' is null and '
        ~ has_a_json_value('budget_estimate'),
} -%}
{%- do implausible.update(json_of_other_types(arrays=['assignee_ids', 'user_group_ids'])) -%}

with source as (

    {{ current_and_departed('tasks', columns=[
        'id', 'name', 'project_id', '_projects_id', 'status', 'billable', 'assignee_ids', 'user_group_ids',
        'hourly_rate__amount', 'hourly_rate__currency', 'cost_rate__amount', 'cost_rate__currency',
        'estimate', 'duration', 'budget_estimate', '_loaded_at'
    ]) }}

),

renamed as (

    select
        id as task_id,
        name as task_name,
        coalesce({{ blank_to_null('project_id') }}, _projects_id) as project_id,
        {{ blank_to_null('status') }} as status,
        coalesce(status = 'DONE', false) as is_done,
        coalesce(billable, false) as is_billable,
        assignee_ids,
        user_group_ids,
        {{ json_array_distinct_size('assignee_ids') }} as assignee_count,

        hourly_rate__amount as hourly_rate_minor,
        {{ rate_currency('hourly_rate') }} as hourly_rate_currency,
        cost_rate__amount as cost_rate_minor,
        {{ rate_currency('cost_rate') }} as cost_rate_currency,

        {{ iso_duration_seconds('estimate') }} as estimate_seconds,
        {{ iso_duration_seconds('duration') }} as api_tracked_seconds,
        {{ plausible_number(json_minor_units('budget_estimate'), largest_minor()) }} as budget_minor,
        {{ names_of(implausible) }} as implausible_fields,

        is_deleted,
        deleted_at,
        _loaded_at as loaded_at

    from source

)

select * from renamed
