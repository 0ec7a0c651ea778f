"""The end of a reading, whatever its reason: threads that wait learn of it, and nothing more is asked of the API.

dlt reads child lists in threads of its own, and gives them two seconds when it ends. A thread that waits for an hour's
ceiling would outlive the run by that hour. What is waited for is decided in `ceiling.py` and `http.py`.
"""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

from analytics_assets.source.errors import SourceError

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
"""Those that Dagster and Python turn into an exception; the command line turns SIGHUP into the first."""


class Ending:
    """Whether a reading is over. Thread-safe."""

    def __init__(self) -> None:
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._reason = SourceError("The reading has ended; nothing more is asked of the API.")
        self._callbacks: list[Callable[[], None]] = []

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

        A second signal while the reading ends is not passed on: it would interrupt the clearing up.
        """
        with self._signals_heard():
            try:
                yield
            finally:
                self.end()

    @contextmanager
    def _signals_heard(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.getsignal(number) for number in SIGNALS}
        heard: set[int] = set()

        def hear(number: int, frame: FrameType | None) -> None:
            if number in heard:
                return
            heard.add(number)
            # in a thread, because the one that the signal interrupted may hold the locks that `end` needs
            threading.Thread(target=self.end, daemon=True).start()
            handler = before[signal.Signals(number)]
            if callable(handler):
                handler(number, frame)

        for number, handler in before.items():
            if callable(handler):
                signal.signal(number, hear)
        try:
            yield
        finally:
            for number, handler in before.items():
                if signal.getsignal(number) is hear:
                    signal.signal(number, handler)
