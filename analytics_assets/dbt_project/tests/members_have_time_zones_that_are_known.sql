{{ config(severity='warn', meta={'dagster': {'ref': {'name': 'dim_users'}}}) }}

with time_zones as (

    select * from {{ known_time_zones() }} as time_zones

)

select
    users.user_id,
    users.user_name,
    users.time_zone as time_zone_in_settings,
    dim_users.time_zone as time_zone_counted_in

from {{ ref('stg_users') }} as users
inner join {{ ref('dim_users') }} as dim_users on users.user_id = dim_users.user_id
left join time_zones on lower(users.time_zone) = lower(time_zones.name)
where users.time_zone is not null
    and time_zones.name is null
