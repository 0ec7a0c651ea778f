"""How fast the API may be asked: the ceilings per second and per hour, and the pause that a server asks for.

Only the pace belongs here. What a request is and when it is tried again is `http.py`'s business.
"""

import logging
import threading
import time
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Final

from filelock import FileLock
from pyrate_limiter import AbstractBucket, Duration, InMemoryBucket, Limiter, Rate, SQLiteBucket

logger = logging.getLogger(__name__)

POLL_SECONDS: Final = 0.5
SAY_AGAIN_SECONDS: Final = 300.0


class Ceiling:
    """Lets requests of all threads through at the pace that was set; one 429 slows them all.

    Args:
        per_second: requests in any second.
        per_hour: requests in any hour, over processes that run one after the other; None for no such ceiling.
        ledger: file in which the requests of the last hour are kept; needed with `per_hour`.
    """

    def __init__(self, per_second: int, per_hour: int | None = None, ledger: Path | None = None) -> None:
        rates = [Rate(per_second, Duration.SECOND)]
        self._per_hour = per_hour
        self._ledger_lock: AbstractContextManager[object] = nullcontext()
        bucket: AbstractBucket = InMemoryBucket(rates)
        if per_hour is not None and ledger is not None:
            ledger.parent.mkdir(parents=True, exist_ok=True)
            hourly = Rate(per_hour, Duration.HOUR)
            bucket = SQLiteBucket.init_from_file([*rates, hourly] if per_second < per_hour else [hourly], db_path=str(ledger))
            self._ledger_lock = FileLock(f"{ledger}.lock", thread_local=False)
        self._limiter = Limiter(bucket)
        self._lock = threading.Lock()
        self._open_at = 0.0
        self._said_at = 0.0

    def enter(self) -> None:
        """Wait for the turn of one request."""
        self.pause(self._open_at - time.monotonic())
        if self._per_hour is None:
            self._limiter.try_acquire("request")
            return
        while not self._try():
            self._say_waiting()
            time.sleep(POLL_SECONDS)

    def _try(self) -> bool:
        with self._lock, self._ledger_lock:
            return bool(self._limiter.try_acquire("request", blocking=False))

    def _say_waiting(self) -> None:
        now = time.monotonic()
        with self._lock:
            if self._said_at and now < self._said_at + SAY_AGAIN_SECONDS:
                return
            self._said_at = now
        logger.warning(
            "%s requests were made in the last hour (ANALYTICS_REQUESTS_PER_HOUR); waiting for the next", self._per_hour
        )

    def close_for(self, seconds: float) -> None:
        """Let nobody through for so long, because the server asked one of the threads to slow down."""
        with self._lock:
            self._open_at = max(self._open_at, time.monotonic() + seconds)

    @staticmethod
    def pause(seconds: float) -> None:
        """Sleep, if there is anything to sleep."""
        if seconds > 0:
            time.sleep(seconds)
