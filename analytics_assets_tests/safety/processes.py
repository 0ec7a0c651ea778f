"""Real processes in a test's hand: started, awaited at a point, killed, and read."""

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from multiprocessing import forkserver
from pathlib import Path
from typing import Any, Final
from unittest import mock

from analytics_assets_tests.safety import child
from analytics_assets_tests.safety.child import Order
from analytics_assets_tests.safety.points import Stop

PATIENCE_SECONDS: Final = 150.0
"""How long anything may take that takes a second or two on a machine with nothing else to do."""

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["analytics_assets.definitions", "analytics_assets_tests.safety.child"])


@dataclass(frozen=True)
class Ended:
    """How a process ended: its exit code (a signal is negative), what its order answered, and what it said."""

    code: int | None
    answer: tuple[str, Any] | None
    said: str

    @property
    def result(self) -> Any:
        """What the order returned."""
        assert self.answer is not None and self.answer[0] == "ended", f"{self.answer}\n{self.said}"
        return self.answer[1]

    @property
    def failure(self) -> str:
        """What the order raised."""
        assert self.answer is not None and self.answer[0] == "failed", f"{self.answer}\n{self.said}"
        return str(self.answer[1])


class Running:
    """A process that runs an order."""

    def __init__(self, order: Order, folder: Path, variables: Mapping[str, str], stop: Stop | None) -> None:
        self._channel, theirs = _CONTEXT.Pipe()
        reader, writer = _CONTEXT.Pipe(duplex=False)
        self._process = _CONTEXT.Process(target=child.run, args=(order, variables, folder, stop, theirs, writer))
        root = str(Path(child.__file__).parents[2])
        with mock.patch.dict(os.environ, {"PYTHONPATH": root, "PYTHONWARNINGS": "ignore"}):
            forkserver.ensure_running()
        self._process.start()
        theirs.close()
        writer.close()
        self._said = bytearray()
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read, args=(reader,), daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """The process's id."""
        assert self._process.pid is not None
        return self._process.pid

    @property
    def said(self) -> str:
        """What it has said so far, on stdout and stderr."""
        return self._said.decode(errors="replace")

    def _read(self, reader: Any) -> None:
        with reader:
            while chunk := os.read(reader.fileno(), 65536):
                with self._news:
                    self._said += chunk
                    self._news.notify_all()
        with self._news:
            self._news.notify_all()

    def wait_until_it_says(self, words: str, *, times: int = 1) -> None:
        """Wait for words on its stdout or stderr, until it has said them so many times since it began."""
        with self._news:
            found = self._news.wait_for(lambda: self.said.count(words) >= times or not self._reader.is_alive(), PATIENCE_SECONDS)
        assert found and self.said.count(words) >= times, f"{words!r} was not said:\n{self.said}"

    def wait_until_it_stops(self) -> Any:
        """Wait until it has reached the point at which it stops; what the point tells."""
        assert self._channel.poll(PATIENCE_SECONDS), f"the point was not reached:\n{self.said}"
        kind, detail = self._channel.recv()
        assert kind == "reached", f"the point was not reached: {kind} {detail}\n{self.said}"
        return detail

    def go_on(self) -> None:
        """Let it go on from the point at which it stopped."""
        self._channel.send("go on")

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, and nobody else."""
        os.kill(self.pid, number)

    def press_ctrl_c(self) -> None:
        """Send it SIGINT as a terminal does: all processes get it that it has started."""
        os.killpg(self.pid, signal.SIGINT)

    def end(self) -> Ended:
        """Wait for its end."""
        self._process.join(PATIENCE_SECONDS)
        assert self._process.exitcode is not None, f"it does not end:\n{self.said}"
        answer = None
        with contextlib.suppress(EOFError):
            if self._channel.poll():
                answer = self._channel.recv()
        self._reader.join(1.0)
        return Ended(self._process.exitcode, answer, self.said)

    def kill(self) -> Ended:
        """End it as `kill -9` does."""
        self.send(signal.SIGKILL)
        ended = self.end()
        assert ended.code == -signal.SIGKILL
        return ended

    def kill_after(self, seconds: float) -> Ended:
        """End it as `kill -9` does after so many seconds, unless it has ended by then."""
        self._process.join(seconds)
        if self._process.exitcode is None:
            return self.kill()
        return self.end()

    def discard(self) -> None:
        """Leave nothing of it behind."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.join()
        self._channel.close()
        self._process.close()


class Processes:
    """The processes of one test."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: list[Running] = []

    def start(self, order: Order, variables: Mapping[str, str] | None = None, stop: Stop | None = None) -> Running:
        """Start one."""
        running = Running(order, self._folder, variables or {}, stop)
        self._running.append(running)
        return running

    def discard(self) -> None:
        """End those that are left."""
        for running in self._running:
            running.discard()


@contextlib.contextmanager
def processes_in(folder: Path) -> Iterator[Processes]:
    """Processes whose working directory is the folder; none is left at the end."""
    processes = Processes(folder)
    try:
        yield processes
    finally:
        processes.discard()
