{{ config(meta={'dagster': {'ref': {'name': 'time_entry_changes'}}}) }}

{#- What a month held when it closed, plus its late changes, is what it holds now; for every month, in seconds, amount
    and cost. A month that was first read after it closed held what that reading brought. -#}

with versions as (

    select
        time_entry_id,
        loaded_at,
        superseded_at,
        duration_seconds,
        amount_minor,
        cost_minor,
        {{ month_start('entry_date') }} as entry_month

    from {{ ref('stg_time_entry_versions') }}

),

changes as (

    select * from {{ ref('time_entry_changes') }}

),

movements as (

    -- Now.
    select
        entry_month,
        duration_seconds as seconds,
        amount_minor,
        cost_minor
    from versions
    where superseded_at is null

    union all

    -- At closing time.
    select
        entry_month,
        -duration_seconds,
        -amount_minor,
        -cost_minor
    from versions
    where loaded_at < {{ month_closing_time('entry_month') }}
        and coalesce(superseded_at >= {{ month_closing_time('entry_month') }}, true)

    union all

    -- First read after it closed: versions that appeared late without being a change.
    select
        versions.entry_month,
        -versions.duration_seconds,
        -versions.amount_minor,
        -versions.cost_minor
    from versions
    where versions.loaded_at >= {{ month_closing_time('versions.entry_month') }}
        and not exists (
            select 1
            from versions as earlier
            where earlier.time_entry_id = versions.time_entry_id
                and earlier.superseded_at <= versions.loaded_at
        )
        and not exists (
            select 1
            from changes
            where changes.time_entry_id = versions.time_entry_id
                and changes.first_seen_at = versions.loaded_at
        )

    union all

    -- Changed since.
    select
        before_entry_month,
        before_duration_seconds,
        before_amount_minor,
        before_cost_minor
    from changes
    where first_seen_at >= {{ month_closing_time('before_entry_month') }}

    union all

    select
        after_entry_month,
        -after_duration_seconds,
        -after_amount_minor,
        -after_cost_minor
    from changes
    where first_seen_at >= {{ month_closing_time('after_entry_month') }}

)

select
    entry_month,
    sum(seconds) as seconds,
    sum(amount_minor) as amount_minor,
    sum(cost_minor) as cost_minor

from movements
group by entry_month
having sum(seconds) <> 0
    or sum(amount_minor) <> 0
    or sum(cost_minor) <> 0
