{{ config(meta={'dagster': {'ref': {'name': 'time_entry_changes'}}}) }}

{#- What a month held when it closed, plus its late changes, is what it holds now; for every month, in seconds, and in
    amount and cost of each currency. A month that was first read after it closed held what that reading brought. -#}

{#- What is compared: an expression, and the currency that it counts under. -#}
{%- set measures = {
    'duration_seconds': none, 'amount_minor': 'currency', 'cost_minor': 'cost_currency',
} -%}

with projects as (

    select * from {{ ref('dim_projects') }}

),

users as (

    select * from {{ ref('dim_users') }}

),

workspace as (

    {{ workspace_currency(ref('stg_time_entries')) }}

),

priced as (

    select
        entries.time_entry_id,
        entries.loaded_at,
        entries.superseded_at,
        entries.duration_seconds,
        entries.amount_minor,
        entries.cost_minor,
        {{ amount_currency('entries', 'projects', 'workspace') }} as currency,
        {{ cost_currency('entries', 'projects', 'workspace') }} as cost_currency,
        entries.started_at,
        {{ counting_time_zone('users') }} as time_zone

    from {{ ref('stg_time_entry_versions') }} as entries
    left join projects on entries.project_id = projects.project_id
    left join users on entries.user_id = users.user_id
    cross join workspace

),

{{ versions_with_months('priced') }},

changes as (

    select * from {{ ref('time_entry_changes') }}

),

first_superseded as (

    select
        time_entry_id,
        min(superseded_at) as superseded_at

    from versions
    where superseded_at is not null
    group by time_entry_id

),

first_read_late as (

    -- First read after the month closed: versions that appeared late without being a change. (Joins, because engines take
    -- several times as long for a `not exists` of each row.)
    select versions.*

    from versions
    left join first_superseded on versions.time_entry_id = first_superseded.time_entry_id
    left join changes
        on versions.time_entry_id = changes.time_entry_id
        and versions.loaded_at = changes.first_seen_at
    where versions.loaded_at >= versions.month_closes_at
        and coalesce(first_superseded.superseded_at > versions.loaded_at, true)
        and changes.time_entry_id is null

),

movements as (

    {%- for measure, currency in measures.items() %}

    -- Now.
    select
        '{{ measure }}' as measure,
        entry_month as period,
        {{ currency or 'null' }} as currency,
        {{ measure }} as moved
    from versions
    where superseded_at is null

    union all

    -- At closing time.
    select
        '{{ measure }}',
        entry_month,
        {{ currency or 'null' }},
        -{{ measure }}
    from versions
    where loaded_at < month_closes_at
        and coalesce(superseded_at >= month_closes_at, true)

    union all

    select
        '{{ measure }}',
        entry_month,
        {{ currency or 'null' }},
        -{{ measure }}
    from first_read_late

    union all

    -- Changed since: what was lost, and what was gained.
    select
        '{{ measure }}',
        before_entry_month,
        {{ 'before_' ~ currency if currency else 'null' }},
        before_{{ measure }}
    from changes
    where first_seen_at >= before_month_closes_at

    union all

    select
        '{{ measure }}',
        after_entry_month,
        {{ 'after_' ~ currency if currency else 'null' }},
        -after_{{ measure }}
    from changes
    where first_seen_at >= after_month_closes_at
    {%- if currency %}

    union all

    -- The difference of a change is what was gained less what was lost, in its own currency.
    select
        '{{ measure }}_difference',
        {{ utc_date('first_seen_at') }},
        side_currency,
        side_moved
    from (
        select first_seen_at, {{ currency }} as side_currency, {{ measure }}_difference as side_moved from changes
        union all
        select first_seen_at, before_{{ currency }}, before_{{ measure }} from changes
        where {{ measure }}_difference is not null
        union all
        select first_seen_at, after_{{ currency }}, -after_{{ measure }} from changes
        where {{ measure }}_difference is not null
    ) as sides
    {%- endif %}
    {{ "union all" if not loop.last }}
    {%- endfor %}

)

select
    measure,
    period,
    currency,
    sum(moved) as unexplained

from movements
group by measure, period, currency
having sum(moved) <> 0
