{#- Schemas are called as configured (`staging`, `marts`), without the target's name in front: other people's queries
    and the asset keys rely on it. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}
