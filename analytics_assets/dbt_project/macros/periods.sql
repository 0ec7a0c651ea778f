{#- The date that something counts on where days begin at an hour: something that began at a local time before that hour
    counts on the day before. -#}
{% macro resetting_date(local_time, hour) -%}
    cast({{ local_time }} - {{ hour }} * interval '1 hour' as date)
{%- endmacro %}


{#- The date on which a project's estimate or budget starts anew in the week, month or year (by `reset`: WEEKLY, MONTHLY,
    YEARLY) that a date lies in, or so many of them later; null for any other reset, which never starts anew. The last day
    of the month stands for a day that the month does not have. -#}
{% macro reset_date(reset, date, project, later=0) -%}
    {%- set month = month_start(date) ~ " + interval '" ~ later ~ " months'" -%}
    {%- set year = "date_trunc('year', " ~ date ~ ") + interval '" ~ later ~ " years' + (" ~ project
        ~ ".reset_month - 1) * interval '1 month'" -%}
    case upper({{ reset }})
        when 'WEEKLY' then {{ week_start(date, project ~ '.reset_iso_weekday') }} + {{ 7 * later }}
        {%- for name, first in [('MONTHLY', month), ('YEARLY', year)] %}
        when '{{ name }}' then least(
            cast({{ first }} as date) + cast({{ project }}.reset_day_of_month - 1 as integer),
            cast({{ first }} + interval '1 month' as date) - 1
        )
        {%- endfor %}
    end
{%- endmacro %}


{#- The first day of the period that a date lies in. -#}
{% macro period_start(reset, date, project) -%}
    case
        when {{ reset_date(reset, date, project) }} <= {{ date }} then {{ reset_date(reset, date, project) }}
        else {{ reset_date(reset, date, project, later=-1) }}
    end
{%- endmacro %}


{#- The first day of the next such period; null where there is none. -#}
{% macro next_period_start(reset, date, project) -%}
    case
        when {{ reset_date(reset, date, project) }} <= {{ date }} then {{ reset_date(reset, date, project, later=1) }}
        else {{ reset_date(reset, date, project) }}
    end
{%- endmacro %}


{#- Whether something that began on a local date, at a local time, lies in the period that began on a date, at an hour;
    everything does where there is no period. The time is asked for on that one date alone, because engines take
    microseconds to convert each. -#}
{% macro is_in_period(local_date, local_time, period_start, hour) -%}
    case
        when {{ period_start }} is null or {{ local_date }} > {{ period_start }} then true
        when {{ local_date }} = {{ period_start }}
            then coalesce({{ local_time }} >= cast({{ period_start }} as timestamp) + {{ hour }} * interval '1 hour', false)
        else false
    end
{%- endmacro %}


{#- The date on which something is used up if it goes on like in the last days: what remains, divided by what was used in
    so many days, counted from today. Null when nothing was used, more than ten years ahead, or not before `next_start`,
    when it starts anew. -#}
{% macro projected_date(remaining, used_recently, days_of_use, next_start) -%}
    {%- set days = whole_quotient_up(wide_integer(remaining) ~ ' * ' ~ days_of_use, used_recently) -%}
    case
        when {{ used_recently }} > 0 and {{ days }} between 0 and 3650
            and coalesce({{ as_of_date() }} + cast(least(greatest({{ days }}, 0), 3650) as integer) < {{ next_start }}, true)
            then {{ as_of_date() }} + cast(least(greatest({{ days }}, 0), 3650) as integer)
    end
{%- endmacro %}
