"""How the pretended server behaves, and what it remembers of each request.

Only settings and notes belong here: every habit that a live server of this shape is known or suspected to
have is one field. Deliberate accidents of single answers are `faults`.
"""

import datetime as dt
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Literal

from analytics_assets.demo.records import ResourceName

DEMO_KEY = "demo-key"


@dataclass
class RequestSeen:
    """One request that reached the server; status and rows are filled in when it is answered.

    `status` stays None when the connection was closed without an answer. `page` and `page_size` are what was
    asked, None when it was not asked or is no number. `at` is a reading of the behaviour's clock.
    """

    method: str
    path: str
    resource: ResourceName | None
    parent_id: str | None
    page: int | None
    page_size: int | None
    query: dict[str, str]
    headers: dict[str, str]
    at: float
    status: int | None = None
    rows: int | None = None
    fault: str | None = None


@dataclass
class Behaviour:
    """The habits of the server; tests change fields between requests.

    Attributes:
        api_key: What the header `X-Api-Key` must hold.
        envelope: `data` wraps lists as `{"data": [...]}` (the specification), `bare` answers arrays (live).
        over_max: What happens to a `page-size` above `max_page_size`: 400, or silently fewer rows.
        page_size_cap: Silently serve pages no longer than this.
        page_size_floor: Silently serve pages no shorter than this, where the list has as many rows.
        send_last_page: Whether lists carry the header `Last-Page`.
        window_offset: UTC offset of the account's zone. `start` and `end` are read as wall clock there,
            whatever the Z says: with two hours, `start=...T00:00:00Z` means 22:00 UTC of the day before.
        window_inclusive: Whether an entry that starts exactly on `start` or `end` is in the window.
        honours_window: False ignores `start` and `end`.
        ignores_page: Answer the first page for ever, never as the last.
        hidden: Ids of rows that are left out once the pages are made, as by a server that looks at permissions last: pages are
            shorter than asked or empty, and more follow.
        sorts_anew: How a page behind the first may begin with the last row before it, while its own first row is on no
            page: `ties`, where both start at the same moment, as with a sort that leaves the order of equals open; `all`.
        account_statuses: `add` shows members with a LIMITED account besides the others when asked for them;
            `filter` shows members of the asked statuses only.
        rate_limit_per_second: Requests answered in any one second; above it 429.
        rate_limit_per_hour: The same for any one hour.
        retry_after: Value of the header `Retry-After` of a 429.
        latency_seconds: Pause before each answer.
        gzip: Whether answers are compressed for clients that accept it.
        refused_parents: Parents whose child list is refused: id to (status, code of the body).
        before_answer: Called in the order of the requests, before each answer is computed; it may change the
            workspace. It runs on the server's loop: whatever it waits for, all requests wait for.
        clock: Seconds for the rate limits; a test may put its own hand on it.
    """

    api_key: str = DEMO_KEY
    envelope: Literal["data", "bare"] = "data"
    default_page_size: int = 50
    max_page_size: int = 5000
    over_max: Literal["reject", "cap"] = "reject"
    page_size_cap: int | None = None
    page_size_floor: int | None = None
    send_last_page: bool = True
    window_offset: dt.timedelta = dt.timedelta(0)
    window_inclusive: bool = True
    honours_window: bool = True
    ignores_page: bool = False
    hidden: frozenset[str] = frozenset()
    sorts_anew: Literal["ties", "all"] | None = None
    account_statuses: Literal["add", "filter"] = "add"
    rate_limit_per_second: int | None = None
    rate_limit_per_hour: int | None = None
    retry_after: str | None = None
    latency_seconds: float = 0.0
    gzip: bool = True
    refused_parents: dict[str, tuple[int, int]] = field(default_factory=dict)
    before_answer: Callable[[RequestSeen], None] | None = None
    clock: Callable[[], float] = time.monotonic

    def take(self, other: "Behaviour") -> None:
        """Become like the other behaviour, field by field."""
        for each in fields(self):
            value = getattr(other, each.name)
            setattr(self, each.name, dict(value) if isinstance(value, dict) else value)


class RequestLog:
    """The requests in the order in which they came (`keep`: the last so many), and how many were open."""

    def __init__(self, *, keep: int | None = None) -> None:
        self.errors: list[BaseException] = []
        self._lock = threading.Lock()
        self._seen: deque[RequestSeen] = deque(maxlen=keep)
        self._open = 0
        self._peak = 0

    def begin(self, request: RequestSeen) -> None:
        """Note a request that has arrived."""
        with self._lock:
            self._seen.append(request)
            self._open += 1
            self._peak = max(self._peak, self._open)

    def end(self) -> None:
        """Note that one of the open requests is over."""
        with self._lock:
            self._open -= 1

    def clear(self) -> None:
        """Forget what was seen; requests that are still open stay open."""
        with self._lock:
            self._seen.clear()
            self.errors.clear()
            self._peak = self._open

    @property
    def seen(self) -> list[RequestSeen]:
        """The requests so far, a copy of the list."""
        with self._lock:
            return list(self._seen)

    @property
    def peak_open(self) -> int:
        """The largest number of requests that were open at once."""
        with self._lock:
            return self._peak


class RateLimit:
    """Counts answered requests over a sliding second and a sliding hour."""

    def __init__(self) -> None:
        self._answered: dict[float, deque[float]] = {1.0: deque(), 3600.0: deque()}

    def admits(self, behaviour: Behaviour) -> bool:
        """Whether one more request may be answered now; if so it counts."""
        now = behaviour.clock()
        limits = {1.0: behaviour.rate_limit_per_second, 3600.0: behaviour.rate_limit_per_hour}
        for span, limit in limits.items():
            answered = self._answered[span]
            while answered and now - answered[0] >= span:
                answered.popleft()
            if limit is not None and len(answered) >= limit:
                return False
        for span, limit in limits.items():
            if limit is not None:
                self._answered[span].append(now)
        return True

    def clear(self) -> None:
        """Start counting anew."""
        for answered in self._answered.values():
            answered.clear()
