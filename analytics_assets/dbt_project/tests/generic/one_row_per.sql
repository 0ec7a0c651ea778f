{#- Every row has its own key. The key's columns must be filled, but for those named in `nullable`. -#}
{% test one_row_per(model, columns, nullable=[]) %}
    select
        {{ columns | join(', ') }},
        count(*) as row_count

    from {{ model }}
    group by {{ columns | join(', ') }}
    having count(*) > 1
    {%- for column in columns if column not in nullable %}
        or {{ column }} is null
    {%- endfor %}
{% endtest %}
