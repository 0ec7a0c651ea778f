"""Programs of others in a test's hand: started with a log, awaited by what they say, and ended whatever happens.

What the programs are is the business of the modules that start them.
"""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeVar

PATIENCE_SECONDS: Final = 150.0
"""How long anything may take that takes some seconds on a machine with nothing else to do."""
GLANCES_PER_SECOND: Final = 2
"""Each may be a question to a server that shares two cores with the runs."""
END_SECONDS: Final = 20.0
LINES_SHOWN: Final = 40

Found = TypeVar("Found")


class Program:
    """A program that runs, and what it has said."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self._process = process
        self._log = log

    @property
    def said(self) -> str:
        """What it has said so far, on stdout and stderr."""
        return self._log.read_text(errors="replace")

    def wait_for(self, what: str, look: Callable[[], Found | None]) -> Found:
        """Look again and again until there is something; fail where it does not come, or the program has ended."""
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            if found := look():
                return found
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(1 / GLANCES_PER_SECOND)
                raise AssertionError(f"The program ended by itself before there was {what}:\n{self.last_lines()}")
        raise AssertionError(f"After {PATIENCE_SECONDS:g} seconds there is not yet {what}:\n{self.last_lines()}")

    def wait_until_it_says(self, words: str) -> None:
        """Wait for words on its stdout or stderr."""
        self.wait_for(f"{words!r}", lambda: words in self.said or None)

    def last_lines(self) -> str:
        """What it has said last."""
        return "\n".join(self.said.splitlines()[-LINES_SHOWN:])


@contextlib.contextmanager
def program(
    command: Sequence[str], *, variables: Mapping[str, str], folder: Path, log: Path, user: int | None = None
) -> Iterator[Program]:
    """A program in a session of its own; at the end it is interrupted, and killed with all that it has started.

    Args:
        command: what is started.
        variables: its environment beside that of the tests.
        folder: where it runs.
        log: the file for what it says.
        user: whose rights it gets; those of the tests if it is None.
    """
    with log.open("wb") as said:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, "PYTHONWARNINGS": "ignore", **variables},
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            user=user,
            extra_groups=None if user is None else (),
        )
    try:
        yield Program(process, log)
    finally:
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(END_SECONDS)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # its own session
        process.wait()


def free_port() -> int:
    """A port of the loopback address that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
