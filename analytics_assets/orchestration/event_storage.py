"""Dagster's event log in SQLite, with connections that stay open.

A sync of this project stores some 500 events, and Dagster's own storage opens a new engine and waits for the disk up to
four times for each of them: six seconds of a small sync. This one keeps its connections, stores an event in one transaction
of each file, and lets SQLite write ahead. The files are the same, so processes with either class share them, and
`dagster.yaml` names which one is used.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from dagster import EventLogEntry, Field, StringSource
from dagster._config import UserConfigSchema
from dagster._core.execution.plan.objects import StepFailureData
from dagster._core.storage.event_log.schema import SqlEventLogStorageMetadata
from dagster._core.storage.event_log.sqlite import sqlite_event_log
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME, SqliteEventLogStorage
from dagster._core.storage.runs.sqlite import sqlite_run_storage
from dagster._core.storage.schedules.sqlite import sqlite_schedule_storage
from dagster._core.storage.sql import get_alembic_config
from dagster._serdes import ConfigurableClassData
from dagster_shared.error import SerializableErrorInfo
from sqlalchemy import Column, MetaData, String, Table, create_engine, event, inspect, select
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import QueuePool

VERSION: Final = Table("alembic_version", MetaData(), Column("version_num", String(32), primary_key=True))
"""Where Alembic keeps the version of a file."""
RUNS_KEPT_OPEN: Final = 4
"""Files of runs that stay open at once, besides the index; the web server looks at many runs in its life."""


class EventStorage(SqliteEventLogStorage):
    """`SqliteEventLogStorage` that reuses its connections; one thread at a time, as there.

    After a loss of power the last events may be missing (`synchronous=NORMAL`); the files stay sound. What the
    warehouse holds does not depend on them.
    """

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        """Open the storage of one instance.

        Args:
            base_dir: the folder of the files.
            inst_data: how Dagster makes this object again in another process.
        """
        self._engines: OrderedDict[str, Engine] = OrderedDict()
        self._open: dict[str, Connection] | None = None
        self._ends_with = ExitStack()
        self._there: set[tuple[str, str]] = set()
        _let_alembic_keep_nothing()
        super().__init__(base_dir, inst_data)
        self._db_lock = threading.RLock()  # type: ignore[assignment]  # one thread goes through it again in a transaction

    @classmethod
    def config_type(cls) -> UserConfigSchema:
        """The folder of the instance; the files lie where Dagster's own storage has them."""
        return {"home": Field(StringSource)}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> "EventStorage":
        """The storage as `dagster.yaml` configures it."""
        return cls(str(Path(config_value["home"]) / "history" / "runs"), inst_data)

    def store_event(self, event: EventLogEntry) -> None:
        """Store an event with all that is noted of it elsewhere."""
        with self._transaction():
            super().store_event(in_a_sentence(event))

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """Store several events, all or none of them."""
        with self._transaction():
            for each in events:
                super().store_event(in_a_sentence(each))

    def has_table(self, table_name: str) -> bool:
        """Whether the files have a table; Dagster asks that for each event, and none ever goes."""
        return self._has("table", table_name, super().has_table)

    def has_asset_key_col(self, column_name: str) -> bool:
        """Whether the table of assets has a column; as with tables."""
        return self._has("column of assets", column_name, super().has_asset_key_col)

    def has_secondary_index(self, name: str) -> bool:
        """Whether the data of an earlier version of Dagster was brought to this one's; that is done once, and stays."""
        return self._has("migration", name, super().has_secondary_index)

    def _has(self, kind: str, name: str, look: Callable[[str], bool]) -> bool:
        if (kind, name) not in self._there and look(name):
            self._there.add((kind, name))
        return (kind, name) in self._there

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Whatever is written in the block is written at its end, in one go for each file."""
        with self._db_lock, ExitStack() as stack:
            self._open, self._ends_with = {}, stack
            try:
                yield
            finally:
                self._open = None

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock:
            if self._open is None:
                with self._engine(shard).connect() as connection, connection.begin():
                    yield connection
                return
            if shard not in self._open:
                connection = self._ends_with.enter_context(self._engine(shard).connect())
                self._ends_with.enter_context(connection.begin())
                self._open[shard] = connection
            yield self._open[shard]

    def _initdb(self, engine: Engine, for_index_shard: bool = False) -> None:
        """Make the tables of a file, of the version that the index has.

        Dagster asks Alembic for the newest version, which loads the history of all versions for each run: a third of a
        second. Alembic has brought the index to that version already.
        """
        is_index = engine.url.database == self.path_for_shard(INDEX_SHARD_NAME)
        if is_index or not self._made_like_the_index(engine):
            super()._initdb(engine, for_index_shard)

    def _made_like_the_index(self, engine: Engine) -> bool:
        """Make a new file; whether it has the version of the index now, or had it already."""
        with self.index_connection() as index:
            wanted = index.scalar(select(VERSION.c.version_num))
        try:
            with engine.connect() as connection, connection.begin():
                if not inspect(connection).get_table_names():
                    SqlEventLogStorageMetadata.create_all(connection)
                    VERSION.create(connection)
                    connection.execute(VERSION.insert().values(version_num=wanted))
                return bool(wanted == connection.scalar(select(VERSION.c.version_num)))
        except DatabaseError:  # another process makes it in this moment, which Dagster waits for
            return False

    def _engine(self, shard: str) -> Engine:
        engine = self._engines.get(shard)
        if engine is not None and not Path(self.path_for_shard(shard)).exists():  # another process has deleted the run
            self._close(shard)
            self._initialized_dbs.discard(shard)
            engine = None
        if engine is None:
            engine = create_engine(
                self.conn_string_for_shard(shard), poolclass=QueuePool, connect_args={"check_same_thread": False}
            )
            event.listen(engine, "connect", _write_ahead)
            if shard not in self._initialized_dbs:
                self._initdb(engine)
                self._initialized_dbs.add(shard)
            self._engines[shard] = engine
        self._engines.move_to_end(shard)
        for name in [name for name in self._engines if name != INDEX_SHARD_NAME][:-RUNS_KEPT_OPEN]:
            self._close(name)
        return engine

    def _close(self, shard: str) -> None:
        self._engines.pop(shard).dispose()

    def dispose(self) -> None:
        """Close all files."""
        super().dispose()
        with self._db_lock:
            for shard in list(self._engines):
                self._close(shard)


def in_a_sentence(event: EventLogEntry) -> EventLogEntry:
    """The event; of a step that ended with a `Failure`, its description without the stack trace that the UI shows after it.

    What the run prints, which the UI keeps with the step, has the trace.
    """
    data = event.dagster_event.event_specific_data if event.dagster_event else None
    if not isinstance(data, StepFailureData) or data.error is None or data.user_failure_data is None:
        return event
    sentence = data.user_failure_data.description
    if not sentence:
        return event
    told = data._replace(error=SerializableErrorInfo(f"{sentence}\n", stack=[], cls_name=data.error.cls_name))
    assert event.dagster_event is not None  # it has the data
    return event._replace(dagster_event=event.dagster_event._replace(event_specific_data=told))


def _let_alembic_keep_nothing() -> None:
    """Give Alembic the folder of Dagster's versions as a path, in the configurations that Dagster keeps of its three storages.

    Of a place in a package Alembic remembers until the process ends that it was looked up. A code server opens the instance
    anew for each tick of a sensor, and grew by 5 KB each time: 80 MB a day.
    """
    versions = str(files("dagster") / "_core" / "storage" / "alembic")
    for storage in (sqlite_run_storage, sqlite_schedule_storage, sqlite_event_log):
        get_alembic_config(storage.__file__).set_main_option("script_location", versions.replace("%", "%%"))


def _write_ahead(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
