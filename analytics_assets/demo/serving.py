"""The running server: in a thread beside a test, or in the foreground for the command line.

Only starting, stopping and what a caller holds in hand meanwhile belong here. What the server answers is
`server`'s business.
"""

import asyncio
import contextlib
import logging
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import uvicorn

from analytics_assets.demo.behaviour import Behaviour, RequestLog, RequestSeen
from analytics_assets.demo.delivery import ConnectionProtocol
from analytics_assets.demo.faults import FaultPlan
from analytics_assets.demo.server import Api, create_app
from analytics_assets.demo.workspace import Workspace

LOOPBACK = "127.0.0.1"
STOP_TIMEOUT_SECONDS = 5.0
KEEP_ALIVE_SECONDS = 60
# In the foreground nobody reads the requests, and they must not fill the memory in a night.
REMEMBERED_REQUESTS = 100


class _PromptServer(uvicorn.Server):
    """uvicorn that says when it is ready and stops at once, without polling and waiting for clients."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None], *, handle_signals: bool) -> None:
        super().__init__(config)
        self._ready = ready
        self._handle_signals = handle_signals
        self._halt: asyncio.Event | None = None
        self._event_loop: asyncio.AbstractEventLoop | None = None

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone: `main_loop` handles them in the foreground."""
        yield

    async def main_loop(self) -> None:
        """Serve until someone calls `halt` or a signal comes; keep the Date header fresh meanwhile."""
        self._halt, self._event_loop = asyncio.Event(), asyncio.get_running_loop()
        if self._handle_signals:
            for each in (signal.SIGINT, signal.SIGTERM):
                self._event_loop.add_signal_handler(each, self._halt.set)
        await self.on_tick(0)
        self._ready()
        while not self._halt.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._halt.wait(), 1.0)
            await self.on_tick(0)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close the door, hang up on everybody, end."""
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        for task in list(self.server_state.tasks):
            task.cancel()
        await asyncio.gather(*self.server_state.tasks, return_exceptions=True)
        await self.lifespan.shutdown()

    def halt(self) -> None:
        """Stop serving; may be called from any thread."""
        if self._event_loop is not None and self._halt is not None:
            self._event_loop.call_soon_threadsafe(self._halt.set)


def _config(app: Callable[..., object], certificate: Path | None, certificate_key: Path | None) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=ConnectionProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level=logging.CRITICAL,
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        ssl_certfile=certificate,
        ssl_keyfile=certificate_key,
    )


def _listen(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(1024)
    except OSError:
        listener.close()
        raise
    return listener


class DemoServer:
    """The demo API on a loopback port, for as long as the `with` block runs.

    A hook (`behaviour.before_answer`) that raised makes the block raise the same at its end.
    """

    def __init__(
        self,
        workspace: Workspace,
        behaviour: Behaviour | None = None,
        *,
        port: int = 0,
        certificate: Path | None = None,
        certificate_key: Path | None = None,
    ) -> None:
        self.workspace = workspace
        self.behaviour = behaviour or Behaviour()
        self.faults = FaultPlan()
        self.log = RequestLog()
        self._initial = Behaviour()
        self._initial.take(self.behaviour)
        self._scheme = "https" if certificate else "http"
        self._port = port
        self._started = threading.Event()
        app = create_app(workspace, self.behaviour, faults=self.faults, log=self.log)
        self._api: Api = app.state.api
        config = _config(app, certificate, certificate_key)
        self._server = _PromptServer(config, self._started.set, handle_signals=False)
        self._thread = threading.Thread(target=self._serve, name="demo-api", daemon=True)
        self._failure: BaseException | None = None
        self._listener: socket.socket | None = None

    @property
    def port(self) -> int:
        """The port that the server listens on."""
        return self._port

    @property
    def url(self) -> str:
        """The root of the API; the `/v1/...` paths come after it."""
        return f"{self._scheme}://{LOOPBACK}:{self._port}"

    @property
    def neighbours(self) -> list[Workspace]:
        """Other workspaces of the server that its key may read; empty at first."""
        return self._api.neighbours

    @property
    def api_key(self) -> str:
        """The key that the server accepts."""
        return self.behaviour.api_key

    @property
    def requests(self) -> list[RequestSeen]:
        """The requests so far, in the order in which they came; a copy of the list."""
        return self.log.seen

    @property
    def peak_open_requests(self) -> int:
        """The largest number of requests that were open at once."""
        return self.log.peak_open

    def reset(self) -> None:
        """Forget requests, faults and rate counts; behave as in the beginning. The workspace stays as is."""
        self.log.clear()
        self.faults.clear()
        self.behaviour.take(self._initial)
        self._api.rate_limit.clear()

    def start(self) -> Self:
        """Start serving; returns when requests are answered."""
        self._listener = _listen(LOOPBACK, self._port)
        self._port = self._listener.getsockname()[1]
        self._thread.start()
        self._started.wait()
        if self._failure is not None:
            raise self._failure
        return self

    def stop(self) -> None:
        """Hang up on all clients and stop; returns when the thread has ended."""
        self._server.halt()
        self._thread.join(STOP_TIMEOUT_SECONDS)
        if self._thread.is_alive():
            raise RuntimeError("the demo API did not stop; is a before_answer hook waiting for something?")

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()
        if error is None and self.log.errors:
            raise self.log.errors[0]

    def _serve(self) -> None:
        try:
            _run(self._server, self._listener)
        except BaseException as error:  # noqa: BLE001  # raised again in the thread that waits for the server
            self._failure = error
        finally:
            self._started.set()


def run(
    port: int,
    workspace: Workspace,
    behaviour: Behaviour | None = None,
    *,
    host: str = LOOPBACK,
    on_ready: Callable[[str], None] | None = None,
) -> None:
    """Serve in the foreground until SIGINT or SIGTERM.

    Args:
        port: The port to listen on; 0 takes a free one.
        workspace: What is served.
        behaviour: How it is served.
        host: A loopback address.
        on_ready: Called with the root of the API as soon as it answers.

    Raises:
        OSError: The port is taken or may not be used.
    """
    listener = _listen(host, port)
    name = f"[{host}]" if ":" in host else host
    url = f"http://{name}:{listener.getsockname()[1]}"

    def ready() -> None:
        if on_ready is not None:
            on_ready(url)

    app = create_app(workspace, behaviour, log=RequestLog(keep=REMEMBERED_REQUESTS))
    config = _config(app, None, None)
    _run(_PromptServer(config, ready, handle_signals=True), listener)


def _run(server: uvicorn.Server, listener: socket.socket | None) -> None:
    with asyncio.Runner(loop_factory=server.config.get_loop_factory()) as runner:
        runner.run(server.serve(sockets=[listener] if listener else None))
