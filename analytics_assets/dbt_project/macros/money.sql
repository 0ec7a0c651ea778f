{#- Money for a number of seconds at an hourly rate, both in minor units, rounded half up. Integers only: a double would
    round 0.5 cents either way. The product is made in 128 bits, because rate times seconds may leave 64. -#}
{% macro minor_units(rate_minor, seconds) -%}
    {{ adapter.dispatch('minor_units', 'analytics_assets')(rate_minor, seconds) }}
{%- endmacro %}

{% macro default__minor_units(rate_minor, seconds) -%}
    cast((cast({{ rate_minor }} as hugeint) * {{ seconds }} + 1800) // 3600 as bigint)
{%- endmacro %}
