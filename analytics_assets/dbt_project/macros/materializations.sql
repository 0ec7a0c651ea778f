{#-
    Tables and views that are replaced in place. dbt's own materializations build under another name, rename twice, drop
    the old relation and ask for the columns twice: half of what a model cost. DuckDB replaces a relation inside a
    transaction, so readers and a run that fails see the old one until it is committed, as there.
-#}

{% materialization table, adapter='duckdb' %}
    {{ return({'relations': [replaced_relation('table')]}) }}
{% endmaterialization %}

{% materialization view, adapter='duckdb' %}
    {{ return({'relations': [replaced_relation('view')]}) }}
{% endmaterialization %}

{% macro replaced_relation(type) %}
    {%- set existing = load_cached_relation(this) -%}
    {%- set target = this.incorporate(type=type) -%}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {% if existing is not none and existing.type != type %}
        {% do adapter.drop_relation(existing) %}
    {% endif %}
    {% call statement('main') -%}
        {%- if type == 'view' -%}
            {#- Without the database: DuckDB calls a database like its file, so that a view which names it breaks in a
                copy, after a renaming and when the file is attached under another name (all three tried). -#}
            create or replace view {{ target }} as (
                {{ sql | replace('"' ~ target.database ~ '".', '') }}
            );
        {%- elif config.get('contract').enforced -%}
            {%- if model.constraints or model.columns.values() | selectattr('constraints') | list -%}
                {%- do exceptions.raise_compiler_error('constraints are not made here; say the same with a test') -%}
            {%- endif -%}
            create or replace table {{ target }} as (
                {{ get_select_subquery(sql) }}
            );
        {%- else -%}
            create or replace table {{ target }} as (
                {{ sql }}
            );
        {%- endif -%}
    {%- endcall %}
    {% if type == 'table' and config.get('contract').enforced %}
        {#- of the table, before it is committed: asking the query for its columns plans it once more -#}
        {% do get_assert_columns_equivalent('select * from ' ~ target) %}
    {% endif %}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {% do persist_docs(target, model) %}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return(target) }}
{% endmacro %}

{#- All comments of a relation in one statement. A column that is described and not there fails the build. -#}
{% macro duckdb__persist_docs(relation, model, for_relation, for_columns) %}
    {% set comments %}
        {%- if for_relation and config.persist_relation_docs() and model.description %}
            comment on {{ relation.type }} {{ relation }} is {{ duckdb_escape_comment(model.description) }};
        {%- endif %}
        {%- if for_columns and config.persist_column_docs() %}
            {%- for column in model.columns.values() if column.description %}
                comment on column {{ relation }}.{{ adapter.quote(column.name) }} is {{ duckdb_escape_comment(column.description) }};
            {%- endfor %}
        {%- endif %}
    {% endset %}
    {% if comments | trim %}
        {% do run_query(comments) %}
    {% endif %}
{% endmacro %}
