"""Signals that end the process, kept until the main thread can be interrupted without harm.

Python raises what a signal stands for between any two instructions of the main thread. Where that falls between the taking of
a condition's lock and the block that releases it, the lock stays taken: giving work to a pool of threads, and waiting for its
futures, takes such locks, and a thread that needs one waits for ever, and with it the end of the process.
"""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
"""Those that Dagster and Python turn into an exception; the command line turns SIGHUP into the first."""


class KeptSignals:
    """The first signal that comes while a block runs; further ones would interrupt the clearing up and are passed over.

    Args:
        on_first: called when it comes, in a thread, because the one that it interrupted may hold the locks that this needs.
        patience_seconds: how long it is kept then; None for as long as the block runs.
    """

    def __init__(self, on_first: Callable[[], None] | None = None, patience_seconds: float | None = None) -> None:
        self._on_first = on_first
        self._patience_seconds = patience_seconds
        self._handlers = {number: handler for number in SIGNALS if callable(handler := signal.getsignal(number))}
        self._first: int | None = None
        self._lock = threading.Lock()
        self._comes_at_once = threading.Event()
        self._is_late = self._is_passed_on = self._is_being_passed_on = False

    def pass_on(self) -> None:
        """From now on a signal comes at once; one that was kept does now.

        Raises:
            BaseException: what the signal stands for.
        """
        with self._lock:
            self._comes_at_once.set()
        if self._first is not None:
            self._interrupt(self._first, None)

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Keep what comes while the block runs, and pass it on when the block is left."""
        for number in self._handlers:
            signal.signal(number, self._hear)
        try:
            yield
        finally:
            try:
                self.pass_on()
            finally:
                for number, handler in self._handlers.items():
                    if signal.getsignal(number) == self._hear:
                        signal.signal(number, handler)

    def _hear(self, number: int, frame: FrameType | None) -> None:
        if self._is_being_passed_on:  # as another one: the command line turns SIGTERM into SIGINT
            self._handlers[signal.Signals(number)](number, frame)
        elif self._first is None:
            self._first = number
            if self._on_first is not None:
                threading.Thread(target=self._tell, args=(self._on_first, number), daemon=True).start()
            if self._comes_at_once.is_set():
                self._interrupt(number, frame)
        elif self._is_late:
            self._interrupt(number, frame)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        if self._is_passed_on:
            return
        self._is_passed_on = self._is_being_passed_on = True
        try:
            self._handlers[signal.Signals(number)](number, frame)
        finally:
            self._is_being_passed_on = False

    def _tell(self, on_first: Callable[[], None], number: int) -> None:
        on_first()
        if self._patience_seconds is None or self._comes_at_once.wait(self._patience_seconds):
            return
        with self._lock:  # or the block could be left in between, and another handler be interrupted
            if not self._comes_at_once.is_set():
                self._is_late = True
                signal.pthread_kill(threading.main_thread().ident or 0, number)


@contextmanager
def signals_kept() -> Iterator[None]:
    """Pass a signal on when the block is left, which should take moments; elsewhere than in the main thread nothing is kept."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    with KeptSignals().kept():
        yield
