"""Whoever wants the warehouse at the same time waits for its turn, says so, and succeeds."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from analytics_assets.demo.behaviour import RequestSeen
from analytics_assets.warehouse import connection as connection_module
from analytics_assets.warehouse.connection import connection
from analytics_assets.warehouse.errors import WarehouseError
from analytics_assets_tests.safety.child import DagsterOrder, TogetherOrder
from analytics_assets_tests.safety.conftest import Site
from analytics_assets_tests.safety.points import Stop
from analytics_assets_tests.safety.processes import Processes
from analytics_assets_tests.tiny import MONTHS, month

WAITING = "Waiting for the warehouse: "


def test_two_syncs_take_turns(site: Site, processes: Processes) -> None:
    first = processes.start(site.order(name="the first"), stop=Stop("landed"))
    first.wait_until_it_stops()
    second = processes.start(site.order(name="the second"))
    second.wait_until_it_says(f"{WAITING}the first (process {first.pid}, since ")
    site.change_something()
    first.go_on()
    assert first.end().result
    ended = second.end()
    assert ended.result
    assert ended.said.endswith("The warehouse is free; the second continues\n")
    site.assert_equals_api()
    site.assert_clean()


def test_a_sync_through_a_link_waits_for_one_that_knows_the_file_by_another_name(site: Site, processes: Processes) -> None:
    """Each name had a lock of its own, so that what one had read could be published over what another had read later."""
    link = site.path.parent.parent / "elsewhere" / "link.duckdb"
    link.parent.mkdir()
    link.symlink_to(site.path)
    first = processes.start(site.order(name="the first"), stop=Stop("landed"))
    first.wait_until_it_stops()
    second = processes.start(replace(site.order(name="the second"), warehouse=link))
    second.wait_until_it_says(f"{WAITING}the first (process {first.pid}, since ")
    site.change_something()
    first.go_on()
    assert first.end().result
    assert second.end().result
    site.assert_equals_api()
    assert [each.name for each in link.parent.iterdir()] == [link.name]


def test_a_sync_and_a_backfill_of_another_month_take_turns(site: Site, processes: Processes) -> None:
    backfill = processes.start(
        site.order(str(month(MONTHS - 1)), str(month(MONTHS - 2)), name="a backfill"), stop=Stop("loading")
    )
    backfill.wait_until_it_stops()
    routine = processes.start(site.order(str(month(1)), name="a sync"))
    routine.wait_until_it_says(f"{WAITING}a backfill")
    backfill.go_on()
    assert backfill.end().result
    assert routine.end().result
    site.assert_equals_api()


def test_a_sync_waits_for_a_reader_that_has_the_warehouse_open(site: Site, processes: Processes) -> None:
    with duckdb.connect(str(site.path), read_only=True):
        waiting = processes.start(site.order())
        waiting.wait_until_it_says(WAITING)
        waiting.wait_until_it_says("has it open (0 s so far)")
        assert not site.server.requests, "what is read before the wait is old after it"
    assert waiting.end().result
    site.assert_equals_api()


def test_a_sync_leaves_the_warehouse_to_readers_until_it_publishes_and_waits_for_those_who_stay(
    site: Site, processes: Processes
) -> None:
    before = site.contents()
    seen: list[bool] = []

    def look(request: RequestSeen) -> None:
        if not seen:
            duckdb.connect(str(site.path)).close()  # for writing, which DuckDB refuses while anybody has it open
            seen.append(site.contents() == before)

    site.server.behaviour.before_answer = look
    running = processes.start(site.order(), stop=Stop("extracted"))
    running.wait_until_it_stops()
    assert seen == [True]
    with duckdb.connect(str(site.path), read_only=True) as reader:
        running.go_on()
        running.wait_until_it_says(WAITING)
        assert reader.execute("SELECT count(*) FROM raw.time_entries").fetchone() == (len(before["raw.time_entries"]),)
    assert running.end().result
    site.assert_equals_api()


def test_two_syncs_and_a_reader_in_threads_of_one_process_take_turns(site: Site, processes: Processes) -> None:
    """Dagster runs a job so when it is executed in process; DuckDB refuses a second opening with other settings there."""
    together = processes.start(TogetherOrder((site.order(name="one"), site.order(name="the other")), reader=site.path))
    ended = together.end()
    answers, looks = ended.result
    assert len(answers) == 2
    assert looks > 0
    assert WAITING in ended.said
    site.assert_equals_api()


@contextmanager
def opened_in_another_thread(path: Path) -> Iterator[threading.Event]:
    """Another thread of this process has the file open for writing until the event is set."""
    is_open, may_close = threading.Event(), threading.Event()

    def hold() -> None:
        with connection(path):
            is_open.set()
            may_close.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    is_open.wait()
    try:
        yield may_close
    finally:
        may_close.set()
        thread.join()


def test_a_reader_waits_for_a_writer_of_its_own_process(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    class CloseOnWord(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            may_close.set()

    with opened_in_another_thread(site.path) as may_close:
        handler = CloseOnWord()
        connection_module.logger.addHandler(handler)
        try:
            with connection(site.path, read_only=True) as con:
                assert con.execute("SELECT count(*) > 0 FROM raw.users").fetchone() == (True,)
        finally:
            connection_module.logger.removeHandler(handler)
    assert f"{WAITING}another task of this process has it open" in caplog.text


def test_who_has_no_patience_is_told_who_has_the_warehouse_open(site: Site) -> None:
    with (
        opened_in_another_thread(site.path),
        pytest.raises(WarehouseError, match=r"analytics\.duckdb has been open in another task of this process for 0 s; close"),
        connection(site.path, read_only=True, patience_seconds=0),
    ):
        pass


def test_a_file_that_is_no_warehouse_is_told_at_once_also_under_a_path_that_speaks_of_locks(tmp_path: Path) -> None:
    """The wait was once for every error whose text has `lock` in it, as the paths of many time-tracking workspaces have."""
    folder = tmp_path / "clock"
    folder.mkdir()
    (folder / "block.duckdb").write_text("this is no database, but long enough to be read as one" * 1000)
    no_database = pytest.raises(WarehouseError, match=r"block\.duckdb is not a DuckDB file and stays as it is")
    with no_database, connection(folder / "block.duckdb"):
        pass
    not_there = pytest.raises(WarehouseError, match=r"missing\.duckdb does not exist; a sync of everything makes it")
    with not_there, connection(folder / "missing.duckdb", read_only=True):
        pass


def test_two_dagster_runs_take_turns_on_an_instance_that_nobody_has_configured(site: Site, processes: Processes) -> None:
    keys = ("raw/tags", "raw/users")
    first = processes.start(DagsterOrder(keys), site.variables(), stop=Stop("loading"))
    first.wait_until_it_stops()
    second = processes.start(DagsterOrder(keys), site.variables())
    second.wait_until_it_says(f"{WAITING}sync run ")
    first.go_on()
    assert first.end().result["success"]
    waited = second.end().result
    assert waited["success"]
    site.assert_equals_api(resources=("tags", "users"))
    with site.instance() as instance:
        messages = [entry.user_message for entry in instance.all_logs(waited["run_id"])]
    assert any(message.startswith(f"{WAITING}sync run ") for message in messages), "the UI does not show the wait"


def test_two_warehouses_in_one_folder_do_not_touch_each_others_scratch(site: Site, processes: Processes) -> None:
    """They shared one landing folder, and the sweep of the one removed the live landing of the other."""
    first = processes.start(site.order(), stop=Stop("loading"))
    first.wait_until_it_stops()
    mine, other = site.path, site.path.with_name("other.duckdb")
    site.path = other
    site.sync()
    site.assert_equals_api()
    site.path = mine
    first.go_on()
    assert first.end().result
    site.assert_equals_api()
    assert {path.name for path in mine.parent.iterdir() if ".landing" in path.name} == set()
