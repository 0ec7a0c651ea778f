{#- Shares and hours for people to read; whatever is added up further stays in whole seconds and minor units. -#}

{#- One number divided by another, to four digits; null where there is nothing to divide by. -#}
{% macro share(part, whole) -%}
    {{ adapter.dispatch('share', 'analytics_assets')(part, whole) }}
{%- endmacro %}

{% macro default__share(part, whole) -%}
    round(cast({{ part }} as double precision) / nullif({{ whole }}, 0), 4)
{%- endmacro %}


{#- Seconds as hours, rounded half up to two digits. -#}
{% macro hours(seconds) -%}
    cast({{ minor_units(100, seconds) }} * 0.01 as decimal(18, 2))
{%- endmacro %}


{#- A sum of whole numbers as a whole number; engines widen it to a type of their own. -#}
{% macro whole_sum(expression) -%}
    cast(coalesce(sum({{ expression }}), 0) as bigint)
{%- endmacro %}
