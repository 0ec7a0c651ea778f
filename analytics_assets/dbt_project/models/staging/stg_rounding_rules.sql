{%- set rules = var('rounding_rules') -%}

with written as (

    {% if rules -%}
    select
        cast(lines.client as varchar) as client,
        cast(lines.rounding_minutes as bigint) as rounding_minutes,
        cast(lines.rounding_direction as varchar) as rounding_direction

    from (
        values
        {%- for line in rules %}
        ({{ "'" ~ line.client | string | replace("'", "''") ~ "'" if line.client else 'null' }}, {{ line.minutes | int }},
            '{{ line.direction | string | upper }}'){{ ',' if not loop.last }}
        {%- endfor %}
    ) as lines (client, rounding_minutes, rounding_direction)
    {%- else -%}
    select
        cast(null as varchar) as client,
        cast(null as bigint) as rounding_minutes,
        cast(null as varchar) as rounding_direction

    where false
    {%- endif %}

),

clients as (

    select * from {{ ref('stg_clients') }}

),

-- A line may name a client by its id and another one by the name of the same client: the id counts.
matched as (

    select
        written.*,
        clients.client_id,
        row_number() over (
            partition by clients.client_id order by written.client = clients.client_id desc, written.client
        ) as number_of_line

    from written
    left join clients
        on written.client = clients.client_id
        or lower(written.client) = lower(clients.client_name)

)

select
    client,
    client_id,
    client is null as is_for_all_others,
    rounding_minutes,
    rounding_direction

from matched
where client_id is null
    or number_of_line = 1
