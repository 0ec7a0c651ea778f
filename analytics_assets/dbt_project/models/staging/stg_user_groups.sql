with source as (

    {{ current_and_departed('user_groups', columns=[
        'id', 'name', 'workspace_id', 'user_ids', 'team_managers', '_loaded_at'
    ]) }}

),

renamed as (

    select
        id as user_group_id,
        name as user_group_name,
        workspace_id,
        user_ids,
        team_managers,
        {{ json_array_distinct_size('user_ids') }} as member_count,
        {{ names_of(json_of_other_types(arrays=['user_ids', 'team_managers'])) }} as implausible_fields,
        is_deleted,
        deleted_at,
        _loaded_at as loaded_at

    from source

)

select * from renamed
