{#- Fields whose change makes an edit; locking or unlocking alone is none, and neither is a field that the API started
    to send. -#}
{%- set compared = [
    'user_id', 'project_id', 'task_id', 'kiosk_id', 'description', 'entry_type', 'is_billable', 'started_at',
    'ended_at', 'hourly_rate_minor', 'hourly_rate_currency', 'cost_rate_minor', 'cost_rate_currency', 'tag_set',
    'custom_field_set',
] -%}
{#- Of arrays it is what they hold that is compared, not how they are written. -#}
{%- set written_as = {'tag_set': 'tag_ids', 'custom_field_set': 'custom_field_values'} -%}
{#- Values whose change an invoice or a timesheet of the month would show. -#}
{%- set billing = [
    'user_id', 'project_id', 'entry_month', 'entry_type', 'is_billable', 'duration_seconds', 'amount_minor',
    'cost_minor', 'currency', 'cost_currency',
] -%}
{#- Values shown before and after. -#}
{%- set shown = [
    'user_id', 'project_id', 'task_id', 'description', 'entry_type', 'is_billable', 'is_running', 'started_at',
    'ended_at', 'duration_seconds', 'hourly_rate_minor', 'hourly_rate', 'cost_rate_minor', 'cost_rate', 'amount_minor',
    'amount', 'cost_minor', 'cost', 'currency', 'cost_currency',
] -%}
{#- Money and its currency: whatever is said of the one is said of the other. -#}
{%- set money = {'amount_minor': 'currency', 'cost_minor': 'cost_currency'} -%}
{%- set rates = {'hourly_rate_minor': 'currency', 'cost_rate_minor': 'cost_currency'} -%}

with projects as (

    select * from {{ ref('dim_projects') }}

),

users as (

    select * from {{ ref('dim_users') }}

),

workspace as (

    {{ workspace_currency(ref('stg_time_entries')) }}

),

{{ late_changes_known() }},

versions_of_changes as (

    select
        entries.*,
        {{ month_start(local_date('entries.started_at', counting_time_zone('users'))) }} as entry_month,
        {{ amount_currency('entries', 'projects', 'workspace') }} as currency,
        {{ cost_currency('entries', 'projects', 'workspace') }} as cost_currency,
        {{ json_array_as_set('entries.tag_ids') }} as tag_set,
        {{ json_custom_fields_as_set('entries.custom_field_values') }} as custom_field_set

    from {{ ref('stg_time_entry_versions') }} as entries
    left join projects on entries.project_id = projects.project_id
    left join users on entries.user_id = users.user_id
    cross join workspace
    where entries.time_entry_id in (select time_entry_id from known_changes)

),

-- What a currency says of its digits is looked up once per version: in the last select it took a second.
versions_with_exponents as (

    select
        *,
        {{ currency_exponent('currency') }} as currency_exponent,
        {{ currency_exponent('cost_currency') }} as cost_currency_exponent

    from versions_of_changes

),

details as (

    select
        *
        {%- for minor, currency in dict(money, **rates).items() %},
        {{ major_units(minor, currency ~ '_exponent') }} as {{ minor | replace('_minor', '') }}
        {%- endfor %}

    from versions_with_exponents

),

described as (

    select
        changed.time_entry_id,
        changed.change_type,
        changed.first_seen_at,
        changed.entry_month,
        changed.time_zone,
        changed.month_closes_at,
        changed.before_month_closes_at,
        changed.after_month_closes_at,
        changed.previously_read_at,
        changed.is_list_known,
        changed.is_return,
        case when changed.change_type = 'edited' then concat_ws(
            ', '
            {%- for column in compared %},
            case when before_version.{{ column }} is distinct from after_version.{{ column }}
                then '{{ written_as.get(column, column) }}' end
            {%- endfor %}
        ) end as changed_fields,
        case changed.change_type
            when 'edited' then
                {%- for column in billing %}
                {{ "or " if not loop.first }}before_version.{{ column }} is distinct from after_version.{{ column }}
                {%- endfor %}
            when 'added' then after_version.duration_seconds > 0
            else before_version.duration_seconds > 0
        end as is_billing_relevant,
        {%- for column in ['user_id', 'project_id'] %}
        case when changed.change_type = 'deleted' then before_version.{{ column }} else after_version.{{ column }} end
            as {{ column }},
        {%- endfor %}
        -- Where only one side has money, the difference is in its currency: what an entry that is no longer billable
        -- loses is lost in the currency that it had.
        {%- for minor, currency in money.items() %}
        {%- for column in [currency, currency ~ '_exponent'] %}
        case
            when changed.change_type = 'deleted' then before_version.{{ column }}
            when coalesce(before_version.{{ minor }}, 0) = 0 then after_version.{{ column }}
            when after_version.{{ minor }} = 0 then before_version.{{ column }}
            when before_version.{{ currency }} = after_version.{{ currency }} then after_version.{{ column }}
        end as {{ column }},
        {%- endfor %}
        coalesce(
            before_version.{{ minor }} <> 0 and after_version.{{ minor }} <> 0
                and before_version.{{ currency }} is distinct from after_version.{{ currency }},
            false
        ) as is_{{ minor }}_in_two_currencies,
        {%- endfor %}
        {%- for column in ['entry_month'] + shown %}
        before_version.{{ column }} as before_{{ column }},
        after_version.{{ column }} as after_{{ column }}{{ "," if not loop.last }}
        {%- endfor %}

    from known_changes as changed
    left join details as before_version
        on changed.time_entry_id = before_version.time_entry_id
        and changed.before_loaded_at = before_version.loaded_at
    left join details as after_version
        on changed.time_entry_id = after_version.time_entry_id
        and changed.after_loaded_at = after_version.loaded_at

),

with_differences as (

    select
        *,
        {%- for minor in money %}
        -- Of a side that the change has not, 0; of one whose money was too large to be counted, null, and so the
        -- difference.
        case when not is_{{ minor }}_in_two_currencies
            then case when change_type = 'deleted' then 0 else after_{{ minor }} end
                - case when change_type = 'added' then 0 else before_{{ minor }} end
        end as {{ minor }}_difference{{ "," if not loop.last }}
        {%- endfor %}

    from described

)

select
    described.time_entry_id,
    described.change_type,
    described.first_seen_at,
    described.entry_month,
    cast(
        {{ local_date('described.first_seen_at', 'described.time_zone') }} - cast(described.entry_month + interval '1 month' as date) as integer
    ) as days_after_month_end,
    described.previously_read_at,
    described.is_list_known
        and coalesce(described.previously_read_at >= described.month_closes_at, false)
        as is_certainly_late,
    described.is_return,
    described.is_billing_relevant,
    described.changed_fields,

    described.user_id,
    users.user_name,
    described.project_id,
    projects.project_name,
    projects.client_id,
    projects.client_name,
    described.currency,
    described.cost_currency,
    described.currency_exponent,
    described.cost_currency_exponent,
    coalesce(described.after_duration_seconds, 0) - coalesce(described.before_duration_seconds, 0)
        as seconds_difference,
    {%- for minor, currency in money.items() %}
    described.{{ minor }}_difference,
    {{ major_units('described.' ~ minor ~ '_difference', 'described.' ~ currency ~ '_exponent') }}
        as {{ minor | replace('_minor', '') }}_difference,
    {%- endfor %}

    {%- for column in ['entry_month', 'month_closes_at'] + shown %}
    described.before_{{ column }},
    described.after_{{ column }}{{ "," if not loop.last }}
    {%- endfor %}

from with_differences as described
left join projects on described.project_id = projects.project_id
left join users on described.user_id = users.user_id
where described.change_type <> 'edited'
    or described.changed_fields <> ''
