{#- Views name their tables without the database. DuckDB calls a database like its file, so that a view which names it
    breaks in a copy, after a renaming and when the file is attached under another name (all three tried). -#}
{% macro duckdb__create_view_as(relation, sql) -%}
    create view {{ relation }} as (
        {{ sql | replace('"' ~ relation.database ~ '".', '') }}
    );
{%- endmacro %}
