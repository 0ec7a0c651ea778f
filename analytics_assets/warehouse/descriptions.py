"""What the tables of `raw` and `raw_history` and their columns mean, in the words that stand as comments in the warehouse.

The columns of the API are described where they are declared, in `source/columns.py`; here are the ones that a sync adds.
"""

from typing import Final

from analytics_assets.source.columns import Table

LOADED_AT: Final = "_loaded_at"
VALID_TO: Final = "_valid_to"
CHANGE: Final = "_change"

PUBLICATIONS_TABLE: Final = (
    "One row per sync and resource: what was read when, whether or not it changed anything. Where a sync has met members whose "
    "lists had not been read for the months before its own, a second row of time_entries says that it read those of them too; "
    "what that changed is counted in the first."
)
PUBLICATIONS_COLUMNS: Final = {
    "published_at": "When the sync was published, UTC.",
    "resource": "The resource that was read.",
    "window_start": "Time entries that start from here on were read, UTC; null for other resources.",
    "window_end": "Time entries that start before this were read, UTC; null when no end was set.",
    "rows_read": "Rows that the API listed.",
    "rows_new": "Rows among them that the warehouse did not have.",
    "rows_changed": "Rows among them that differed from the warehouse.",
    "rows_deleted": "Rows of the warehouse that the API no longer had.",
    "read_began_at": "When the reading began, UTC; what it covers ends there.",
    "voided_at": "When the table was made anew or got another declared column, so that this reading covers it no more, UTC.",
    "lists_not_read": "Ids of the members whose time entries were not read, because the API refused them or no longer lists the "
    "member; empty when all were read, null for other resources and where a sync of an earlier version did not write it.",
    "lists_read": "Ids of the members whose time entries alone were read, in such a second row; null where those of all were, "
    "but for lists_not_read.",
}
BUILT_TABLE: Final = "One row per model and check: what it was built from, so that a sync can leave it as it is."
BUILT_COLUMNS: Final = {
    "node": "The model or check, as dbt names it.",
    "built_from": "Fingerprint of the raw tables, variables, project and day that it was built from.",
    "row_count": "Rows of the model when it was built; null for a check.",
    "report": "What was reported about it then.",
    "built_at": "When it was built, UTC.",
}


def table_description(table: Table, *, history: bool) -> str:
    """What a row of the table is."""
    return f"One row per superseded version of a row of raw.{table.name}." if history else table.description


def column_descriptions(table: Table, *, history: bool) -> dict[str, str]:
    """What the columns mean that the table always has, in order."""
    described = {column.name: column.description for column in table.columns}
    if table.parent_column:
        parent = (table.parent or "").removesuffix("s")
        described[table.parent_column] = f"Id of the {parent} under which the row was listed."
    described[LOADED_AT] = "When this version of the row was published to the warehouse, UTC; the same for all rows of one sync."
    if history:
        described[VALID_TO] = "When the sync was published that no longer met this version, UTC."
        described[CHANGE] = "What ended this version: edited (a newer one took its place) or deleted (the record left the API)."
    return described
