{#- The date that something counts on where days begin at an hour: something that began at a local time before that hour
    counts on the day before. -#}
{% macro resetting_date(local_time, hour) -%}
    cast({{ local_time }} - {{ hour }} * interval '1 hour' as date)
{%- endmacro %}
