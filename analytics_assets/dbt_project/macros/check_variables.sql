{#- Looks at every variable before anything is built: called on run start. A wrong one ends the run with one sentence,
    while the marts are still those of the last good run; found later, it would have filled half of them. -#}
{% macro check_variables() -%}
    {%- if execute -%}
        {%- set days = ['MONDAY', 'TUESDAY', 'WEDNESDAY', 'THURSDAY', 'FRIDAY', 'SATURDAY', 'SUNDAY'] -%}
        {%- if (var('default_week_start') | string | upper) not in days -%}
            {{ refuse_variable('default_week_start', 'one of ' ~ days | join(', ')) }}
        {%- endif -%}
        {%- if var('default_currency') and not modules.re.match('^[A-Z]{3}\\Z', var('default_currency') | string) -%}
            {{ refuse_variable('default_currency', 'an ISO 4217 code such as EUR, or empty') }}
        {%- endif -%}
        {%- if not is_number_between(var('weekly_capacity_hours'), 0, 168, whole=false) -%}
            {{ refuse_variable('weekly_capacity_hours', 'a number of hours from 0 to 168') }}
        {%- endif -%}
        {%- if not is_number_between(var('burn_rate_days'), 1, 3650) -%}
            {{ refuse_variable('burn_rate_days', 'a whole number of days from 1 to 3650') }}
        {%- endif -%}
        {%- if not is_number_between(var('month_close_days'), 0, 365) -%}
            {{ refuse_variable('month_close_days', 'a whole number of days from 0 to 365') }}
        {%- endif -%}
        {%- if var('as_of_date') and not is_date(var('as_of_date')) -%}
            {{ refuse_variable('as_of_date', 'a date from 1970-01-01 to 2099-12-31 such as 2025-06-30, or empty') }}
        {%- endif -%}
        {%- if not is_known_time_zone(var('default_time_zone') | string) -%}
            {{ refuse_variable('default_time_zone', 'the IANA name of a time zone such as Europe/Berlin') }}
        {%- endif -%}
        {%- if var('reporting_time_zone') and not is_known_time_zone(var('reporting_time_zone') | string) -%}
            {{ refuse_variable('reporting_time_zone', 'the IANA name of a time zone such as Europe/Berlin, or empty') }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}


{#- Ends the run. -#}
{% macro refuse_variable(name, expected) -%}
    {{ exceptions.raise_compiler_error(
        "The dbt variable " ~ name ~ " is '" ~ var(name) ~ "', but it must be " ~ expected ~ "; no model was built."
    ) }}
{%- endmacro %}


{#- Whether a value is a number, or a text of one, between two others, both included. -#}
{% macro is_number_between(value, lowest, highest, whole=true) -%}
    {%- set pattern = '^[0-9]{1,6}\\Z' if whole else '^[0-9]{1,6}([.][0-9]{1,6})?\\Z' -%}
    {%- set is_number = modules.re.match(pattern, value | string) is not none and value is not boolean -%}
    {{ return(is_number and lowest <= (value | float) <= highest) }}
{%- endmacro %}


{#- Whether a text is a date in the years that entries may lie in. -#}
{% macro is_date(text) -%}
    {%- set parts = modules.re.match('^(19[7-9][0-9]|20[0-9]{2})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])\\Z', text | string) -%}
    {%- if parts is none -%}
        {{ return(false) }}
    {%- endif -%}
    {%- set first = modules.datetime.date(parts.group(1) | int, parts.group(2) | int, 1) -%}
    {%- set day = first + modules.datetime.timedelta(days=(parts.group(3) | int) - 1) -%}
    {{ return(day.month == first.month) }}
{%- endmacro %}


{#- Whether the warehouse converts to a time zone of this name, spelled so. -#}
{% macro is_known_time_zone(name) -%}
    {%- set found = run_query(
        "select 1 from " ~ known_time_zones() ~ " as zones where zones.name = '" ~ name | replace("'", "''") ~ "'"
    ) -%}
    {{ return(found.rows | length > 0) }}
{%- endmacro %}
