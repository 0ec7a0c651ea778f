{#- Days, weeks and months. -#}

{#- The number of a weekday, Monday 1 to Sunday 7, from its English name in capitals; of the default, which is the
    variable `default_week_start`, for any other text. -#}
{% macro iso_weekday(name, default=none) -%}
    {%- set days = ['MONDAY', 'TUESDAY', 'WEDNESDAY', 'THURSDAY', 'FRIDAY', 'SATURDAY', 'SUNDAY'] -%}
    {%- set default = (default or var('default_week_start')) | upper -%}
    case {{ name }}
        {%- for day in days %}
        when '{{ day }}' then {{ loop.index }}
        {%- endfor %}
        else {{ days.index(default) + 1 }}
    end
{%- endmacro %}


{#- The number of a month, January 1 to December 12, from its English name in capitals or its number; 1 for any other
    text. -#}
{% macro month_number(name) -%}
    {%- set months = [
        'JANUARY', 'FEBRUARY', 'MARCH', 'APRIL', 'MAY', 'JUNE', 'JULY', 'AUGUST', 'SEPTEMBER', 'OCTOBER', 'NOVEMBER',
        'DECEMBER',
    ] -%}
    case
        {%- for month in months %}
        when {{ name }} in ('{{ month }}', '{{ loop.index }}') then {{ loop.index }}
        {%- endfor %}
        else 1
    end
{%- endmacro %}


{#- The moment at which a date begins in a time zone. Where clocks jump over midnight, it is the moment of the jump.
    Where they are set back from 1:00 to 0:00, midnight comes twice and engines pick the second (measured: DuckDB,
    America/Havana 2024-11-03); the first one is meant. -#}
{% macro local_day_start(date, time_zone) -%}
    {%- set midnight = "(cast(" ~ date ~ " as timestamp) at time zone " ~ time_zone ~ ")" -%}
    case
        when ({{ midnight }} - interval '1 hour') at time zone {{ time_zone }} >= cast({{ date }} as timestamp)
            then {{ midnight }} - interval '1 hour'
        else {{ midnight }}
    end
{%- endmacro %}


{#- The same, by a row of `zone_offsets` for midnight in UTC of the date itself or of the day before it: that row holds for a day
    more than its block, and a date begins less than a day from its midnight in UTC. -#}
{% macro local_day_start_by(offsets, date, time_zone) -%}
    case
        when {{ offsets }}.utc_offset is null then {{ local_day_start(date, time_zone) }}
        else {{ utc_moment('(cast(' ~ date ~ ' as timestamp) - ' ~ offsets ~ '.utc_offset)') }}
    end
{%- endmacro %}


{#- All dates from one to another, every `step_days` days: a table expression to stand after `cross join`, with one
    column. -#}
{% macro date_series(first, last, step_days=1) -%}
    {{ adapter.dispatch('date_series', 'analytics_assets')(first, last, step_days) }}
{%- endmacro %}

{% macro default__date_series(first, last, step_days) -%}
    unnest(generate_series(
        cast({{ first }} as timestamp), cast({{ last }} as timestamp), interval '{{ step_days }} days'
    ))
{%- endmacro %}


{#- The first day of the week that a date lies in, for weeks that begin on the given weekday (Monday 1 to Sunday 7). -#}
{% macro week_start(date, week_start_iso_day) -%}
    {{ date }} - cast((extract(isodow from {{ date }}) - {{ week_start_iso_day }} + 7) % 7 as integer)
{%- endmacro %}


{#- The first day of the month that a date lies in. -#}
{% macro month_start(date) -%}
    cast(date_trunc('month', {{ date }}) as date)
{%- endmacro %}


{#- The date that "now" is in models that look ahead: the variable `as_of_date`, else today in UTC. -#}
{% macro as_of_date() -%}
    {%- if var('as_of_date') -%}
        cast('{{ var("as_of_date") }}' as date)
    {%- else -%}
        cast(current_timestamp at time zone 'UTC' as date)
    {%- endif -%}
{%- endmacro %}
