{#- Reading the values of custom fields, which may be of any JSON type. Whatever they are, these give null or no rows. -#}

{#- The elements of a JSON array as JSON: a table expression to stand after `cross join`, with one column. -#}
{% macro json_array_values(column) -%}
    {{ adapter.dispatch('json_array_values', 'analytics_assets')(column) }}
{%- endmacro %}

{% macro default__json_array_values(column) -%}
    unnest(json_extract({{ column }}, '$[*]'))
{%- endmacro %}


{#- The values of a custom field as texts, several where its value is an array: a table expression to stand after
    `cross join`, with one column. Of an element that is no object, the element itself. -#}
{% macro custom_field_texts(field) -%}
    {{ adapter.dispatch('custom_field_texts', 'analytics_assets')(field) }}
{%- endmacro %}

{% macro default__custom_field_texts(field) -%}
    unnest(case
        when json_type({{ field }}) <> 'OBJECT' then [json_extract_string({{ field }}, '$')]
        when json_type({{ field }}, '$.value') = 'ARRAY' then json_extract_string({{ field }}, '$.value[*]')
        else [json_extract_string({{ field }}, '$.value')]
    end)
{%- endmacro %}


{#- The number that a text is, or null: written plainly, without leading zeros and with at most 15 digits, as many as a
    double holds exactly. `00042` and `1e3` are texts. (A decimal of 38 digits took 20 times as long.) -#}
{% macro text_number(text) -%}
    {{ adapter.dispatch('text_number', 'analytics_assets')(text) }}
{%- endmacro %}

{% macro default__text_number(text) -%}
    case
        when regexp_full_match({{ text }}, '-?(0|[1-9][0-9]*)([.][0-9]+)?')
            and length(replace(replace({{ text }}, '-', ''), '.', '')) <= 15
            then try_cast({{ text }} as double)
    end
{%- endmacro %}


{#- The date of the calendar that a text is, written as `2025-06-30`, or null. -#}
{% macro text_date(text) -%}
    {{ adapter.dispatch('text_date', 'analytics_assets')(text) }}
{%- endmacro %}

{% macro default__text_date(text) -%}
    case
        when regexp_full_match({{ text }}, '[0-9]{4}-[0-9]{2}-[0-9]{2}') and {{ text }} >= '0001-01-01'
            then try_cast({{ text }} as date)
    end
{%- endmacro %}
