"""The event log that keeps its connections: the same files as Dagster's own storage, and a run that another process deletes."""

import atexit
import contextlib
import sqlite3
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from unittest import mock

import pytest
from dagster import (
    AssetCheckResult,
    AssetsDefinition,
    DagsterEventType,
    DagsterInstance,
    Failure,
    MaterializeResult,
    asset,
    asset_check,
    materialize,
)
from dagster._core.storage.event_log.sqlite import sqlite_event_log
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage

from analytics_assets.orchestration.event_storage import RUNS_KEPT_OPEN, EventStorage


@asset
def entries() -> MaterializeResult[None]:
    return MaterializeResult(metadata={"rows": 7})


@asset_check(asset=entries)
def are_many() -> AssetCheckResult:
    return AssetCheckResult(passed=True, metadata={"rows": 7})


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DagsterInstance]:
    """An instance with the configuration that the project ships."""
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    (tmp_path / "dagster.yaml").write_text((files("analytics_assets") / "dagster.yaml").read_text())
    with DagsterInstance.from_config(str(tmp_path)) as instance:
        yield instance


def test_an_instance_that_is_opened_for_each_tick_leaves_nothing_in_the_process(instance: DagsterInstance) -> None:
    """The code server opens one every five seconds, and Alembic kept a note of each for the end of the process."""
    with mock.patch.object(atexit, "register") as register, DagsterInstance.from_ref(instance.get_ref()) as of_a_tick:
        assert of_a_tick.schedule_storage is not None
        assert of_a_tick.get_runs() == []
        assert of_a_tick.all_asset_keys() == []
    assert [call for call in register.call_args_list if "ExitStack" in repr(call)] == []


def run(instance: DagsterInstance) -> str:
    return materialize([entries, are_many], instance=instance).run_id


def storage_of(instance: DagsterInstance) -> EventStorage:
    storage = instance.event_log_storage
    assert isinstance(storage, EventStorage)
    return storage


def test_the_file_of_a_run_has_the_tables_and_the_version_that_dagster_would_give_it(
    instance: DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asking Alembic for each run took a third of a second of each sync."""
    run(instance)
    with monkeypatch.context() as patch:
        patch.setattr(sqlite_event_log, "check_alembic_revision", mock.Mock(side_effect=AssertionError("Alembic was asked")))
        ours = run(instance)
    stock = SqliteEventLogStorage(str(tmp_path / "stock"))
    stock.register_instance(instance)
    stock.store_event(storage_of(instance).get_logs_for_run(ours)[0])

    def made(file: Path) -> list[tuple[str, ...]]:
        with contextlib.closing(sqlite3.connect(file)) as connection:
            named = "select type, name, tbl_name from sqlite_master where name not like 'sqlite_%' order by 1, 2"
            columns = "select m.name, c.name, c.type from sqlite_master as m, pragma_table_info(m.name) as c order by 1, 2"
            queries = (named, columns, "select version_num from alembic_version", "pragma journal_mode")
            return [row for query in queries for row in connection.execute(query)]

    assert made(tmp_path / "history" / "runs" / f"{ours}.db") == made(tmp_path / "stock" / f"{ours}.db")


def test_the_shipped_configuration_uses_it_and_dagsters_own_storage_reads_what_it_wrote(
    instance: DagsterInstance, tmp_path: Path
) -> None:
    run_id = run(instance)
    own = storage_of(instance).get_logs_for_run(run_id)
    stock = SqliteEventLogStorage(str(tmp_path / "history" / "runs"))
    stock.register_instance(instance)
    assert own
    assert stock.get_logs_for_run(run_id) == own
    (record,) = stock.get_asset_records([entries.key])
    assert record.asset_entry.last_run_id == run_id


def test_what_dagsters_own_storage_writes_is_seen_at_once(instance: DagsterInstance, tmp_path: Path) -> None:
    first = run(instance)
    assert storage_of(instance).get_logs_for_run(first)
    stock = SqliteEventLogStorage(str(tmp_path / "history" / "runs"))
    stock.register_instance(instance)
    stock.store_event(storage_of(instance).get_logs_for_run(first)[-1])
    assert len(storage_of(instance).get_logs_for_run(first)) == len(stock.get_logs_for_run(first))
    last, before = stock.get_logs_for_run(first)[-1], stock.get_logs_for_run(first)[-2]
    assert last == before


def test_a_run_that_another_process_deleted_has_no_events_any_more(instance: DagsterInstance) -> None:
    run_id, storage = run(instance), storage_of(instance)
    for ending in ("", "-wal", "-shm"):
        Path(f"{storage.path_for_shard(run_id)}{ending}").unlink(missing_ok=True)
    assert storage.get_logs_for_run(run_id) == []


def test_looking_at_many_runs_keeps_few_files_open(instance: DagsterInstance) -> None:
    run_ids, storage = [run(instance) for _ in range(RUNS_KEPT_OPEN + 2)], storage_of(instance)
    counts = [len(storage.get_logs_for_run(run_id)) for run_id in run_ids]
    assert len(set(counts)) == 1
    assert len(storage._engines) == RUNS_KEPT_OPEN + 1


def test_its_files_are_closed_with_it(instance: DagsterInstance) -> None:
    run(instance)
    storage = storage_of(instance)
    storage.dispose()
    assert not storage._engines
    assert run(instance)


def test_an_event_is_stored_with_all_that_is_noted_of_it_or_not_at_all(
    instance: DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage, run_id = storage_of(instance), run(instance)
    before = storage.get_logs_for_run(run_id)
    made = next(log for log in before if log.is_dagster_event and log.get_dagster_event().is_step_materialization)

    def fails(*_: object) -> None:
        raise OSError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(storage, "store_asset_event_tags", fails)
        with pytest.raises(OSError, match="the disk is full"):
            storage.store_event(made)
    assert storage.get_logs_for_run(run_id) == before
    assert len(instance.fetch_materializations(entries.key, limit=10).records) == 1
    storage.store_event_batch([made, made])
    assert len(storage.get_logs_for_run(run_id)) == len(before) + 2
    assert len(instance.fetch_materializations(entries.key, limit=10).records) == 3


@asset
def failing() -> None:
    """Fails in a sentence."""
    try:
        raise ValueError("the cause")
    except ValueError as error:
        raise Failure("The API is ill.") from error


@asset
def broken() -> None:
    """Fails by a defect."""
    raise ValueError("a defect")


@pytest.mark.parametrize(("made", "has_trace"), [(failing, False), (broken, True)])
def test_a_failure_with_a_sentence_is_shown_without_a_stack_trace_and_a_defect_with_it(
    instance: DagsterInstance, made: AssetsDefinition, has_trace: bool
) -> None:
    ended = materialize([made], instance=instance, raise_on_error=False)
    (record,) = instance.get_records_for_run(ended.run_id, of_type=DagsterEventType.STEP_FAILURE).records
    assert record.event_log_entry.dagster_event is not None
    error = record.event_log_entry.dagster_event.step_failure_data.error
    assert error is not None
    assert bool(error.stack or error.cause) is has_trace
    assert has_trace or error.message == "The API is ill.\n"
