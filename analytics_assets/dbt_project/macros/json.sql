{#- Reading JSON columns. Whatever shape a value has (null, a scalar, an array where an object was expected), these give
    null or no rows; they never fail a build. -#}

{#- The text under a key of a JSON object. -#}
{% macro json_text(column, key) -%}
    {{ adapter.dispatch('json_text', 'analytics_assets')(column, key) }}
{%- endmacro %}

{% macro default__json_text(column, key) -%}
    json_extract_string({{ column }}, '$.{{ key }}')
{%- endmacro %}


{#- The whole number under a key of a JSON object, or null. -#}
{% macro json_bigint(column, key) -%}
    {{ adapter.dispatch('json_bigint', 'analytics_assets')(column, key) }}
{%- endmacro %}

{% macro default__json_bigint(column, key) -%}
    {{ whole_number(json_text(column, key)) }}
{%- endmacro %}


{#- The whole number that a text says, or null; also null where it says a fraction, which engines would round. -#}
{% macro whole_number(text) -%}
    {{ adapter.dispatch('whole_number', 'analytics_assets')(text) }}
{%- endmacro %}

{% macro default__whole_number(text) -%}
    case when not regexp_matches({{ text }}, '[.][0-9]*[1-9]|[eE]-') then try_cast({{ text }} as bigint) end
{%- endmacro %}


{#- The boolean under a key of a JSON object, or null. -#}
{% macro json_boolean(column, key) -%}
    case {{ json_text(column, key) }} when 'true' then true when 'false' then false end
{%- endmacro %}


{#- The elements of a JSON array as texts: a table expression to stand after `cross join`, with one column. -#}
{% macro json_array_elements(column) -%}
    {{ adapter.dispatch('json_array_elements', 'analytics_assets')(column) }}
{%- endmacro %}

{% macro default__json_array_elements(column) -%}
    unnest(json_extract_string({{ column }}, '$[*]'))
{%- endmacro %}


{#- How many different texts a JSON array has, blank ones and nulls aside; 0 for anything else. -#}
{% macro json_array_distinct_size(column) -%}
    {{ adapter.dispatch('json_array_distinct_size', 'analytics_assets')(column) }}
{%- endmacro %}

{% macro default__json_array_distinct_size(column) -%}
    {%- set texts = "json_extract_string(" ~ column ~ ", '$[*]')" -%}
    coalesce(len(list_distinct({{ texts }})) - cast(list_contains({{ texts }}, '') as bigint), 0)
{%- endmacro %}


{#- An amount in minor units that the API gives as a whole number or as an object with the number under `estimate`. -#}
{% macro json_minor_units(column) -%}
    {{ adapter.dispatch('json_minor_units', 'analytics_assets')(column) }}
{%- endmacro %}

{% macro default__json_minor_units(column) -%}
    coalesce({{ whole_number("json_extract_string(" ~ column ~ ", '$')") }}, {{ json_bigint(column, 'estimate') }})
{%- endmacro %}


{#- The elements of a JSON array as one text that does not depend on their order; what is no array counts as empty. -#}
{% macro json_array_as_set(column) -%}
    {{ adapter.dispatch('json_array_as_set', 'analytics_assets')(column) }}
{%- endmacro %}

{% macro default__json_array_as_set(column) -%}
    coalesce(array_to_string(list_sort(list_distinct(json_extract_string({{ column }}, '$[*]'))), ','), '')
{%- endmacro %}


{#- The filled custom fields of a JSON array as one text that depends on nothing but their ids and values. An empty value
    (null, an empty text, an empty array) is none, the order of fields and of an array's values says nothing, and a
    field that was given another name is the same field. -#}
{% macro json_custom_fields_as_set(column) -%}
    {{ adapter.dispatch('json_custom_fields_as_set', 'analytics_assets')(column) }}
{%- endmacro %}

{% macro default__json_custom_fields_as_set(column) -%}
    {%- set id = "coalesce(json_extract_string(field, '$.customFieldId'), json_extract_string(field, '$.name'), '')" -%}
    coalesce(array_to_string(list_sort(list_distinct(list_transform(
        list_filter(
            json_extract({{ column }}, '$[*]'),
            lambda field: json_type(field) <> 'OBJECT' or json_extract(field, '$.value') not in ('null', '""', '[]')
        ),
        lambda field: case
            when json_type(field, '$.value') = 'ARRAY'
                then {{ id }} || '=' || cast(list_sort(json_extract(field, '$.value[*]')) as varchar)
            when json_type(field) = 'OBJECT' then {{ id }} || '=' || cast(json_extract(field, '$.value') as varchar)
            else cast(field as varchar)
        end
    ))), ', '), '')
{%- endmacro %}
