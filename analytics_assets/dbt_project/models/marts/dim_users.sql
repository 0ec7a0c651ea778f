with users as (

    select * from {{ ref('stg_users') }}

),

time_zones as (

    select * from {{ known_time_zones() }} as time_zones

),

settled as (

    select
        users.user_id,
        users.user_name,
        users.email,
        users.status,
        coalesce(time_zones.name, '{{ var("default_time_zone") }}') as time_zone,
        {{ iso_weekday('users.week_start') }} as week_start_iso_day,
        users.profile_picture_url,
        users.default_workspace_id,
        users.is_deleted,
        users.deleted_at,
        users.first_listed_at,
        users.loaded_at

    from users
    left join time_zones on lower(users.time_zone) = lower(time_zones.name)

)

select * from settled
