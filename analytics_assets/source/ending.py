"""The end of a reading, whatever its reason: threads that wait learn of it, and nothing more is asked of the API.

dlt reads child lists in threads of its own, and gives them two seconds when it ends. A thread that waits for an hour's
ceiling would outlive the run by that hour. What is waited for is decided in `ceiling.py` and `http.py`.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from analytics_assets.interruption import KeptSignals
from analytics_assets.source.errors import SourceError

PATIENCE_SECONDS: Final = 1.0
"""How long a reading that is told to end may take to end by itself, which it does in moments unless a host is looked up."""


class Ending:
    """Whether a reading is over. Thread-safe."""

    def __init__(self) -> None:
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._reason = SourceError("The reading has ended; nothing more is asked of the API.")
        self._callbacks: list[Callable[[], None]] = []
        self._kept: KeptSignals | None = None

    @property
    def is_over(self) -> bool:
        """Whether the reading is over."""
        return self._over.is_set()

    def end(self, reason: SourceError | None = None) -> None:
        """The reading is over; the first reason is the one that all threads give, as the cause of theirs too."""
        with self._lock:
            if self._over.is_set():
                return
            if reason is not None:
                self._reason = reason
            callbacks = list(self._callbacks)
            self._over.set()
        for callback in callbacks:
            callback()

    def call_at_end(self, callback: Callable[[], None]) -> None:
        """Call this when the reading ends; at once where it has ended."""
        with self._lock:
            if not self._over.is_set():
                self._callbacks.append(callback)
                return
        callback()

    def pause(self, seconds: float) -> None:
        """Wait for so long, or until the reading ends.

        Raises:
            SourceError: it has ended.
        """
        if seconds > 0:
            self._over.wait(seconds)
        if self._over.is_set():
            raise SourceError(str(self._reason)) from self._reason

    @contextmanager
    def at_exit_or_signal(self) -> Iterator[None]:
        """End the reading when the block is left, and as soon as the process is told to end.

        The signal itself comes when the block is left by that, or after `PATIENCE_SECONDS`. A second one is passed over.
        """
        with self._signals_kept():
            try:
                yield
            finally:
                self.end()

    def pass_signals_on(self) -> None:
        """From now on a signal interrupts the block of `at_exit_or_signal` at once; one that was kept does now.

        Raises:
            BaseException: what the signal stands for.
        """
        if self._kept is not None:
            self._kept.pass_on()

    @contextmanager
    def _signals_kept(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        self._kept = KeptSignals(self.end, PATIENCE_SECONDS)
        with self._kept.kept():
            yield
