{#- The API writes "no value" as null or as an empty text; the models know only null. -#}
{% macro blank_to_null(column) -%}
    nullif({{ column }}, '')
{%- endmacro %}
