"""What reading the API costs: requests, retries, bytes and seconds, per resource.

Filled by the HTTP session from several threads, read by those who show it. What was read stands in `reading.py`.
"""

import logging
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Self

from analytics_assets.source.columns import RESOURCE_NAMES, ResourceName
from analytics_assets.source.ending import Ending

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Traffic:
    """The traffic of one resource; bytes are as they came over the wire, seconds those spent waiting for answers.

    `began` is the moment of the first request on the clock of `time.monotonic`; None before it.
    """

    requests: int = 0
    retries: int = 0
    bytes: int = 0
    seconds: float = 0.0
    began: float | None = None


class Meter:
    """Thread-safe counters of one or several readings."""

    def __init__(self) -> None:
        self.started = time.monotonic()
        self.ending = Ending()
        """When what is measured is over; nobody waits or asks the API after it."""
        self.lists: Callable[[], tuple[int, int]] | None = None
        """How many lists were read and how many there are as far as is known; None where nobody says."""
        self._lock = threading.Lock()
        self._traffic: dict[ResourceName, Traffic] = {name: Traffic() for name in RESOURCE_NAMES}

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """dlt copies a REST configuration to validate it; all copies share this one object."""
        return self

    def of(self, resource: ResourceName) -> Traffic:
        """The traffic of one resource so far."""
        with self._lock:
            return self._traffic[resource]

    def asked(self, resource: ResourceName) -> None:
        """A request is about to be sent."""
        with self._lock:
            before = self._traffic[resource]
            if before.began is None:
                self._traffic[resource] = replace(before, began=time.monotonic())

    def answered(self, resource: ResourceName, *, size: int, seconds: float) -> None:
        """An answer has been received, whatever it says; `size` in bytes."""
        with self._lock:
            before = self._traffic[resource]
            self._traffic[resource] = replace(
                before, requests=before.requests + 1, bytes=before.bytes + size, seconds=before.seconds + seconds
            )

    def retried(self, resource: ResourceName, reason: str, *, wait_seconds: float) -> None:
        """An attempt failed and another one follows after `wait_seconds`."""
        with self._lock:
            before = self._traffic[resource]
            self._traffic[resource] = replace(before, retries=before.retries + 1)
        logger.warning("%s: %s; trying again in %.0f s", resource, reason, wait_seconds)

    @property
    def requests(self) -> int:
        """Answers received in all."""
        return sum(self.of(name).requests for name in RESOURCE_NAMES)

    @property
    def retries(self) -> int:
        """Attempts repeated in all."""
        return sum(self.of(name).retries for name in RESOURCE_NAMES)

    @property
    def requests_left(self) -> int | None:
        """Requests that the lists known so far still need, at what the lists until now have cost; None if not known."""
        if self.lists is None:
            return None
        done, known = self.lists()
        per_list = max(1.0, self.requests / done) if done else 1.0
        return math.ceil((known - done) * per_list)

    @property
    def elapsed_seconds(self) -> float:
        """Seconds since the meter was made."""
        return time.monotonic() - self.started
