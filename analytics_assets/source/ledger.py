"""The requests of the last hour, kept in a file, so that processes which run one after the other share one ceiling.

Only counting belongs here; who waits, and for how long, is `ceiling.py`'s business.
"""

import contextlib
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from filelock import FileLock

from analytics_assets.source.errors import SourceError

logger = logging.getLogger(__name__)

HOUR_SECONDS: Final = 3600.0
TABLE: Final = "rate_bucket"
"""Named as earlier versions did, whose rows still count."""


class LastHour(NamedTuple):
    """How many requests were made in the last hour, and in how many seconds the next may go (0: at once)."""

    requests: int
    next_in_seconds: float


class LedgerError(SourceError):
    """The file can't be written or read, so that no request may go: the ceiling would not hold."""


class Ledger:
    """The moments of the last hour's requests.

    Args:
        file: where they are kept; made anew where it can't be read.
        per_hour: requests in any hour.
        clock: seconds since 1970.
    """

    def __init__(self, file: Path, per_hour: int, *, clock: Callable[[], float] = time.time) -> None:
        self._file = file
        self._per_hour = per_hour
        self._clock = clock
        with self._trouble_in_a_sentence():
            file.parent.mkdir(parents=True, exist_ok=True)
        # pyrate-limiter's own `use_file_lock` is made for processes of one thread each, and a FileLock lets in all threads
        # of the process that holds it
        self._threads = threading.Lock()
        self._processes = FileLock(f"{file}.lock", thread_local=False)

    def take(self) -> LastHour:
        """Note one request, if it may go now; else say when it may.

        Raises:
            LedgerError: the file can't be used.
        """
        return self._asked(is_taken=True)

    def look(self) -> LastHour:
        """The last hour, without a request.

        Raises:
            LedgerError: the file can't be used.
        """
        return self._asked(is_taken=False)

    def _asked(self, *, is_taken: bool) -> LastHour:
        with self._trouble_in_a_sentence():
            return self._counted(is_taken=is_taken)

    @contextlib.contextmanager
    def _trouble_in_a_sentence(self) -> Iterator[None]:
        try:
            yield
        except (OSError, sqlite3.Error) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise LedgerError(
                f"{self._file}, which counts the requests of the last hour, can't be used ({reason}); look at its owner and its "
                "disk: whoever syncs must be able to write it."
            ) from error

    def _counted(self, *, is_taken: bool) -> LastHour:
        with self._threads, self._processes:
            try:
                return self._answer(is_taken=is_taken)
            except sqlite3.DatabaseError as error:
                if isinstance(error, sqlite3.OperationalError) and not _is_damage(error):
                    raise
                logger.warning(
                    "%s, which counts the requests of the last hour, can't be read (%s); it is started anew", self._file, error
                )
                for suffix in ("", "-journal", "-wal", "-shm"):
                    Path(f"{self._file}{suffix}").unlink(missing_ok=True)
                return self._answer(is_taken=is_taken)

    def _answer(self, *, is_taken: bool) -> LastHour:
        now = self._clock()
        with self._opened() as con:
            made = self._moments(con, now)
            wait = made[-self._per_hour] + HOUR_SECONDS - now if len(made) >= self._per_hour else 0.0
            if is_taken and wait <= 0:
                # rows of the future were written while the clock was ahead
                con.execute(
                    f"DELETE FROM {TABLE} WHERE item_timestamp NOT BETWEEN ? AND ?", _milliseconds(now - HOUR_SECONDS, now)
                )
                con.execute(f"INSERT INTO {TABLE} VALUES ('request', ?)", _milliseconds(now))
            return LastHour(len(made), max(wait, 0.0))

    @contextlib.contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        with contextlib.closing(sqlite3.connect(self._file)) as con, con:
            con.execute(f"CREATE TABLE IF NOT EXISTS {TABLE} (name VARCHAR, item_timestamp INTEGER)")
            yield con

    @staticmethod
    def _moments(con: sqlite3.Connection, now: float) -> list[float]:
        rows = con.execute(
            f"SELECT item_timestamp FROM {TABLE} WHERE item_timestamp > ? AND item_timestamp <= ? ORDER BY 1",
            _milliseconds(now - HOUR_SECONDS, now),
        )
        return [moment / 1000 for (moment,) in rows]


def _milliseconds(*moments: float) -> tuple[int, ...]:
    return tuple(int(moment * 1000) for moment in moments)


def _is_damage(error: sqlite3.OperationalError) -> bool:
    """A table of another shape is damage too; a full disk or a file that may not be written is not."""
    return any(words in str(error) for words in ("no such column", "no column", "has 1 column", "columns but"))
