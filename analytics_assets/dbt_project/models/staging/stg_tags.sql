with source as (

    {{ current_and_departed('tags', columns=[
        'id', 'name', 'workspace_id', 'archived', '_loaded_at'
    ]) }}

),

renamed as (

    select
        id as tag_id,
        name as tag_name,
        workspace_id,
        coalesce(archived, false) as is_archived,
        is_deleted,
        deleted_at,
        _loaded_at as loaded_at

    from source

)

select * from renamed
