with user_groups as (

    select * from {{ ref('stg_user_groups') }}

),

users as (

    select * from {{ ref('dim_users') }}

),

members as (

    select distinct
        user_groups.user_group_id,
        elements.user_id

    from user_groups
    cross join {{ json_array_elements('user_groups.user_ids') }} as elements (user_id)
    where elements.user_id is not null
        and elements.user_id <> ''

)

select
    members.user_group_id,
    user_groups.user_group_name,
    members.user_id,
    users.user_name,
    user_groups.is_deleted as is_user_group_deleted,
    users.is_deleted as is_user_deleted

from members
inner join user_groups on members.user_group_id = user_groups.user_group_id
left join users on members.user_id = users.user_id
