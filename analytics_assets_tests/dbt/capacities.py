"""What members can work, as the owner of the invented workspaces has written it down."""

from datetime import date
from typing import Any

WEEKLY_CAPACITY_SECONDS = 40 * 3600


CAPACITIES: list[dict[str, Any]] = [
    {"member": "berlin", "weekly_seconds": 30 * 3600, "valid_from": None},
    {"member": "berlin", "weekly_seconds": 20 * 3600, "valid_from": "2025-02-05"},
    {"member": "new_york", "weekly_seconds": 0, "valid_from": "2025-01-13"},
    {"member": "u0", "weekly_seconds": 9 * 3600, "valid_from": None},
    {"member": "nobody@example.com", "weekly_seconds": 3600, "valid_from": None},
]
"""What the owner's file says of members; those of the invented workspaces have no e-mail address."""


def capacity_of(user: str, week: date) -> int:
    """The seconds that a member can work in a week that begins on that day."""
    begun = [
        (line["valid_from"] or "", line["weekly_seconds"])
        for line in CAPACITIES
        if line["member"] == user and (line["valid_from"] or "") <= week.isoformat()
    ]
    return max(begun)[1] if begun else WEEKLY_CAPACITY_SECONDS
