"""What the tests of kept answers share: a sync that is stopped, and what the next one asks for."""

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from analytics_assets.demo.faults import Fault
from analytics_assets.source.columns import RESOURCE_NAMES, ResourceName
from analytics_assets.warehouse.places import answers_folder
from analytics_assets_tests.rig import Rig

GONE = Fault("status", status=503, times=None)
USERS_AND_ENTRIES: tuple[ResourceName, ...] = ("users", "time_entries")


def users(rig: Rig) -> list[str]:
    """The members in the order in which their lists are read."""
    return [user["id"] for user in rig.workspace.users]


def stop_at(rig: Rig, parent_id: str, *, page: int = 1, resources: Sequence[ResourceName] = RESOURCE_NAMES) -> None:
    """A sync that ends because the API is out of reach from this list of time entries on."""
    rig.server.faults.add(replace(GONE, resource="time_entries", parent_id=parent_id, page=page))
    assert "answered 503" in rig.failing_sync(resources=resources)
    rig.server.faults.clear()
    rig.server.log.clear()


def lists_asked(rig: Rig) -> set[str]:
    """The members whose entries were asked for since the log was cleared."""
    return {str(request.parent_id) for request in rig.asked("time_entries")}


def kept_of(rig: Rig, parent_id: str) -> Path:
    """The file with the answers of a list of time entries."""
    return answers_folder(rig.path) / f"time_entries-{sha256(f'time_entries {parent_id}'.encode()).hexdigest()[:32]}"
