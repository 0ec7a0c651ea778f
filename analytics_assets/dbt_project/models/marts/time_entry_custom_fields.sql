with entries as (

    select
        time_entry_id,
        custom_field_values

    from {{ ref('stg_time_entries') }}
    where custom_field_values is not null

),

fields as (

    select
        entries.time_entry_id,
        elements.field

    from entries
    cross join {{ json_array_values('entries.custom_field_values') }} as elements (field)

),

field_values as (

    select
        fields.time_entry_id,
        {{ blank_to_null(json_text('fields.field', 'customFieldId')) }} as custom_field_id,
        {{ blank_to_null(json_text('fields.field', 'name')) }} as custom_field_name,
        {{ blank_to_null(json_text('fields.field', 'type')) }} as custom_field_type,
        texts.value_text

    from fields
    cross join {{ custom_field_texts('fields.field') }} as texts (value_text)
    where texts.value_text is not null
        and texts.value_text <> ''

)

select
    time_entry_id,
    custom_field_id,
    custom_field_name,
    min(custom_field_type) as custom_field_type,
    value_text,
    {{ text_number('value_text') }} as value_number,
    case value_text when 'true' then true when 'false' then false end as value_boolean,
    {{ text_date('value_text') }} as value_date

from field_values
group by time_entry_id, custom_field_id, custom_field_name, value_text
