{#- Dates, durations and time zones. Nothing here depends on the time zone of the session. -#}

{#- The wall clock of UTC at a timestamp. (DuckDB's `at time zone 'UTC'` goes through its calendar, ten times slower.) -#}
{% macro utc_clock(timestamp) -%}
    {{ adapter.dispatch('utc_clock', 'analytics_assets')(timestamp) }}
{%- endmacro %}

{% macro default__utc_clock(timestamp) -%}
    (({{ timestamp }}) at time zone 'UTC')
{%- endmacro %}

{% macro duckdb__utc_clock(timestamp) -%}
    make_timestamp(epoch_us({{ timestamp }}))
{%- endmacro %}


{#- The timestamp at which the wall clock of UTC shows a time. -#}
{% macro utc_moment(clock) -%}
    {{ adapter.dispatch('utc_moment', 'analytics_assets')(clock) }}
{%- endmacro %}

{% macro default__utc_moment(clock) -%}
    ({{ clock }} at time zone 'UTC')
{%- endmacro %}

{% macro duckdb__utc_moment(clock) -%}
    make_timestamptz(epoch_us({{ clock }}))
{%- endmacro %}


{#- The UTC date of a timestamp. -#}
{% macro utc_date(timestamp) -%}
    cast({{ utc_clock(timestamp) }} as date)
{%- endmacro %}


{#- The time zone that a member's days are counted in: the variable `reporting_time_zone`, else the member's own (of a row
    of dim_users), else the variable `default_time_zone`. -#}
{% macro counting_time_zone(user) -%}
    {%- if var('reporting_time_zone') -%}
        cast('{{ var("reporting_time_zone") }}' as varchar)
    {%- else -%}
        coalesce({{ user }}.time_zone, '{{ var("default_time_zone") }}')
    {%- endif -%}
{%- endmacro %}


{#- The date of a timestamp in a time zone. -#}
{% macro local_date(timestamp, time_zone) -%}
    cast(({{ timestamp }}) at time zone {{ time_zone }} as date)
{%- endmacro %}


{#- The number of the block of four days, counted from 1970 in UTC, that a timestamp lies in. -#}
{% macro utc_block(timestamp) -%}
    {{ adapter.dispatch('utc_block', 'analytics_assets')(timestamp) }}
{%- endmacro %}

{% macro default__utc_block(timestamp) -%}
    cast(floor(extract(epoch from {{ timestamp }}) / 345600) as bigint)
{%- endmacro %}

{% macro duckdb__utc_block(timestamp) -%}
    (epoch_us({{ timestamp }}) // 345600000000)
{%- endmacro %}


{#- The wall clock of UTC so many days after the beginning of a block. -#}
{% macro block_clock(block, days) -%}
    {{ adapter.dispatch('block_clock', 'analytics_assets')(block, days) }}
{%- endmacro %}

{% macro default__block_clock(block, days) -%}
    (timestamp '1970-01-01 00:00:00' + ({{ block }} * 4 + {{ days }}) * interval '1 day')
{%- endmacro %}

{% macro duckdb__block_clock(block, days) -%}
    make_timestamp(({{ block }} * 4 + {{ days }}) * 86400000000)
{%- endmacro %}


{#- What clocks differ from UTC around each block of four days of a relation in each of its time zones, a select with the
    columns `time_zone`, `utc_block` and `utc_offset`. The offset is null where clocks are changed in the block or in the day
    before or after it. That they are not changed and changed back meanwhile is true since 1970: the shortest such time is
    seven days (north-east of Brazil in 2000, Gaza in 2011). -#}
{% macro zone_offsets(relation, timestamp, time_zone) -%}
    {%- set moments = {'offset_before': block_clock('utc_block', -1), 'offset_after': block_clock('utc_block', 5)} -%}
    select
        time_zone,
        utc_block,
        case when offset_before = offset_after then offset_before end as utc_offset

    from (
        select
            time_zone,
            utc_block,
            {%- for name, clock in moments.items() %}
            ({{ utc_moment(clock) }} at time zone time_zone) - {{ clock }} as {{ name }}{{ "," if not loop.last }}
            {%- endfor %}

        from (
            select distinct
                {{ time_zone }} as time_zone,
                {{ utc_block(timestamp) }} as utc_block
            from {{ relation }}
            where {{ timestamp }} is not null
        ) as blocks
    ) as blocks_with_offsets
{%- endmacro %}


{#- The date of a timestamp in a time zone, by a row of `zone_offsets` for its block or none. Engines take microseconds to
    convert each row of a large relation, so that only those are converted whose block has no offset. -#}
{% macro local_date_by(offsets, timestamp, time_zone) -%}
    case
        when {{ offsets }}.utc_offset is null then {{ local_date(timestamp, time_zone) }}
        else cast({{ utc_clock(timestamp) }} + {{ offsets }}.utc_offset as date)
    end
{%- endmacro %}


{#- The join of `zone_offsets`. -#}
{% macro join_offsets(offsets, timestamp, time_zone) -%}
    left join {{ offsets }}
        on {{ time_zone }} = {{ offsets }}.time_zone
        and {{ utc_block(timestamp) }} = {{ offsets }}.utc_block
{%- endmacro %}


{#- Seconds from one timestamp to another, counted in whole seconds of the clock, so that parts add up to the whole.
    (DuckDB's date_diff does the same through its calendar, seven times slower.) -#}
{% macro seconds_between(start, end) -%}
    {{ adapter.dispatch('seconds_between', 'analytics_assets')(start, end) }}
{%- endmacro %}

{% macro default__seconds_between(start, end) -%}
    (epoch_us({{ end }}) // 1000000 - epoch_us({{ start }}) // 1000000)
{%- endmacro %}


{#- The API's durations in seconds: ISO 8601 (`PT79H12M5S`, hours never roll into days) or a whole number of seconds.
    Null for anything else and for what is longer than a record may say. Fractions of a second are cut off. -#}
{% macro iso_duration_seconds(column) -%}
    {{ adapter.dispatch('iso_duration_seconds', 'analytics_assets')(column) }}
{%- endmacro %}

{% macro default__iso_duration_seconds(column) -%}
    case
        when regexp_full_match({{ column }}, '[0-9]{1,12}') then cast({{ column }} as bigint)
        when regexp_full_match(
            {{ column }}, 'P([0-9]{1,7}D)?(T([0-9]{1,8}H)?([0-9]{1,9}M)?([0-9]{1,9}([.][0-9]+)?S)?)?'
        ) and regexp_matches({{ column }}, '[0-9]')
        then
            {%- for unit, seconds in [('D', 86400), ('H', 3600), ('M', 60), ('S', 1)] %}
            case
                when {{ column }} like '%{{ unit }}%'
                    then try_cast(regexp_extract({{ column }}, '([0-9]{1,9})([.][0-9]+)?{{ unit }}', 1) as bigint)
                else 0
            end * {{ seconds }}{{ " +" if not loop.last }}
            {%- endfor %}
    end
{%- endmacro %}


{#- The time zones that the warehouse can convert to: a relation with one column, `name`. All columns of the function
    are named because dagster-dbt could not read the column lineage of the model without. -#}
{% macro known_time_zones() -%}
    {{ adapter.dispatch('known_time_zones', 'analytics_assets')() }}
{%- endmacro %}

{% macro default__known_time_zones() -%}
    (select zones.name from pg_timezone_names() as zones (name, abbreviation, utc_offset, is_summer_time))
{%- endmacro %}


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
