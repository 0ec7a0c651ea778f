with entries as (

    select
        time_entry_id,
        tag_ids

    from {{ ref('stg_time_entries') }}
    where tag_ids is not null

)

select distinct
    entries.time_entry_id,
    elements.tag_id

from entries
cross join {{ json_array_elements('entries.tag_ids') }} as elements (tag_id)
where elements.tag_id is not null
    and elements.tag_id <> ''
