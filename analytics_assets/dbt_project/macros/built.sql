{#- Forgets what the nodes of this run were built from, before the first of them is built: called on run start. Whoever
    runs dbt, with whatever variables, a later sync builds them again. -#}
{% macro forget_what_is_built_anew() -%}
    {%- if execute and selected_resources -%}
        {%- set there = run_query("select 1 from information_schema.tables where table_schema = 'raw' and table_name = '_built'") -%}
        {%- if there | length -%}
            delete from raw._built where node in ('{{ selected_resources | join("', '") }}')
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
