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

),

-- A line may name a member by id and another one by the address of the same member, for the same day: the id counts.
matched as (

    select
        written.*,
        users.user_id,
        row_number() over (
            partition by users.user_id, written.valid_from order by written.member = users.user_id desc, written.member
        ) as number_of_line

    from written
    left join users
        on written.member = users.user_id
        or lower(written.member) = lower(users.email)

)

select
    member,
    user_id,
    valid_from,
    weekly_seconds

from matched
where user_id is null
    or number_of_line = 1
