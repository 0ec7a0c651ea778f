{#- What is believed of the API's values, and names for what is not. A record may say that an hour costs 9 * 10^18 cents or
    that work ended in the year 9999: such a value is null in the models, or counts as described, and stands by name in
    the column `implausible_fields`, which a check reads. -#}

{#- The largest sum of money, in minor units, and the longest duration, in seconds, that a single record may speak of:
    10 trillion euros and 31,000 years. Nine thousand of them still add up in 64 bits. -#}
{% macro largest_minor() -%}
    1000000000000000
{%- endmacro %}

{% macro longest_seconds() -%}
    1000000000000
{%- endmacro %}


{#- The days after which an entry counts as too long to be spread over the days that it spans. -#}
{% macro longest_entry_days() -%}
    366
{%- endmacro %}


{#- A number, or null where it is further from 0 than the largest. -#}
{% macro plausible_number(expression, largest) -%}
    case when {{ expression }} between -{{ largest }} and {{ largest }} then {{ expression }} end
{%- endmacro %}


{#- The start of an entry, or null where it lies before 1970 or after 2099: no month and no week is made for it. -#}
{% macro plausible_start(column) -%}
    case
        when {{ column }} >= timestamp with time zone '1970-01-01 00:00:00+00'
            and {{ column }} < timestamp with time zone '2100-01-01 00:00:00+00'
            then {{ column }}
    end
{%- endmacro %}


{#- The end of an entry, or null where no calendar of four digits has it. -#}
{% macro plausible_end(column) -%}
    case
        when {{ column }} >= timestamp with time zone '0001-01-01 00:00:00+00'
            and {{ column }} < timestamp with time zone '9999-12-31 00:00:00+00' + interval '1 day'
            then {{ column }}
    end
{%- endmacro %}


{#- Whether a JSON value is neither none nor of the type (ARRAY or OBJECT) that its column is for. -#}
{% macro has_json_of_another_type(column, type) -%}
    {{ adapter.dispatch('has_json_of_another_type', 'analytics_assets')(column, type) }}
{%- endmacro %}

{% macro default__has_json_of_another_type(column, type) -%}
    json_type({{ column }}) not in ('{{ type }}', 'NULL')
{%- endmacro %}


{#- Whether a JSON value says anything: none, an empty text, an empty object and one whose `estimate` is none do not. -#}
{% macro has_a_json_value(column) -%}
    {{ adapter.dispatch('has_a_json_value', 'analytics_assets')(column) }}
{%- endmacro %}

{% macro default__has_a_json_value(column) -%}
    (
        json_extract_string({{ column }}, '$') not in ('', '{}')
        and (json_type({{ column }}) <> 'OBJECT' or json_extract_string({{ column }}, '$.estimate') is not null)
    )
{%- endmacro %}


{#- The names of the fields whose condition holds, separated by commas; null where none does. -#}
{% macro names_of(conditions) -%}
    nullif(concat_ws(
        ', '
        {%- for name, condition in conditions.items() %},
        case when {{ condition }} then '{{ name }}' end
        {%- endfor %}
    ), '')
{%- endmacro %}


{#- The conditions under which JSON columns are of another type than the one that they are for. -#}
{% macro json_of_other_types(arrays=[], objects=[]) -%}
    {%- set conditions = {} -%}
    {%- for column in arrays %}{% do conditions.update({column: has_json_of_another_type(column, 'ARRAY')}) %}{% endfor -%}
    {%- for column in objects %}{% do conditions.update({column: has_json_of_another_type(column, 'OBJECT')}) %}{% endfor -%}
    {{ return(conditions) }}
{%- endmacro %}
