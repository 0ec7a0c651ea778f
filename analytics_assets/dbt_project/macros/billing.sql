{#- What entries bill and what they cost, rows to be summed by currency: time and amount count under the currency of the
    amount, cost under its own, so that two currencies are never added up. An entry whose cost is in another currency has
    two rows, and both say so in `has_cost_in_other_currency`, which is 1 or 0. `keys` are expressions to select besides. -#}
{% macro amounts_and_costs(entries, keys) -%}
    select
        {%- for key in keys %}
        {{ key }},
        {%- endfor %}
        currency,
        duration_seconds as tracked_seconds,
        case when is_billable then duration_seconds else 0 end as billable_seconds,
        amount_minor,
        case when cost_currency is not distinct from currency then cost_minor else 0 end as cost_minor,
        case when cost_currency is distinct from currency and cost_minor <> 0 then 1 else 0 end
            as has_cost_in_other_currency

    from {{ entries }}

    union all

    select
        {%- for key in keys %}
        {{ key }},
        {%- endfor %}
        cost_currency as currency,
        0 as tracked_seconds,
        0 as billable_seconds,
        0 as amount_minor,
        cost_minor,
        1 as has_cost_in_other_currency

    from {{ entries }}
    where cost_currency is distinct from currency
        and cost_minor <> 0
{%- endmacro %}
