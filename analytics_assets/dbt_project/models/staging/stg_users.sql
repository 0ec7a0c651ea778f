with source as (

    {{ current_and_departed('users', columns=[
        'id', 'name', 'email', 'status', 'settings', 'profile_picture', 'active_workspace',
        'default_workspace', 'memberships', 'custom_fields', '_loaded_at'
    ]) }}

),

first_listings as (

    select
        id,
        min(_loaded_at) as first_listed_at

    from (
        select id, _loaded_at from {{ source('raw', 'users') }}
        union all
        select id, _loaded_at from {{ source('raw_history', 'users') }}
    ) as versions
    group by id

),

renamed as (

    select
        source.id as user_id,
        {{ blank_to_null('name') }} as user_name,
        {{ blank_to_null('email') }} as email,
        status,
        {{ blank_to_null(json_text('settings', 'timeZone')) }} as time_zone,
        upper({{ blank_to_null(json_text('settings', 'weekStart')) }}) as week_start,
        {{ blank_to_null('profile_picture') }} as profile_picture_url,
        {{ blank_to_null('active_workspace') }} as active_workspace_id,
        {{ blank_to_null('default_workspace') }} as default_workspace_id,
        memberships,
        settings,
        custom_fields,
        {{ names_of(json_of_other_types(arrays=['memberships', 'custom_fields'], objects=['settings'])) }} as implausible_fields,
        is_deleted,
        deleted_at,
        first_listings.first_listed_at,
        _loaded_at as loaded_at

    from source
    left join first_listings on source.id = first_listings.id

)

select * from renamed
