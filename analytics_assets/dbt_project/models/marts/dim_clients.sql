with clients as (

    select * from {{ ref('stg_clients') }}

)

select
    client_id,
    client_name,
    workspace_id,
    email,
    address,
    note,
    currency,
    is_archived,
    is_deleted,
    deleted_at,
    loaded_at

from clients
