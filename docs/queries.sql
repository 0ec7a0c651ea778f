-- The queries of the report, each under the name that the page gives it. They are plain DuckDB: begin a session on the
-- warehouse or its copy with the next two statements, the zone of all moments and the date that counts as today, and run
-- any of them.

set timezone = 'UTC';

set variable as_of = coalesce(
    (select max(as_of_date) from marts.project_budgets),
    (select cast(max(published_at) as date) from raw._publications),
    today()
);

-- name: last_sync
-- What the last sync published, a row per resource: of time entries the months of all members, and not those further back of
-- single ones.
select resource, published_at, window_start, window_end, rows_read
from raw._publications
where published_at = (select max(published_at) from raw._publications)
qualify row_number() over (partition by resource order by window_start desc) = 1
order by resource;

-- name: date_of_marts
-- The date that counted as today when the marts were built.
select max(as_of_date) as as_of_date
from marts.project_budgets;

-- name: hours_by_month
-- Hours of the last 13 closed months, and of the present one up to today.
select cast(date_trunc('month', work_date) as date) as month,
       cast(sum(tracked_seconds) as bigint) as tracked_seconds,
       cast(sum(work_seconds) as bigint) as work_seconds,
       cast(sum(billable_work_seconds) as bigint) as billable_seconds
from marts.timesheet_daily
where work_date >= date_trunc('month', getvariable('as_of')) - interval 13 months
  and work_date <= getvariable('as_of')
group by all
order by month;

-- name: hours_at_the_same_day
-- Hours of the previous month up to the day of the month that today is.
select cast(coalesce(sum(tracked_seconds), 0) as bigint) as tracked_seconds
from marts.timesheet_daily
where work_date >= date_trunc('month', getvariable('as_of')) - interval 1 month
  and work_date <= getvariable('as_of') - interval 1 month;

-- name: money_by_month
-- Amounts and costs of the last 13 closed months, per currency.
select billing_month as month, currency, currency_exponent, sum(amount) as amount, sum(cost) as cost
from marts.billing_monthly
where billing_month >= date_trunc('month', getvariable('as_of')) - interval 13 months
  and billing_month < date_trunc('month', getvariable('as_of'))
  and currency is not null
group by all
having sum(amount) <> 0 or sum(cost) <> 0
order by currency, month;

-- name: hours_by_week_and_client
-- Hours of the last 26 complete weeks and of the present one up to today, per client; weeks begin on Monday.
select cast(date_trunc('week', work_date) as date) as week, client_id, max(client_name) as client_name,
       cast(sum(tracked_seconds) as bigint) as tracked_seconds
from marts.timesheet_daily
where work_date >= date_trunc('week', getvariable('as_of')) - interval 26 weeks
  and work_date <= getvariable('as_of')
group by week, client_id
having sum(tracked_seconds) > 0
order by week, client_id nulls last;

-- name: billable_by_week
-- Work, and what of it is billed, in the same weeks.
select cast(date_trunc('week', work_date) as date) as week,
       cast(sum(work_seconds) as bigint) as work_seconds,
       cast(sum(billable_work_seconds) as bigint) as billable_seconds
from marts.timesheet_daily
where work_date >= date_trunc('week', getvariable('as_of')) - interval 26 weeks
  and work_date <= getvariable('as_of')
group by week
order by week;

-- name: money_by_client
-- What the last closed month brought and cost, per client and currency.
select client_id, max(client_name) as client_name, currency, currency_exponent,
       cast(sum(tracked_seconds) as bigint) as tracked_seconds,
       cast(sum(billable_seconds) as bigint) as billable_seconds,
       sum(amount) as amount, sum(cost) as cost,
       case when not bool_or(has_cost_in_other_currency) then sum(margin) end as margin
from marts.billing_monthly
where billing_month = date_trunc('month', getvariable('as_of')) - interval 1 month
group by client_id, currency, currency_exponent
order by currency nulls last, client_id is null, amount desc, client_id;

-- name: capacity_by_member
-- Work and capacity of the last eight complete weeks of each member who is here or worked in them.
with weeks as (
    select user_id, cast(sum(work_seconds) as bigint) as work_seconds,
           cast(sum(billable_seconds) as bigint) as billable_seconds,
           cast(sum(capacity_seconds) as bigint) as capacity_seconds
    from marts.utilization_weekly
    where week_start_date > getvariable('as_of') - 63 and week_start_date <= getvariable('as_of') - 7
    group by user_id
),
last_days as (
    select user_id, max(work_date) as last_date
    from marts.timesheet_daily
    where work_date <= getvariable('as_of') and tracked_seconds > 0
    group by user_id
)
select users.user_id, users.user_name, coalesce(weeks.work_seconds, 0) as work_seconds,
       coalesce(weeks.billable_seconds, 0) as billable_seconds, weeks.capacity_seconds, last_days.last_date
from marts.dim_users as users
left join weeks on users.user_id = weeks.user_id
left join last_days on users.user_id = last_days.user_id
where weeks.work_seconds > 0 or (not users.is_deleted and coalesce(users.status, 'ACTIVE') = 'ACTIVE')
order by coalesce(weeks.work_seconds / nullif(weeks.capacity_seconds, 0), 0) desc, last_date desc nulls last, users.user_id;

-- name: capacity_by_group
-- The same weeks of the members of each group; a member of two groups counts in both.
select members.user_group_id, max(members.user_group_name) as user_group_name,
       cast(sum(weeks.work_seconds) as bigint) as work_seconds,
       cast(sum(weeks.billable_seconds) as bigint) as billable_seconds,
       cast(sum(weeks.capacity_seconds) as bigint) as capacity_seconds
from marts.user_group_members as members
inner join marts.utilization_weekly as weeks on members.user_id = weeks.user_id
where weeks.week_start_date > getvariable('as_of') - 63 and weeks.week_start_date <= getvariable('as_of') - 7
  and not members.is_user_group_deleted
group by members.user_group_id
order by sum(weeks.work_seconds) / nullif(sum(weeks.capacity_seconds), 0) desc nulls last, members.user_group_id;

-- name: budgets
-- Estimates and budgets of the projects that are open, in seconds and in money.
with last_days as (
    select project_id, max(work_date) as last_date
    from marts.timesheet_daily
    where work_date <= getvariable('as_of') and tracked_seconds > 0
    group by project_id
),
limits as (
    select project_id, 'hours' as kind, estimate_seconds as planned_seconds, estimate_remaining_seconds as left_seconds,
           cast(null as decimal(38, 4)) as planned, cast(null as decimal(38, 4)) as left_over,
           estimate_used_share as used_share, estimate_exhaustion_date as used_up_on,
           estimate_period_start as period_start
    from marts.project_budgets
    where estimate_seconds is not null
    union all
    select project_id, 'money', null, null, budget, budget_remaining, budget_used_share, budget_exhaustion_date,
           budget_period_start
    from marts.project_budgets
    where budget_minor is not null
)
select limits.*, projects.project_name, projects.client_name, projects.currency, projects.currency_exponent,
       last_days.last_date
from limits
inner join marts.project_budgets as projects on limits.project_id = projects.project_id
left join last_days on limits.project_id = last_days.project_id
where not projects.is_archived and not projects.is_deleted
order by limits.used_share desc nulls last, limits.project_id, limits.kind;

-- name: changes_by_month_and_client
-- What was first seen in the last 90 days to have changed in hours or money of a month that had ended.
select entry_month as month, client_id, max(client_name) as client_name, currency, currency_exponent,
       count(*) filter (change_type = 'added') as added,
       count(*) filter (change_type = 'edited') as edited,
       count(*) filter (change_type = 'deleted') as deleted,
       cast(sum(seconds_difference) as bigint) as seconds_difference, sum(amount_difference) as amount_difference,
       count(*) filter (
           amount_difference is null and (coalesce(before_amount_minor, 0) <> 0 or coalesce(after_amount_minor, 0) <> 0)
       ) as not_in_amount
from marts.time_entry_changes
where is_billing_relevant and first_seen_at >= getvariable('as_of') - interval 90 days
  and first_seen_at < getvariable('as_of') + interval 1 day
group by entry_month, client_id, currency, currency_exponent
order by month desc, client_id nulls last, currency nulls last;

-- name: largest_changes
-- The ten of them that move most hours.
select time_entry_id, change_type, first_seen_at, entry_month as month, user_name, client_name, project_name,
       changed_fields, seconds_difference, amount_difference, currency, currency_exponent, is_certainly_late
from marts.time_entry_changes
where is_billing_relevant and first_seen_at >= getvariable('as_of') - interval 90 days
  and first_seen_at < getvariable('as_of') + interval 1 day
order by abs(seconds_difference) desc, first_seen_at desc, time_entry_id
limit 10;
