{#- Money for a number of seconds at an hourly rate, both in minor units, rounded half away from zero. The product is
    made in 128 bits, because rate times seconds may leave 64. -#}
{% macro minor_units(rate_minor, seconds) -%}
    {{ whole_quotient(wide_integer(rate_minor) ~ ' * ' ~ seconds, 3600) }}
{%- endmacro %}


{#- The workspace's own currency, a select of one row with the column `currency`: the variable `default_currency`, else
    the currency of most billable rates among the given entries, the first by the alphabet where several are equal. No
    resource of the API names it. -#}
{% macro workspace_currency(entries) -%}
    {%- set given = var('default_currency') -%}
    {%- if given -%}
        select cast('{{ given }}' as varchar) as currency
    {%- else -%}
        select max(most_used.currency) as currency
        from (
            select hourly_rate_currency as currency
            from {{ entries }}
            where hourly_rate_currency is not null
            group by hourly_rate_currency
            order by count(*) desc, hourly_rate_currency
            limit 1
        ) as most_used
    {%- endif -%}
{%- endmacro %}


{#- The currency that an entry's amount counts under. Time without a rate belongs under the currency that the client is
    billed in; what the member costs says nothing about it. -#}
{% macro amount_currency(entry, project, workspace) -%}
    coalesce(
        {{ entry }}.hourly_rate_currency,
        {{ project }}.client_currency,
        {{ project }}.hourly_rate_currency,
        {{ workspace }}.currency
    )
{%- endmacro %}


{#- The currency that an entry's cost counts under. -#}
{% macro cost_currency(entry, project, workspace) -%}
    coalesce({{ entry }}.cost_rate_currency, {{ amount_currency(entry, project, workspace) }})
{%- endmacro %}
