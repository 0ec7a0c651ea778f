with user_groups as (

    select * from {{ ref('stg_user_groups') }}

)

select
    user_group_id,
    user_group_name,
    workspace_id,
    member_count,
    is_deleted,
    deleted_at,
    loaded_at

from user_groups
