with source as (

    {{ current_and_departed('clients', columns=[
        'id', 'name', 'workspace_id', 'archived', 'email', 'address', 'note', 'cc_emails', 'currency_id',
        'currency_code', '_loaded_at'
    ]) }}

),

renamed as (

    select
        id as client_id,
        name as client_name,
        workspace_id,
        coalesce(archived, false) as is_archived,
        {{ blank_to_null('email') }} as email,
        {{ blank_to_null('address') }} as address,
        {{ blank_to_null('note') }} as note,
        cc_emails,
        {{ blank_to_null('currency_id') }} as currency_id,
        {{ currency_code('currency_code') }} as currency,
        {{ names_of(json_of_other_types(arrays=['cc_emails'])) }} as implausible_fields,
        is_deleted,
        deleted_at,
        _loaded_at as loaded_at

    from source

)

select * from renamed
