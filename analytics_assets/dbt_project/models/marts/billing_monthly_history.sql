{%- set keys = ['client_id', 'project_id', 'billing_month', 'currency'] -%}
{%- set sums = ['tracked_seconds', 'billable_seconds', 'amount_minor', 'cost_minor', 'has_cost_in_other_currency'] -%}

with clients as (

    {{ known_intervals('clients', {'currency': currency_code('currency_code')}) }}

),

projects as (

    {{ known_intervals('projects', {
        'client_id': blank_to_null('client_id'),
        'hourly_rate_currency': rate_currency('hourly_rate'),
    }) }}

),

-- Which client a project had, and the currency of that client.
attributions as (

    select
        projects.id as project_id,
        projects.client_id,
        projects.hourly_rate_currency,
        clients.currency as client_currency,
        greatest(projects.known_from, coalesce(clients.known_from, projects.known_from)) as known_from,
        least(projects.known_until, coalesce(clients.known_until, projects.known_until)) as known_until

    from projects
    left join clients
        on projects.client_id = clients.id
        and projects.known_from < clients.known_until
        and clients.known_from < projects.known_until

),

users as (

    select * from {{ ref('dim_users') }}

),

workspace as (

    {{ workspace_currency(ref('stg_time_entries')) }}

),

-- The versions of each entry, cut where its project or client became another one.
attributed as (

    select
        attributions.client_id,
        entries.project_id,
        entries.started_at,
        {{ counting_time_zone('users') }} as time_zone,
        greatest(entries.loaded_at, coalesce(attributions.known_from, entries.loaded_at)) as valid_from,
        least(
            coalesce(entries.superseded_at, {{ end_of_time() }}),
            coalesce(attributions.known_until, {{ end_of_time() }})
        ) as valid_until,
        entries.is_billable,
        entries.duration_seconds,
        entries.amount_minor,
        entries.cost_minor,
        {{ amount_currency('entries', 'attributions', 'workspace') }} as currency,
        {{ cost_currency('entries', 'attributions', 'workspace') }} as cost_currency

    from {{ ref('stg_time_entry_versions') }} as entries
    left join attributions
        on entries.project_id = attributions.project_id
        and entries.loaded_at < attributions.known_until
        and coalesce(entries.superseded_at, {{ end_of_time() }}) > attributions.known_from
    left join users on entries.user_id = users.user_id
    cross join workspace

),

offsets as (

    {{ zone_offsets('attributed', 'started_at', 'time_zone') }}

),

versions as (

    select
        attributed.*,
        {{ month_start(local_date_by('offsets', 'attributed.started_at', 'attributed.time_zone')) }} as billing_month

    from attributed
    {{ join_offsets('offsets', 'attributed.started_at', 'attributed.time_zone') }}

),

amounts_and_costs as (

    {{ amounts_and_costs('versions', ['client_id', 'project_id', 'billing_month', 'valid_from', 'valid_until']) }}

),

-- What each month gained and lost, and when.
movements as (

    {%- for moment, sign in [('valid_from', 1), ('valid_until', -1)] %}
    select
        client_id,
        project_id,
        billing_month,
        currency,
        {{ moment }} as moved_at,
        {{ sign }} as moved_rows,
        {%- for name in sums %}
        {{ sign }} * coalesce({{ name }}, 0) as {{ name }}{{ "," if not loop.last }}
        {%- endfor %}

    from amounts_and_costs
    {%- if sign < 0 %}
    where valid_until < {{ end_of_time() }}
    {%- else %}

    union all
    {% endif %}
    {%- endfor %}

),

moved as (

    select
        {{ keys | join(', ') }},
        moved_at,
        sum(moved_rows) as moved_rows,
        {%- for name in sums %}
        sum({{ name }}) as {{ name }}{{ "," if not loop.last }}
        {%- endfor %}

    from movements
    group by {{ keys | join(', ') }}, moved_at

),

-- What it held from each of those moments on.
held as (

    select
        {{ keys | join(', ') }},
        moved_at,
        sum(moved_rows) over in_order > 0 as is_there,
        {%- for name in sums %}
        {{ 'sum(' ~ name ~ ') over in_order' if loop.last else 'try_cast(sum(' ~ name ~ ') over in_order as bigint)' }}
            {{- ' > 0' if loop.last }} as {{ name }}{{ "," if not loop.last }}
        {%- endfor %}

    from moved
    window in_order as (partition by {{ keys | join(', ') }} order by moved_at)

),

compared as (

    select
        *,
        row_number() over in_order as number_of_state,
        {%- for name in ['is_there'] + sums %}
        lag({{ name }}) over in_order as before_{{ name }}{{ "," if not loop.last }}
        {%- endfor %}

    from held
    window in_order as (partition by {{ keys | join(', ') }} order by moved_at)

),

states as (

    select
        *,
        moved_at as valid_from,
        lead(moved_at) over (partition by {{ keys | join(', ') }} order by moved_at) as valid_until,
        case when not has_cost_in_other_currency
            then {{ whole_difference('amount_minor', 'cost_minor') }} end as margin_minor,
        {{ currency_exponent('currency') }} as currency_exponent

    from compared
    where number_of_state = 1
        {%- for name in ['is_there'] + sums %}
        or {{ name }} is distinct from before_{{ name }}
        {%- endfor %}

),

names_of_projects as (

    select * from {{ ref('dim_projects') }}

),

names_of_clients as (

    select * from {{ ref('dim_clients') }}

)

select
    states.client_id,
    coalesce(
        names_of_clients.client_name,
        case when names_of_projects.client_id = states.client_id then names_of_projects.client_name end
    ) as client_name,
    states.project_id,
    names_of_projects.project_name,
    states.billing_month,
    states.currency,
    states.currency_exponent,
    states.valid_from,
    states.valid_until,
    states.valid_until is null as is_current,
    states.tracked_seconds,
    {{ hours('states.tracked_seconds') }} as tracked_hours,
    states.billable_seconds,
    {{ hours('states.billable_seconds') }} as billable_hours,
    states.amount_minor,
    {{ major_units('states.amount_minor', 'states.currency_exponent') }} as amount,
    states.cost_minor,
    {{ major_units('states.cost_minor', 'states.currency_exponent') }} as cost,
    states.margin_minor,
    {{ major_units('states.margin_minor', 'states.currency_exponent') }} as margin,
    states.has_cost_in_other_currency

from states
left join names_of_projects on states.project_id = names_of_projects.project_id
left join names_of_clients on states.client_id = names_of_clients.client_id
where states.is_there
