"""Runs `analytics-assets dev`, which is `make dev`: the Dagster UI on this machine and the processes that it needs.

Starting and stopping the processes belongs here; what the UI shows is decided by the definitions.
"""

import argparse
import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import FrameType
from typing import Any, Final

from filelock import Timeout

from analytics_assets.cli.checked_settings import checked_settings, loaded_settings, say_what_is_not_used
from analytics_assets.cli.demo_process import demo_api, demo_day, say_demo
from analytics_assets.cli.errors import EXIT_INTERRUPTED, CommandError, UsageError, say
from analytics_assets.cli.instance import HOME_VARIABLE, ensure_dagster_home, kept_runs
from analytics_assets.cli.plain_output import passed_on_without_colours
from analytics_assets.cli.served import HOST, serving_lock
from analytics_assets.setting_addresses import HIGHEST_PORT
from analytics_assets.setting_errors import variable
from analytics_assets.settings import PROJECT_MARK, project_dir

FOLLOWED: Final = "analytics_assets.cli.followed"
STOP_TIMEOUT_SECONDS: Final = 20.0
SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main(args: argparse.Namespace) -> int:
    """Run the UI until it is interrupted."""
    settings = loaded_settings()
    say_what_is_not_used()
    port = _free_port(args.port)
    variables: dict[str, str] = {}
    with contextlib.ExitStack() as stack:
        if settings.means_own_workspace:
            settings = checked_settings()
        else:
            say_demo(settings)
            variables |= stack.enter_context(demo_api(today=demo_day(settings.duckdb_path))).variables
        home = ensure_dagster_home(settings)
        with kept_runs(home):
            stack.enter_context(_only_one(home))
            _end_orphaned_runs(home)
        variables[variable("ui_url")] = settings.ui_url or f"http://{HOST}:{port}"  # messages about failures link to it
        say(f"Dagster UI on http://{HOST}:{port} in some seconds; Ctrl-C ends it. Warehouse: {settings.duckdb_path}")
        return _serve(port, {**os.environ, **variables, HOME_VARIABLE: str(home)})


@contextlib.contextmanager
def _only_one(home: Path) -> Iterator[None]:
    """Hold the instance for this UI: the daemons of two would each launch every tick of a schedule.

    Raises:
        CommandError: another one runs already.
    """
    lock = serving_lock(home)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise CommandError(
            f"A Dagster UI of this warehouse runs already ({home}): use that one, or end it first. Two would start every "
            "scheduled run twice."
        ) from None
    try:
        yield
    finally:
        lock.release()


def _end_orphaned_runs(home: Path) -> None:
    """End what an earlier UI or a killed command has left; importing Dagster takes a second, which the UI takes anyway."""
    from dagster import DagsterInstance

    from analytics_assets.cli.orphaned_runs import end_orphaned_runs

    with DagsterInstance.from_config(str(home)) as instance:
        if ended := end_orphaned_runs(instance):
            say(f"{len(ended)} run{'' if len(ended) == 1 else 's'} without a process reported as failed.")


def _free_port(port: int) -> int:
    """The port, if it is free; a free one for 0.

    Raises:
        CommandError: the port is taken, or not allowed.
    """
    if not 0 <= port <= HIGHEST_PORT:
        raise UsageError(f"--port {port}: a port is a number up to {HIGHEST_PORT}.")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except PermissionError:
            raise CommandError(f"Port {port} needs more rights than you have; choose one above 1023 with --port.") from None
        except OSError:
            raise CommandError(f"Port {port} is taken; choose another with --port, or --port 0 for a free one.") from None
        return int(probe.getsockname()[1])


def _serve(port: int, environment: Mapping[str, str]) -> int:
    """Run `dagster dev` in its own session; at the end, stop it and every process that it started."""
    folder = project_dir()
    where = ["-w", PROJECT_MARK] if (folder / PROJECT_MARK).exists() else ["-m", "analytics_assets.definitions"]
    command = [sys.executable, "-m", FOLLOWED, "dagster", "dev", "-h", HOST, "-p", str(port), *where]
    before = {number: signal.signal(number, _interrupt) for number in SIGNALS}
    # warnings of libraries about each other, in the processes that Dagster starts too
    quiet = {"PYTHONWARNINGS": "ignore", **environment}
    output = None if sys.stdout.isatty() else subprocess.PIPE
    process = subprocess.Popen(command, cwd=folder, env=quiet, stdin=subprocess.PIPE, stdout=output, start_new_session=True)
    plain = contextlib.nullcontext() if process.stdout is None else passed_on_without_colours(process.stdout, sys.stdout)
    with plain:
        return _waited_for(process, before)


def _waited_for(process: subprocess.Popen[bytes], before: Mapping[signal.Signals, Any]) -> int:
    """Wait for the end of `dagster dev` or of this command, whichever is first; then end the other processes."""
    try:
        code = process.wait()
    except KeyboardInterrupt:
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)  # it is already stopping; a second Ctrl-C would leave orphans
        say("Stopping the Dagster UI.")
        return EXIT_INTERRUPTED
    else:
        raise CommandError(f"The Dagster UI stopped by itself with exit code {code}; its last lines above say why.")
    finally:
        _end_session(process)
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _end_session(process: subprocess.Popen[bytes]) -> None:
    """Ask `dagster dev` to stop its webserver, daemon and code servers; then kill those that are left."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_TIMEOUT_SECONDS)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
