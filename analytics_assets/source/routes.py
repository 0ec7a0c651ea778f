"""Which list of the API an address is of: the paths of `columns.py`, read backwards."""

from typing import Final, NamedTuple
from urllib.parse import unquote, urlsplit

from analytics_assets.source.columns import TABLES, ResourceName

_RESOURCE_OF_SEGMENT: Final[dict[str, ResourceName]] = {table.path.rsplit("/", 1)[-1]: name for name, table in TABLES.items()}


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
