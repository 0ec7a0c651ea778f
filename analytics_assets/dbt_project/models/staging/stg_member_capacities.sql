{%- set capacities = var('member_capacities') -%}

with written as (

    {% if capacities -%}
    select
        cast(lines.member as varchar) as member,
        cast(lines.weekly_seconds as bigint) as weekly_seconds,
        cast(lines.valid_from as date) as valid_from

    from (
        values
        {%- for line in capacities %}
        ('{{ line.member | string | replace("'", "''") }}', {{ line.weekly_seconds | int }},
            {{ "'" ~ line.valid_from ~ "'" if line.valid_from else 'null' }}){{ ',' if not loop.last }}
        {%- endfor %}
    ) as lines (member, weekly_seconds, valid_from)
    {%- else -%}
    select
        cast(null as varchar) as member,
        cast(null as bigint) as weekly_seconds,
        cast(null as date) as valid_from

    where false
    {%- endif %}

),

users as (

    select * from {{ ref('stg_users') }}

)

select
    written.member,
    users.user_id,
    written.valid_from,
    written.weekly_seconds

from written
left join users
    on written.member = users.user_id
    or lower(written.member) = lower(users.email)
