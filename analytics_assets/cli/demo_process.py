"""Runs the demo API as a separate process beside a command, and gives the settings that point at it.

It is a process because a server in a thread would compete with the sync for Python's interpreter lock. It ends with the
command that started it, however that ends, because it reads a pipe that the operating system closes then.
"""

import contextlib
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

from analytics_assets.cli.errors import CommandError, say
from analytics_assets.demo import cli as demo_cli
from analytics_assets.demo.build import workspace_id
from analytics_assets.demo.cli import WENT_ON
from analytics_assets.settings import Settings, variables_of_this_process
from analytics_assets.warehouse.contents import warehouse_contents
from analytics_assets.warehouse.errors import WarehouseError

READY_TIMEOUT_SECONDS: Final = 120.0
STOP_TIMEOUT_SECONDS: Final = 5.0
DEMO_MONTHS: Final = 36
DEMO_SETTINGS: Final = {"ANALYTICS_REQUESTS_PER_SECOND": "10000"}
"""The demo's requests cost nothing, and its server is on the same machine."""
NOT_FOR_THE_DEMO: Final = {"ANALYTICS_DESTINATION": "duckdb"}
"""Invented rows have no place in a team's warehouse."""
SERVER_SETTINGS: Final = {"ANALYTICS_API_KEY", "ANALYTICS_API_URL", "ANALYTICS_WORKSPACE_ID"}


class Demo:
    """A running demo API.

    Attributes:
        variables: those that make a sync read all of it. Other variables that the user has set apply to the demo too, so
            they are not among them.
    """

    def __init__(self, process: subprocess.Popen[str], today: date) -> None:
        self._process = process
        defaults = {**DEMO_SETTINGS, "ANALYTICS_START_DATE": _first_day(today)}
        announced, given = _announced(process), variables_of_this_process()
        self.variables = {
            **{name: value for name, value in defaults.items() if not given.get(name)},
            **announced,
            **NOT_FOR_THE_DEMO,
        }

    def go_on(self) -> None:
        """Let the late changes of a workspace happen that was taken back.

        Raises:
            CommandError: the demo API has ended.
        """
        assert self._process.stdin is not None and self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write("\n")
            self._process.stdin.flush()
        if all(WENT_ON not in line for line in iter(self._process.stdout.readline, "")):
            raise CommandError("The demo API has ended; start the command again.")


@contextlib.contextmanager
def demo_api(*, today: date | None = None, taken_back: bool = False) -> Iterator[Demo]:
    """A demo API with its usual workspace, running on a free loopback port.

    Args:
        today: the day on which the workspace's history ends, by default the current UTC date. Another day is another
            history, so a warehouse that holds the demo goes on with the day that it began on, see `demo_day`.
        taken_back: serve the workspace as it was before its late changes, until it is told to go on.

    Raises:
        CommandError: it did not start.
    """
    today = today or datetime.now(UTC).date()
    command = [sys.executable, "-m", demo_cli.__name__, "--port", "0", "--months", str(DEMO_MONTHS), "--today", str(today)]
    command.append("--in-hand")
    if taken_back:
        command.append("--taken-back")
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    )  # a session of its own, so that Ctrl-C reaches the sync first and not both at once
    try:
        yield Demo(process, today)
    finally:
        _stop(process)


def say_demo(settings: Settings) -> None:
    """Say that this is the demo, and which variables are ignored because of it."""
    values = {
        "ANALYTICS_API_URL": settings.api_url,
        "ANALYTICS_WORKSPACE_ID": settings.workspace_id,
        "ANALYTICS_DESTINATION": settings.delivers_to,
    }
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
        for line in iter(process.stdout.readline, ""):
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


def demo_day(warehouse: Path) -> date | None:
    """The day on which the demo in this warehouse ends, that is the one it was loaded on first; None without a demo.

    Raises:
        CommandError: the file can't be opened, or another program has it open.
    """
    if not warehouse.exists():
        return None
    try:
        contents = warehouse_contents(warehouse)
    except WarehouseError as error:
        raise CommandError(str(error)) from None
    if contents is None or contents.workspace_id != workspace_id():
        return None
    return contents.first_published_at.astimezone(UTC).date()


def _first_day(today: date) -> str:
    """The day before the demo workspace's history: its first morning east of Greenwich is still that day in UTC."""
    index = today.year * 12 + today.month - DEMO_MONTHS
    return str(date(index // 12, index % 12 + 1, 1) - timedelta(days=1))
