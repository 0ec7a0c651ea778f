{#- When a month is closed, and which month each version of an entry is of. -#}

{#- The moment from which a month (its first day) counts as closed: its end in a time zone, plus the variable
    `month_close_days`. -#}
{% macro month_closing_time(month, time_zone) -%}
    {%- set days = var('month_close_days') | int -%}
    {{ local_day_start("cast(" ~ month ~ " + interval '1 month' + interval '" ~ days ~ " days' as date)", time_zone) }}
{%- endmacro %}


{#- When each month of a relation closes in each of its time zones, a select with the columns `entry_month`, `time_zone` and
    `month_closes_at`. There are few of them; engines take microseconds to convert each row of the relation. -#}
{% macro closing_times(relation, month, time_zone) -%}
    select
        {{ month }} as entry_month,
        {{ time_zone }} as time_zone,
        {{ month_closing_time(month, time_zone) }} as month_closes_at
    from {{ relation }}
    group by {{ month }}, {{ time_zone }}
{%- endmacro %}


{#- Named parts of a query, after the relation and before what is selected: the last of them, `versions`, has its rows with
    the month that each starts in, `entry_month`, and when that month closes, `month_closes_at`.
    The relation has the columns `started_at` and `time_zone`. -#}
{% macro versions_with_months(relation) -%}
offsets as (

    {{ zone_offsets(relation, 'started_at', 'time_zone') }}

),

dated as (

    select
        {{ relation }}.*,
        {{ month_start(local_date_by('offsets', relation ~ '.started_at', relation ~ '.time_zone')) }} as entry_month

    from {{ relation }}
    {{ join_offsets('offsets', relation ~ '.started_at', relation ~ '.time_zone') }}

),

months as (

    {{ closing_times('dated', 'entry_month', 'time_zone') }}

),

versions as (

    select
        dated.*,
        months.month_closes_at

    from dated
    left join months
        on dated.entry_month = months.entry_month
        and dated.time_zone = months.time_zone

)
{%- endmacro %}
