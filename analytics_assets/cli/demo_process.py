"""Runs the demo API as a separate process beside a command, and gives the settings that point at it.

It is a process because a server in a thread would compete with the sync for Python's interpreter lock. It ends with the
command that started it, however that ends, because it reads a pipe that the operating system closes then.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Final

from analytics_assets.cli.errors import CommandError, say
from analytics_assets.settings import Settings

READY_TIMEOUT_SECONDS: Final = 120.0
STOP_TIMEOUT_SECONDS: Final = 5.0
DEMO_MONTHS: Final = 36
DEMO_SETTINGS: Final = {"ANALYTICS_PAGE_SIZE": "1000", "ANALYTICS_REQUESTS_PER_SECOND": "10000"}
"""The demo's requests cost nothing, and its server is on the same machine."""
SERVER_SETTINGS: Final = {"ANALYTICS_API_KEY", "ANALYTICS_API_URL", "ANALYTICS_WORKSPACE_ID"}


@contextlib.contextmanager
def demo_api() -> Iterator[dict[str, str]]:
    """A running demo API with its usual workspace on a free loopback port.

    Yields:
        The variables that make a sync read all of it. Other variables that the user has set apply to the demo too,
        so they are not among them.

    Raises:
        CommandError: it did not start.
    """
    command = [sys.executable, "-m", __name__, "--port", "0", "--months", str(DEMO_MONTHS)]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    )  # a session of its own, so that Ctrl-C reaches the sync first and not both at once
    try:
        announced = _announced(process)
        defaults = {**DEMO_SETTINGS, "ANALYTICS_START_DATE": _first_day()}
        yield {**{name: value for name, value in defaults.items() if not os.environ.get(name)}, **announced}
    finally:
        _stop(process)


def say_demo(settings: Settings) -> None:
    """Say that this is the demo, and which variables are ignored because of it."""
    values = {"ANALYTICS_API_URL": settings.api_url, "ANALYTICS_WORKSPACE_ID": settings.workspace_id}
    aside = " and ".join(name for name, value in values.items() if value is not None)
    say(
        "ANALYTICS_API_KEY is not set, so this is the demo: an invented workspace, served on this machine only."
        + (f" {aside} {'is' if ' ' not in aside else 'are'} ignored." if aside else "")
    )


def _announced(process: subprocess.Popen[str]) -> dict[str, str]:
    """The three variables that the demo API prints when it is ready."""
    assert process.stdout is not None
    found: dict[str, str] = {}
    patience = threading.Timer(READY_TIMEOUT_SECONDS, process.kill)
    patience.start()
    try:
        for line in process.stdout:
            if line.startswith("export "):
                name, _, value = line.removeprefix("export ").strip().partition("=")
                found[name] = value
            if found.keys() >= SERVER_SETTINGS:
                return found
    finally:
        patience.cancel()
    raise CommandError("The demo API did not start; `analytics-assets demo-api` shows why.")


def _stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(STOP_TIMEOUT_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()


def _first_day() -> str:
    """The day before the demo workspace's history: its first morning east of Greenwich is still that day in UTC."""
    today = datetime.now(UTC)
    index = today.year * 12 + today.month - DEMO_MONTHS
    return str(date(index // 12, index % 12 + 1, 1) - timedelta(days=1))


def _serve() -> int:
    """Serve until this process is told to stop, or until the process that started it has ended."""
    import argparse

    from analytics_assets.demo import cli as demo_cli

    def end_with_parent() -> None:
        os.read(sys.stdin.fileno(), 1)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=end_with_parent, daemon=True).start()
    parser = argparse.ArgumentParser()
    demo_cli.add_arguments(parser)
    return demo_cli.main(parser.parse_args())


if __name__ == "__main__":
    sys.exit(_serve())
