with tags as (

    select * from {{ ref('stg_tags') }}

)

select
    tag_id,
    tag_name,
    workspace_id,
    is_archived,
    is_deleted,
    deleted_at,
    loaded_at

from tags
