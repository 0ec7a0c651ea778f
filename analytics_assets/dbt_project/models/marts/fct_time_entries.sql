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

),

with_currencies as (

    select
        entries.*,
        projects.client_id,
        {{ amount_currency('entries', 'projects', 'workspace') }} as currency,
        {{ cost_currency('entries', 'projects', 'workspace') }} as cost_currency,
        {{ counting_time_zone('users') }} as time_zone

    from entries
    left join projects on entries.project_id = projects.project_id
    left join users on entries.user_id = users.user_id
    cross join workspace

),

-- Not from `entries`: of what is read twice, the warehouse keeps all columns meanwhile.
places as (

    select
        entries.started_at,
        {{ counting_time_zone('users') }} as time_zone

    from {{ ref('stg_time_entries') }} as entries
    left join users on entries.user_id = users.user_id

),

offsets as (

    {{ zone_offsets('places', 'started_at', 'time_zone') }}

),

with_exponents as (

    select
        entries.*,
        {{ local_date_by('offsets', 'entries.started_at', 'entries.time_zone') }} as work_date,
        {{ currency_exponent('currency') }} as currency_exponent,
        {{ currency_exponent('cost_currency') }} as cost_currency_exponent

    from with_currencies as entries
    {{ join_offsets('offsets', 'entries.started_at', 'entries.time_zone') }}

)

select
    time_entry_id,
    user_id,
    project_id,
    client_id,
    task_id,
    workspace_id,
    description,
    is_billable,
    is_running,
    started_at,
    ended_at,
    duration_seconds,
    entry_date,
    amount_minor,
    cost_minor,
    currency,

    cost_currency,
    currency_exponent,
    cost_currency_exponent,
    {{ major_units('amount_minor', 'currency_exponent') }} as amount,
    {{ major_units('cost_minor', 'cost_currency_exponent') }} as cost,
    hourly_rate_minor,
    {{ major_units('hourly_rate_minor', 'currency_exponent') }} as hourly_rate,
    cost_rate_minor,
    {{ major_units('cost_rate_minor', 'cost_currency_exponent') }} as cost_rate,
    entry_type,
    is_work,
    is_break,
    is_time_off,
    is_locked,
    kiosk_id,
    api_duration_seconds,
    work_date,
    time_zone,
    implausible_fields,
    loaded_at

from with_exponents
