"""Ctrl-C, SIGTERM and a lost terminal end a command; the warehouse is as it was, or whole."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from dagster import DagsterRunStatus

from analytics_assets.cli.errors import EXIT_FAILED, EXIT_INTERRUPTED
from analytics_assets.cli.signals import stopping_like_ctrl_c
from analytics_assets.demo.behaviour import RequestSeen
from analytics_assets.demo.faults import Fault
from analytics_assets.source.ending import Ending
from analytics_assets.warehouse.places import ledger_file
from analytics_assets_tests.safety.child import CommandOrder
from analytics_assets_tests.safety.conftest import Site
from analytics_assets_tests.safety.points import Point, Stop
from analytics_assets_tests.safety.processes import PATIENCE_SECONDS, Processes, Running

END_SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


@pytest.mark.parametrize("number", END_SIGNALS)
def test_a_command_that_is_told_to_end_while_it_reads_ends_and_leaves_the_tables_as_they_were(
    site: Site, processes: Processes, number: signal.Signals
) -> None:
    before = site.contents()
    running: list[Running] = []

    def tell(request: RequestSeen) -> None:
        if request.resource == "time_entries":
            site.server.behaviour.before_answer = None
            running[0].press_ctrl_c() if number is signal.SIGINT else running[0].send(number)

    site.server.behaviour.before_answer = tell
    running.append(processes.start(CommandOrder(("sync", "--select", "raw/time_entries")), site.variables()))
    ended = running[0].end()
    assert ended.result == EXIT_INTERRUPTED
    assert "Traceback" not in ended.said
    assert ended.said.endswith("Interrupted. The warehouse is as it was before.\n")
    assert site.contents() == before
    site.assert_clean()
    with site.instance() as instance:
        assert [run.status for run in instance.get_runs()] == [DagsterRunStatus.CANCELED], "a failure paints all assets red"


WAITING: dict[str, tuple[dict[str, str], list[Fault], str]] = {
    "the hourly ceiling": ({"ANALYTICS_REQUESTS_PER_HOUR": "2"}, [], "(ANALYTICS_REQUESTS_PER_HOUR); the next may go at"),
    "a Retry-After": (
        {},
        [Fault("status", "time_entries", status=503, retry_after="3000", times=None)],
        "trying again in 3000 s",
    ),
    "a 429": ({}, [Fault("status", "time_entries", status=429, retry_after="3000", times=None)], "trying again in 3000 s"),
    "a backoff": (
        {"ANALYTICS_RETRY_BACKOFF_FACTOR": "50"},
        [Fault("status", "time_entries", status=503, times=None)],
        "trying again in 50 s",
    ),
    "an answer": ({}, [Fault("stall", "time_entries", times=None)], "time_entries: reading"),
}
END_WITHIN_SECONDS = 30.0
"""Less than any of these waits, and more than a machine that is busy with other tests needs; alone it takes a third of one."""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("waits_for", WAITING)
def test_a_command_that_is_told_to_end_while_it_waits_ends_at_once_and_asks_nothing_more(
    site: Site, processes: Processes, waits_for: str, number: signal.Signals
) -> None:
    """It said that it was interrupted, lived on for up to an hour, and then asked for pages that nobody wanted."""
    before = site.contents()
    variables, faults, words = WAITING[waits_for]
    site.server.faults.add(*faults)
    running = processes.start(CommandOrder(("sync", "--select", "raw/time_entries")), site.variables(**variables))
    running.wait_until_it_says(words)
    told_at = time.monotonic()
    running.send(number)
    running.wait_until_it_says("Interrupted. The warehouse is as it was before.")
    asked = len(site.server.requests)
    ended = running.end()
    assert time.monotonic() - told_at < END_WITHIN_SECONDS
    assert ended.result == EXIT_INTERRUPTED and ended.code == 0
    assert "Traceback" not in ended.said and ended.said.endswith("The warehouse is as it was before.\n")
    assert len(site.server.requests) == asked
    assert site.contents() == before
    for kept in site.path.parent.glob(f"{ledger_file(site.path).name}*"):
        kept.unlink()  # the ledger outlives a run, or the next one would not know of its requests
    site.assert_clean()


def test_a_sync_one_of_whose_lists_fails_does_not_wait_for_the_others(site: Site, processes: Processes) -> None:
    first, second, *_ = site.workspace.users
    site.server.faults.add(
        Fault("status", "time_entries", first["id"], status=503, retry_after="3000", times=None),
        Fault("status", "time_entries", second["id"], status=418, times=None),
    )
    running = processes.start(CommandOrder(("sync", "--select", "raw/time_entries")), site.variables())
    running.wait_until_it_says("Sync failed: ")
    failed_at = time.monotonic()
    ended = running.end()
    assert time.monotonic() - failed_at < END_WITHIN_SECONDS
    assert ended.result == EXIT_FAILED and "answered 418" in ended.said
    asked = [request for request in site.server.requests if request.parent_id in (first["id"], second["id"])]
    assert len(asked) <= 2


def test_a_reading_that_is_told_to_end_is_not_torn_apart_and_a_second_signal_does_not_interrupt_the_ending() -> None:
    """Whoever sees that nothing happens presses Ctrl-C again; that was a traceback."""
    ending = Ending()
    ended, done = threading.Event(), list[object]()
    ending.call_at_end(ended.set)

    def be_told_twice() -> None:
        with ending.at_exit_or_signal():
            try:
                signal.raise_signal(signal.SIGINT)
                done.append(ended.wait(PATIENCE_SECONDS))
            finally:
                signal.raise_signal(signal.SIGINT)
                done.append("cleared up")

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        be_told_twice()
    assert done == [True, "cleared up"] and ending.is_over
    assert signal.getsignal(signal.SIGINT) is before


def test_a_reading_that_does_not_end_by_itself_is_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analytics_assets.source.ending.PATIENCE_SECONDS", 0.01)

    def be_told_while_it_waits() -> None:
        with Ending().at_exit_or_signal():
            signal.raise_signal(signal.SIGINT)
            threading.Event().wait(PATIENCE_SECONDS)
            pytest.fail("it was not interrupted")

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        be_told_while_it_waits()
    assert signal.getsignal(signal.SIGINT) is before


def test_a_signal_that_came_while_the_api_was_read_keeps_what_was_read_from_being_published() -> None:
    ending = Ending()

    def read() -> None:
        with ending.at_exit_or_signal():
            signal.raise_signal(signal.SIGINT)
            ending.pass_signals_on()
            pytest.fail("it would be published")

    with pytest.raises(KeyboardInterrupt):
        read()


def test_work_is_given_to_threads_without_being_interrupted() -> None:
    """A signal between the lock of a pool's condition and the block that frees it left a thread that waits for it for ever.

    dlt's pool was met by that once in a hundred syncs that were told to end when they began to read.
    """
    code = """if True:
        import signal, threading, duckdb
        from analytics_assets.warehouse.building import Check, build_all

        take, look_for_idle, looked = threading.Condition.__enter__, threading.Semaphore.acquire, []

        def looking_for_idle(self, *args, **kwargs):
            looked.append(self._cond)
            return look_for_idle(self, *args, **kwargs)

        def taken(condition):
            answer = take(condition)
            if looked[1:] == [condition] and threading.current_thread() is threading.main_thread():
                looked.append("told")
                signal.raise_signal(signal.SIGINT)
            return answer

        threading.Condition.__enter__, threading.Semaphore.acquire = taken, looking_for_idle
        checks = {name: Check("SELECT 1 WHERE false", only_warns=False) for name in "abc"}
        try:
            list(build_all(duckdb.connect(), checks, {name: set() for name in checks}, lambda *_: None))
        except KeyboardInterrupt:
            print("interrupted, with these threads:", *(each.name for each in threading.enumerate()))
    """
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS)
    assert (ended.returncode, ended.stdout) == (0, "interrupted, with these threads: MainThread\n"), ended.stderr


@pytest.mark.parametrize("point", ["normalising", "loading"])
def test_a_command_that_is_told_to_end_while_dlt_works_does_not_publish(site: Site, processes: Processes, point: Point) -> None:
    """dlt keeps a signal back in these steps if it is let, and forgot it when there was nothing left to load."""
    before = site.contents()
    running = processes.start(CommandOrder(("sync", "--select", "raw/tags")), site.variables(), stop=Stop(point))
    running.wait_until_it_stops()
    running.send(signal.SIGTERM)
    running.go_on()
    assert running.end().result == EXIT_INTERRUPTED
    assert site.contents() == before
    site.assert_clean()


def test_a_command_that_is_told_to_end_while_dagster_works_between_its_steps_leaves_no_run_behind(
    site: Site, processes: Processes
) -> None:
    """It fell into what Dagster does there, which no run expects: it was said to go on until the next command found it."""
    running = processes.start(CommandOrder(("sync", "--select", "raw/tags")), site.variables(), stop=Stop("begun"))
    running.wait_until_it_stops()
    running.send(signal.SIGINT)
    running.go_on()
    ended = running.end()
    assert ended.result == EXIT_INTERRUPTED
    assert ended.said.endswith("Interrupted. The warehouse is as it was before.\n")
    with site.instance() as instance:
        assert [run.status for run in instance.get_runs()] == [DagsterRunStatus.CANCELED]


def test_a_command_that_loses_its_terminal_while_models_are_built_says_what_stayed(site: Site, processes: Processes) -> None:
    order = CommandOrder(("sync", "--select", "raw/tags,staging/stg_tags"))
    running = processes.start(order, site.variables(), stop=Stop("building"))
    running.wait_until_it_stops()
    running.send(signal.SIGHUP)
    running.go_on()
    ended = running.end()
    assert ended.result == EXIT_INTERRUPTED
    assert "Interrupted. The raw tables are loaded" in ended.said
    site.assert_equals_api(resources=("tags",))
    site.assert_next_sync_heals()


@pytest.mark.parametrize("number", END_SIGNALS[:2])
def test_a_verification_that_is_told_to_end_says_so_in_one_line(site: Site, processes: Processes, number: signal.Signals) -> None:
    """Ctrl-C ended in a traceback of 70 lines."""
    running: list[Running] = []

    def tell(request: RequestSeen) -> None:
        if request.resource == "time_entries":
            site.server.behaviour.before_answer = None
            running[0].send(number)

    site.server.behaviour.before_answer = tell
    running.append(processes.start(CommandOrder(("verify",)), site.variables()))
    ended = running[0].end()
    assert ended.result == EXIT_INTERRUPTED
    assert ended.said.endswith("Interrupted.\n")
    assert "Traceback" not in ended.said
    site.assert_clean()


def test_ctrl_c_while_the_interpreter_ends_prints_no_traceback() -> None:
    code = (
        "import atexit, signal, sys; from analytics_assets.cli import program; "
        "atexit.register(signal.raise_signal, signal.SIGINT); sys.argv[1:] = ['--help']; sys.exit(program())"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS)
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_program_that_was_started_in_the_background_of_a_script_can_be_stopped(number: signal.Signals) -> None:
    """A shell lets such a one ignore Ctrl-C, and so SIGTERM was lost until Dagster had its own handler, and the sync went on."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with pytest.raises(KeyboardInterrupt), stopping_like_ctrl_c():
            os.kill(os.getpid(), number)
    finally:
        signal.signal(signal.SIGINT, before)
