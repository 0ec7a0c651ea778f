{#- Shares and hours for people to read; whatever is added up further stays in whole seconds and minor units. All
    rounding is done in whole numbers, because a double would take a half either way. What is too large for its column is
    null, so that one absurd record does not fail a model. -#}

{#- One whole number divided by another, rounded half away from zero: -0.5 is -1, as 0.5 is 1. Null where there is
    nothing to divide by. -#}
{% macro whole_quotient(dividend, divisor) -%}
    {{ adapter.dispatch('whole_quotient', 'analytics_assets')(dividend, divisor) }}
{%- endmacro %}

{% macro default__whole_quotient(dividend, divisor) -%}
    {%- set dividend = wide_integer(dividend) -%}
    {%- set divisor = wide_integer('nullif(' ~ divisor ~ ', 0)') -%}
    {%- set largest = '1000000000000000000' -%}
    case
        -- what fits is divided in 64 bits, four times faster
        when {{ dividend }} between -{{ largest }} and {{ largest }} and {{ divisor }} between 1 and {{ largest }}
            then sign({{ dividend }}) * (
                (2 * abs(cast({{ dividend }} as bigint)) + cast({{ divisor }} as bigint)) // (2 * cast({{ divisor }} as bigint))
            )
        else try_cast(
            sign({{ dividend }}) * sign({{ divisor }})
            * ((2 * abs({{ dividend }}) + abs({{ divisor }})) // (2 * abs({{ divisor }}))) as bigint
        )
    end
{%- endmacro %}


{#- One whole number less another. -#}
{% macro whole_difference(minuend, subtrahend) -%}
    {{ adapter.dispatch('whole_difference', 'analytics_assets')(minuend, subtrahend) }}
{%- endmacro %}

{% macro default__whole_difference(minuend, subtrahend) -%}
    try_cast({{ wide_integer(minuend) }} - {{ wide_integer(subtrahend) }} as bigint)
{%- endmacro %}


{#- One whole number divided by another, both above 0, rounded up. Null where there is nothing to divide by. -#}
{% macro whole_quotient_up(dividend, divisor) -%}
    {{ adapter.dispatch('whole_quotient_up', 'analytics_assets')(dividend, divisor) }}
{%- endmacro %}

{% macro default__whole_quotient_up(dividend, divisor) -%}
    (({{ wide_integer(dividend) }} + {{ divisor }} - 1) // nullif({{ divisor }}, 0))
{%- endmacro %}


{#- A whole number in 128 bits. -#}
{% macro wide_integer(expression) -%}
    {{ adapter.dispatch('wide_integer', 'analytics_assets')(expression) }}
{%- endmacro %}

{% macro default__wide_integer(expression) -%}
    cast({{ expression }} as hugeint)
{%- endmacro %}


{#- One whole number divided by another, to four digits, rounded half away from zero; null where there is nothing to
    divide by. -#}
{% macro share(part, whole) -%}
    {{ whole_quotient(wide_integer(part) ~ ' * 10000', whole) }} / cast(10000 as double precision)
{%- endmacro %}


{#- Seconds as hours, rounded half away from zero to two digits. -#}
{% macro hours(seconds) -%}
    {{ adapter.dispatch('hours', 'analytics_assets')(seconds) }}
{%- endmacro %}

{% macro default__hours(seconds) -%}
    try_cast({{ whole_quotient(wide_integer(seconds) ~ ' * 100', 3600) }} * 0.01 as decimal(18, 2))
{%- endmacro %}


{#- A sum of whole numbers as a whole number; engines widen it to a type of their own. -#}
{% macro whole_sum(expression) -%}
    {{ adapter.dispatch('whole_sum', 'analytics_assets')(expression) }}
{%- endmacro %}

{% macro default__whole_sum(expression) -%}
    try_cast(coalesce(sum({{ expression }}), 0) as bigint)
{%- endmacro %}
