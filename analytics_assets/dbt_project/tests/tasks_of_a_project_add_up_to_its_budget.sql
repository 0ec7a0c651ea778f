{{ config(meta={'dagster': {'ref': {'name': 'task_budgets'}}}) }}

{#- What was tracked on the tasks of a project, and on none of them, is what was tracked on the project. -#}

with parts as (

    select
        project_id,
        -tracked_seconds as tracked_seconds,
        -billable_seconds as billable_seconds

    from {{ ref('project_budgets') }}

    union all

    select
        project_id,
        tracked_seconds,
        billable_seconds

    from {{ ref('task_budgets') }}
    where project_id in (select project_id from {{ ref('project_budgets') }})

    union all

    select
        entries.project_id,
        entries.duration_seconds,
        case when entries.is_billable then entries.duration_seconds else 0 end

    from {{ ref('fct_time_entries') }} as entries
    where entries.project_id in (select project_id from {{ ref('project_budgets') }})
        and entries.work_date <= (select max(as_of_date) from {{ ref('project_budgets') }})
        and not exists (
            select 1
            from {{ ref('dim_tasks') }} as tasks
            where tasks.task_id = entries.task_id
                and tasks.project_id = entries.project_id
        )

)

select
    project_id,
    sum(tracked_seconds) as tracked_seconds_difference,
    sum(billable_seconds) as billable_seconds_difference

from parts
group by project_id
having sum(tracked_seconds) <> 0
    or sum(billable_seconds) <> 0
