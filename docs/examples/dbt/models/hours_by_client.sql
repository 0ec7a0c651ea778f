-- One row per client, and one for the hours without a client.
select
    entries.client_id,
    max(clients.client_name) as client_name,
    sum(entries.duration_seconds) / 3600 as hours
from {{ source('marts', 'fct_time_entries') }} as entries
left join {{ source('marts', 'dim_clients') }} as clients on entries.client_id = clients.client_id
group by entries.client_id
