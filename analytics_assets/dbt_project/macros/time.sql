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
