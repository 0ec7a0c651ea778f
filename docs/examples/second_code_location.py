"""A second Dagster code location that builds on the marts: its asset is made whenever `marts/fct_time_entries` was.

It imports nothing of analytics_assets: the two locations share the keys of assets, an instance of Dagster, and the copy
for BI tools, which no sync waits for.
"""

import os

import duckdb
from dagster import AssetKey, AutomationCondition, Definitions, MaterializeResult, asset

TIME_ENTRIES = AssetKey(["marts", "fct_time_entries"])
READER_COPY = AssetKey(["report", "reader_copy"])


# eager() waits while a dependency is being made, so that the second one sees to it that the copy is the new one
@asset(deps=[TIME_ENTRIES, READER_COPY], automation_condition=AutomationCondition.eager(), group_name="invoicing")
def unbilled_hours() -> MaterializeResult:
    """Hours that are not billed, over all time entries."""
    path = os.environ.get("ANALYTICS_READER_PATH", "data/analytics_reader.duckdb")
    with duckdb.connect(path, read_only=True) as con:
        query = "select coalesce(sum(duration_seconds), 0) / 3600 from marts.fct_time_entries where not is_billable"
        (hours,) = con.execute(query).fetchall()[0]
    return MaterializeResult(metadata={"hours": float(hours)})


defs = Definitions(assets=[unbilled_hours])
