{#- When what of a resource had which of these values, as the warehouse knew it: rows with `id`, the values, `known_from`
    and `known_until`, which leave no gap between them. What was known first counts for the time before too, and a row
    that left the API counts as it was last seen; versions that differ in nothing but other values are one.

    `values` maps names to expressions of the raw table. -#}
{% macro known_intervals(resource, values) %}
    select
        id,
        {%- for name in values %}
        {{ name }},
        {%- endfor %}
        case when version_number = 1 then {{ beginning_of_time() }} else known_at end as known_from,
        coalesce(lead(known_at) over (partition by id order by known_at), {{ end_of_time() }}) as known_until

    from (
        select
            *,
            row_number() over (partition by id order by known_at) as version_number,
            {%- for name in values %}
            lag({{ name }}) over (partition by id order by known_at) as before_{{ name }}{{ "," if not loop.last }}
            {%- endfor %}

        from (
            {%- for source_name in ['raw', 'raw_history'] %}
            select
                id,
                {%- for name, expression in values.items() %}
                {{ expression }} as {{ name }},
                {%- endfor %}
                _loaded_at as known_at
            from {{ source(source_name, resource) }}
            {{ "union all" if not loop.last }}
            {%- endfor %}
        ) as versions
    ) as compared
    where version_number = 1
        {%- for name in values %}
        or {{ name }} is distinct from before_{{ name }}
        {%- endfor %}
{%- endmacro %}


{#- A moment before all others, and one after them. -#}
{% macro beginning_of_time() -%}
    timestamp with time zone '0001-01-01 00:00:00+00'
{%- endmacro %}

{% macro end_of_time() -%}
    timestamp with time zone '9999-12-31 00:00:00+00'
{%- endmacro %}
