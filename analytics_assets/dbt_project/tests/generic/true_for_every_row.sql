{#- A condition on one row holds for all of them; a condition that is neither true nor false does not. -#}
{% test true_for_every_row(model, condition) %}
    select *

    from {{ model }}
    where not coalesce({{ condition }}, false)
{% endtest %}
