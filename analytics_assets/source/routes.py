"""Which list of the API an address is of: the seven paths of the specification, forwards and backwards.

Only paths belong here; parameters and paging stand in `rest_config.py`.
"""

from typing import Final, NamedTuple
from urllib.parse import unquote, urlsplit

from analytics_assets.source.columns import TABLES, ResourceName

PATHS: Final[dict[ResourceName, str]] = {
    "users": "users",
    "projects": "projects",
    "clients": "clients",
    "tags": "tags",
    "user_groups": "user-groups",
    "time_entries": "user/{resources.users.id}/time-entries",
    "tasks": "projects/{resources.projects.id}/tasks",
}
_RESOURCE_OF_SEGMENT: Final[dict[str, ResourceName]] = {path.rsplit("/", 1)[-1]: name for name, path in PATHS.items()}


class Place(NamedTuple):
    """A list of the API: its resource (None for an address that is none of the seven) and its parent's id or ''."""

    resource: ResourceName | None
    parent_id: str


def place_of(url: str) -> Place:
    """The list that an address belongs to."""
    segments = urlsplit(url).path.rstrip("/").split("/")
    resource = _RESOURCE_OF_SEGMENT.get(segments[-1])
    if resource is None or TABLES[resource].parent is None:
        return Place(resource, "")
    return Place(resource, unquote(segments[-2]))
