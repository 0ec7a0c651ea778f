{#- Sums of a model equal those of the table that it was made from, group by group. `group_by` and `sums` name an
    expression of the model and, for it, one of the other table. Empty groups compare as 0. -#}
{% test sums_equal(model, to, sums, group_by={}, to_where='true') %}
    select
        {%- for name in group_by %}
        {{ name }},
        {%- endfor %}
        {%- for name in sums %}
        sum({{ name }}) as {{ name }}_difference{{ "," if not loop.last }}
        {%- endfor %}

    from (
        select {{ (group_by.keys() | list + sums.keys() | list) | join(', ') }}
        from {{ model }}

        union all

        select
            {%- for expression in group_by.values() %}
            {{ expression }},
            {%- endfor %}
            {%- for expression in sums.values() %}
            -({{ expression }}){{ "," if not loop.last }}
            {%- endfor %}
        from {{ to }} as compared
        where {{ to_where }}
    ) as model_less_compared
    {%- if group_by %}
    group by {{ group_by.keys() | join(', ') }}
    {%- endif %}
    having {% for name in sums %}coalesce(sum({{ name }}), 0) <> 0{{ " or " if not loop.last }}{% endfor %}
{% endtest %}
