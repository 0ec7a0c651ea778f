{#- Whole seconds from 0 on, rounded to a multiple of `step` seconds; a direction that is null leaves them as they are. -#}
{% macro rounded_seconds(seconds, step, direction) -%}
    case {{ direction }}
        when 'DOWN' then {{ seconds }} - {{ seconds }} % {{ step }}
        when 'UP' then {{ seconds }} + ({{ step }} - {{ seconds }} % {{ step }}) % {{ step }}
        when 'NEAREST' then {{ seconds }} - {{ seconds }} % {{ step }}
            + case when 2 * ({{ seconds }} % {{ step }}) >= {{ step }} then {{ step }} else 0 end
        else {{ seconds }}
    end
{%- endmacro %}
