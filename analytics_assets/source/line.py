"""The line that one request uses, so that it can be cut from another thread: at a deadline, or when the reading ends.

A socket's time-out counts the silence between two pieces. A server that sends a piece of a header, a `100 Continue` or
a piece of a chunk's extension now and then is never silent, and `http.client` reads on until the whole line is there.
"""

import contextlib
import functools
import http.client
import math
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any, Final

from urllib3 import PoolManager
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool

from analytics_assets.source.ending import Ending


class Exchange:
    """One request and its answer, from the opening of the line to the last byte."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._line: socket.socket | None = None
        self._is_cut = False
        self.is_overdue = False
        """Whether the deadline has passed before the answer was whole."""

    def use(self, line: socket.socket) -> None:
        """The exchange takes place on this line.

        It gets a handle of its own: TLS takes the first one over, `http.client` closes it once it has the headers of a
        last answer, and to shut down a TLS socket from another thread confuses the one that reads from it.
        """
        with self._lock:
            self._hang_up()
            self._line = socket.socket(fileno=os.dup(line.fileno()))
            if self._is_cut:
                _shut_down(self._line)

    def cut(self) -> None:
        """Cut the line; whoever reads from it or writes to it meets its end."""
        with self._lock:
            self._is_cut = True
            if self._line is not None:
                _shut_down(self._line)

    def cut_overdue(self) -> None:
        """Cut the line because the deadline has passed."""
        self.is_overdue = True
        self.cut()

    def release(self) -> None:
        """The exchange is over; what happens on the line from now on is another's business."""
        with self._lock:
            self._hang_up()

    def _hang_up(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None


class _Deadlines:
    """Cuts exchanges when their deadlines pass: one thread of the process does, because a timer for each costs 0.7 ms."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._due: dict[Exchange, float] = {}
        self._thread: threading.Thread | None = None
        self._looks_at = math.inf

    def watch(self, exchange: Exchange, at: float) -> None:
        """Cut the exchange at this moment of `time.monotonic`, unless it is forgotten before."""
        with self._changed:
            if self._thread is None or not self._thread.is_alive():  # a fork has neither the thread nor its exchanges
                self._due, self._looks_at = {}, at
                self._thread = threading.Thread(target=self._cut_in_time, name="deadlines", daemon=True)
                self._thread.start()
            self._due[exchange] = at
            if at < self._looks_at:
                self._changed.notify()

    def forget(self, exchange: Exchange) -> None:
        """The exchange is over."""
        with self._changed:
            self._due.pop(exchange, None)

    def _cut_in_time(self) -> None:
        with self._changed:
            while True:
                now = time.monotonic()
                for exchange in [each for each, at in self._due.items() if at <= now]:
                    del self._due[exchange]
                    exchange.cut_overdue()
                self._looks_at = min(self._due.values(), default=math.inf)
                self._changed.wait(None if self._looks_at == math.inf else self._looks_at - now)


_deadlines: Final = _Deadlines()


class Exchanges:
    """The exchanges of one session that are going on; all of them are cut when the reading ends."""

    def __init__(self, ending: Ending) -> None:
        self._lock = threading.Lock()
        self._open: set[Exchange] = set()
        ending.call_at_end(self._cut_all)
        self._ending = ending

    @contextlib.contextmanager
    def one(self, deadline_seconds: float) -> Iterator[Exchange]:
        """An exchange of this thread that is cut when the deadline passes or the reading ends."""
        exchange = Exchange()
        with self._lock:
            self._open.add(exchange)
        if self._ending.is_over:
            exchange.cut()
        _deadlines.watch(exchange, time.monotonic() + deadline_seconds)
        token = _exchange_of_thread.set(exchange)
        try:
            yield exchange
        finally:
            _exchange_of_thread.reset(token)
            _deadlines.forget(exchange)
            exchange.release()
            with self._lock:
                self._open.discard(exchange)

    def _cut_all(self) -> None:
        with self._lock:
            exchanges = list(self._open)
        for exchange in exchanges:
            exchange.cut()


_exchange_of_thread: ContextVar[Exchange | None] = ContextVar("exchange", default=None)


class _FinalResponse(http.client.HTTPResponse):
    """An answer that comes after interim ones, like `103 Early Hints`: `http.client` passes over `100 Continue` alone.

    It would take another one for the answer, and the real answer, which is still on the line, for that to the next request.
    """

    def _read_status(self) -> tuple[str, int, str]:
        while True:
            version, status, reason = super()._read_status()  # type: ignore[misc]
            if not http.client.CONTINUE < status < http.client.OK or status == http.client.SWITCHING_PROTOCOLS:
                return version, status, reason
            http.client.parse_headers(self.fp)


class _CuttableConnection(HTTPConnection):
    """A connection that tells the exchange of its thread which line it uses."""

    response_class = _FinalResponse

    def _new_conn(self) -> socket.socket:
        opened = super()._new_conn()
        _use(opened)
        return opened

    def request(self, *args: Any, **kwargs: Any) -> None:
        """Send a request, on the line that is open already if there is one."""
        if self.sock is not None:
            _use(self.sock)
        super().request(*args, **kwargs)


def make_cuttable(manager: PoolManager) -> None:
    """Let every line that the manager opens be cut: its own, those through a proxy, and through a SOCKS proxy too.

    Args:
        manager: made for this use; it has opened nothing yet.
    """
    manager.pool_classes_by_scheme = {scheme: _cuttable_pool(pool) for scheme, pool in manager.pool_classes_by_scheme.items()}


@functools.cache
def _cuttable_pool(pool: type[HTTPConnectionPool]) -> type[HTTPConnectionPool]:
    connection = type(f"Cuttable{pool.ConnectionCls.__name__}", (_CuttableConnection, pool.ConnectionCls), {})
    return type(f"Cuttable{pool.__name__}", (pool,), {"ConnectionCls": connection})


def _use(line: socket.socket) -> None:
    exchange = _exchange_of_thread.get()
    if exchange is not None:
        exchange.use(line)


def _shut_down(line: socket.socket) -> None:
    with contextlib.suppress(OSError):  # it is closed already
        line.shutdown(socket.SHUT_RDWR)
