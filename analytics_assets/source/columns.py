"""The declared columns of the seven resources: where a value stands in a record, its type, what it means.

Only declarations belong here, in the words of the people who query the tables. How a value is read and converted
is decided in `arrow.py`.
"""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal, get_args

from dlt.common.normalizers.naming.snake_case import NamingConvention

DataType = Literal["text", "bigint", "bool", "double", "timestamp", "json"]
ResourceName = Literal["users", "projects", "clients", "tags", "user_groups", "time_entries", "tasks"]

RESOURCE_NAMES: tuple[ResourceName, ...] = get_args(ResourceName)

READ_AT: Final = "_read_at"
"""Column of every page that is read: the moment of its answer. Under plain dlt the later of two readings of a record counts."""
ANSWER: Final = "_answer"
"""Column of every page that is read: the number of the answer that it came in, within its list, see `paging.py`."""

LONGEST_NAME_CHARACTERS: Final = 120
HASH_CHARACTERS: Final = 8
MORE_FIELDS: Final = "x_more_fields"
"""Column for fields that nobody declared, beyond the number of columns that a table is given for such."""

_naming = NamingConvention()


def column_name(path: tuple[str, ...]) -> str:
    """The column that a value at this path of a record goes to: snake_case, nested names joined by `__`.

    The spelling of each part is dlt's own snake_case naming convention, so that a plain dlt run of the source
    names its columns alike.
    """
    return "__".join(_naming.normalize_identifier(part) for part in path)


def undeclared_column_name(path: tuple[str, ...]) -> str:
    """The column of a field that nobody declared; a leading underscore is kept for the columns that are ours.

    A name that is longer than a person would write ends in a hash of its path: dlt shortens such names in its own way,
    and the column would be looked for under another name than the values have.
    """
    name = column_name(tuple(part if part.strip() else "unnamed" for part in path))
    if len(name) > LONGEST_NAME_CHARACTERS:
        digest = hashlib.sha256("\0".join(path).encode()).hexdigest()[:HASH_CHARACTERS]
        name = f"{name[: LONGEST_NAME_CHARACTERS - HASH_CHARACTERS - 1].rstrip('_')}_{digest}"
    return f"x{name}" if name.startswith("_") else name


@dataclass(frozen=True)
class Column:
    """One declared column: the path of its value in a record, its type and what it means."""

    path: tuple[str, ...]
    data_type: DataType
    description: str
    nullable: bool = True

    @cached_property
    def name(self) -> str:
        """The column's name in the warehouse."""
        return column_name(self.path)


@dataclass(frozen=True)
class Table:
    """One resource: its table, where its lists are, and how it hangs together with another resource.

    Args:
        name: of the resource and of its table.
        description: the grain of the table in a sentence.
        path: where its lists are, below the workspace; `{parent_id}` where there is one list per row of the parent.
        columns: the declared columns.
        parent: the resource that has a list of this one per row.
        is_windowed: whether a list is asked for a span of time, by the start of its rows.
        outlives_parent: whether rows stay when their parent is no longer listed, because they say what was, not what is.
    """

    name: ResourceName
    description: str
    path: str
    columns: tuple[Column, ...]
    parent: ResourceName | None = None
    is_windowed: bool = False
    outlives_parent: bool = False

    @cached_property
    def parent_column(self) -> str | None:
        """The column that says under which parent a row was listed (dlt's `include_from_parent`)."""
        return f"_{self.parent}_id" if self.parent else None

    @cached_property
    def named_parent_column(self) -> str | None:
        """The declared column in which a row itself names its parent."""
        return f"{self.parent.removesuffix('s')}_id" if self.parent else None


def _c(path: str, data_type: DataType, description: str) -> Column:
    return Column(tuple(path.split(".")), data_type, description, nullable=path != "id")


def _id(of: str) -> Column:
    return _c("id", "text", f"Id of the {of}, 24 hexadecimal digits; the key of this table.")


def _money(path: str, what: str) -> tuple[Column, Column]:
    return (
        _c(f"{path}.amount", "bigint", f"{what} per hour, in minor units of its currency (cents); null when none."),
        _c(f"{path}.currency", "text", f"Currency of the {what.lower()}, ISO 4217 code."),
    )


_WORKSPACE = _c("workspaceId", "text", "Id of the workspace that the row belongs to.")

USERS = Table(
    "users",
    "One row per member of the workspace, as the API lists them now.",
    "users",
    (
        _id("member"),
        _c("email", "text", "E-mail address; null or empty for members who were never invited by mail."),
        _c("name", "text", "Display name; null for a member who is not yet on board."),
        _c("profilePicture", "text", "Address of the profile picture."),
        _c("activeWorkspace", "text", "Id of the workspace that the member works in at present."),
        _c("defaultWorkspace", "text", "Id of the workspace that the member starts in."),
        _c("status", "text", "Status of the account: ACTIVE, PENDING_EMAIL_VERIFICATION, DELETED, NOT_REGISTERED, ..."),
        _c("memberships", "json", "Memberships of the member, a JSON array; empty unless the API was asked for them."),
        _c("settings", "json", "Personal settings, a JSON object: weekStart, timeZone, dateFormat, ..."),
        _c("customFields", "json", "Custom fields of the member, a JSON array."),
    ),
)

PROJECTS = Table(
    "projects",
    "One row per project of the workspace, archived ones included.",
    "projects",
    (
        _id("project"),
        _c("name", "text", "Name of the project."),
        _WORKSPACE,
        _c("clientId", "text", "Id of the client that the project is done for; empty when none."),
        _c("clientName", "text", "Name of that client at the time of reading."),
        _c("note", "text", "Free text about the project."),
        *_money("hourlyRate", "Billable rate"),
        *_money("costRate", "Cost rate"),
        _c("billable", "bool", "Whether new entries of the project are billable by default."),
        _c("archived", "bool", "Whether the project is archived."),
        _c("template", "bool", "Whether the project serves as a template for others."),
        _c("public", "bool", "Whether every member may track time on it."),
        _c("color", "text", "Colour in the API's user interface, #RRGGBB."),
        _c("duration", "text", "Time tracked on the project so far, ISO 8601 duration (PT79H12M)."),
        _c("estimate.estimate", "text", "Estimated effort, ISO 8601 duration."),
        _c("estimate.type", "text", "How the estimate is made: AUTO from its tasks, or MANUAL."),
        _c("timeEstimate.estimate", "text", "Time estimate, ISO 8601 duration."),
        _c("timeEstimate.type", "text", "How the time estimate is made: AUTO or MANUAL."),
        _c("timeEstimate.resetOption", "text", "How often the time estimate starts anew, for example MONTHLY."),
        _c("timeEstimate.active", "bool", "Whether the time estimate is in use."),
        _c("timeEstimate.includeNonBillable", "bool", "Whether time that is not billable counts against the estimate."),
        _c("budgetEstimate", "json", "Budget in money, a JSON object {estimate in minor units, type, resetOption, ...}."),
        _c("estimateReset", "json", "When estimate and budget start anew, a JSON object."),
        _c("memberships", "json", "Members of the project with their rates, a JSON array."),
    ),
)

CLIENTS = Table(
    "clients",
    "One row per client of the workspace, archived ones included.",
    "clients",
    (
        _id("client"),
        _c("name", "text", "Name of the client."),
        _WORKSPACE,
        _c("archived", "bool", "Whether the client is archived."),
        _c("email", "text", "E-mail address for invoices."),
        _c("address", "text", "Postal address, may hold several lines."),
        _c("note", "text", "Free text about the client."),
        _c("ccEmails", "json", "Further addresses for invoices, a JSON array."),
        _c("currencyId", "text", "Id of the client's currency in the API."),
        _c("currencyCode", "text", "Currency that the client is billed in, ISO 4217 code."),
    ),
)

TAGS = Table(
    "tags",
    "One row per tag of the workspace, archived ones included.",
    "tags",
    (
        _id("tag"),
        _c("name", "text", "Name of the tag."),
        _WORKSPACE,
        _c("archived", "bool", "Whether the tag is archived."),
    ),
)

USER_GROUPS = Table(
    "user_groups",
    "One row per group of members.",
    "user-groups",
    (
        _id("group"),
        _c("name", "text", "Name of the group."),
        _WORKSPACE,
        _c("userIds", "json", "Ids of the group's members, a JSON array."),
        _c("teamManagers", "json", "Managers of the group, a JSON array of {id, name}."),
    ),
)

TIME_ENTRIES = Table(
    "time_entries",
    "One row per time entry of a member, running timers included.",
    "user/{parent_id}/time-entries",
    (
        _id("time entry"),
        _c("description", "text", "What the member wrote about the work."),
        _c("userId", "text", "Id of the member who worked."),
        _c("workspaceId", "text", "Id of the workspace that the row belongs to."),
        _c("projectId", "text", "Id of the project; null or empty when none."),
        _c("taskId", "text", "Id of the task; null or empty when none."),
        _c("kioskId", "text", "Id of the kiosk that the entry was clocked at; null elsewhere."),
        _c("tagIds", "json", "Ids of the entry's tags, a JSON array or null."),
        _c("billable", "bool", "Whether the time is billed."),
        _c("isLocked", "bool", "Whether the entry is closed against changes."),
        _c("type", "text", "Kind of entry: REGULAR, BREAK, HOLIDAY, TIME_OFF; others may come."),
        _c("timeInterval.start", "timestamp", "Start of the work, UTC."),
        _c("timeInterval.end", "timestamp", "End of the work, UTC; null while the timer runs."),
        _c("timeInterval.duration", "text", "Duration as the API gives it, ISO 8601 (PT2H54M); null while the timer runs."),
        *_money("hourlyRate", "Billable rate"),
        *_money("costRate", "Cost rate"),
        _c("customFieldValues", "json", "Values of custom fields, a JSON array or null."),
    ),
    parent="users",
    is_windowed=True,
    outlives_parent=True,
)

TASKS = Table(
    "tasks",
    "One row per task of a project.",
    "projects/{parent_id}/tasks",
    (
        _id("task"),
        _c("name", "text", "Name of the task."),
        _c("projectId", "text", "Id of the project that the task belongs to."),
        _c("assigneeId", "text", "Id of one assignee; deprecated by the API in favour of assignee_ids."),
        _c("assigneeIds", "json", "Ids of the members that the task is assigned to, a JSON array."),
        _c("userGroupIds", "json", "Ids of the groups that the task is assigned to, a JSON array."),
        _c("estimate", "text", "Estimated effort, ISO 8601 duration."),
        _c("duration", "text", "Time tracked on the task so far, ISO 8601 duration."),
        _c("status", "text", "ACTIVE or DONE."),
        _c("budgetEstimate", "json", "Budget of the task: an amount in minor units, or an object; as JSON."),
        _c("billable", "bool", "Whether time on the task is billable."),
        *_money("hourlyRate", "Billable rate"),
        *_money("costRate", "Cost rate"),
    ),
    parent="projects",
)

TABLES: dict[ResourceName, Table] = {
    table.name: table for table in (USERS, PROJECTS, CLIENTS, TAGS, USER_GROUPS, TIME_ENTRIES, TASKS)
}

PARENTS: Final = frozenset(table.parent for table in TABLES.values() if table.parent is not None)
"""The resources that have a list of another one per row; their ids become parts of addresses."""
