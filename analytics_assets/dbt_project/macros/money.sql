{#- Money for a number of seconds at an hourly rate, both in minor units, rounded half away from zero. The product is
    made in 128 bits, because rate times seconds may leave 64. -#}
{% macro minor_units(rate_minor, seconds) -%}
    {{ whole_quotient(wide_integer(rate_minor) ~ ' * ' ~ seconds, 3600) }}
{%- endmacro %}


{#- A currency as its ISO 4217 code, in upper case: "eur" and "EUR" are one money, and are added up. -#}
{% macro currency_code(column) -%}
    {{ blank_to_null('upper(trim(' ~ column ~ '))') }}
{%- endmacro %}


{#- The currency of a rate of a raw table, by the beginning of its columns' names. A rate without an amount is none, whatever
    currency stands beside it: it may not say which currency time, cost or a budget counts under. -#}
{% macro rate_currency(rate) -%}
    case when {{ rate }}__amount is not null then {{ currency_code(rate ~ '__currency') }} end
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


{#- Digits after the decimal point of a currency: 0 for yen, 3 for dinars, 2 for all that ISO 4217 gives no other number
    of digits (List One of SIX, the agency that maintains the standard, as of January 2024). Null without a currency. -#}
{% macro currency_exponent(currency) -%}
    case
        when {{ currency }} is null then null
        when upper({{ currency }}) in (
            'BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'UYI', 'VND', 'VUV', 'XAF',
            'XOF', 'XPF'
        ) then 0
        when upper({{ currency }}) in ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') then 3
        when upper({{ currency }}) in ('CLF', 'UYW') then 4
        else 2
    end
{%- endmacro %}


{#- An amount in minor units as an exact decimal in units of its currency. 38 digits hold every whole number of 64 bits
    with four digits behind it. -#}
{% macro major_units(minor, exponent) -%}
    cast({{ minor }} * case {{ exponent }}
        when 0 then 1.0000 when 2 then 0.0100 when 3 then 0.0010 when 4 then 0.0001
    end as decimal(38, 4))
{%- endmacro %}
