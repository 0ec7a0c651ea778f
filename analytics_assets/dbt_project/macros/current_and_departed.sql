{#- All rows of a resource: those that the API has now, and the last version of each that left it, told apart by
    `is_deleted` and `deleted_at` (when the sync that missed the row was published).

    The columns are named: an unknown field that the API started to send stands at different places in `raw` and
    `raw_history`, so `select *` would mix them up. -#}
{% macro current_and_departed(resource, columns) %}
    {%- set raw = source('raw', resource) -%}
    {%- set history = source('raw_history', resource) -%}
    {%- set columns = columns | join(',\n        ') %}
    select
        {{ columns }},
        false as is_deleted,
        cast(null as timestamp with time zone) as deleted_at
    from {{ raw }}

    union all

    select
        {{ columns }},
        true as is_deleted,
        _valid_to as deleted_at
    from (
        select
            *,
            row_number() over (partition by id order by _valid_to desc, _loaded_at desc) as recency
        from {{ history }}
        where _change = 'deleted'
    ) as departures
    where recency = 1
        and not exists (select 1 from {{ raw }} as present where present.id = departures.id)
{%- endmacro %}
