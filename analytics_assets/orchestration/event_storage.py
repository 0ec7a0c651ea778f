"""Dagster's event log in SQLite, with connections that stay open.

A sync of this project stores some 360 events, and Dagster's own storage opens a new engine and waits for the disk up to
four times for each of them: six seconds of a small sync. This one keeps its connections and lets SQLite write ahead, by
which it took one second. The files are the same, so processes with either class share them, and `dagster.yaml` names
which one is used.
"""

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from dagster import Field, StringSource
from dagster._config import UserConfigSchema
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME, SqliteEventLogStorage
from dagster._serdes import ConfigurableClassData
from sqlalchemy import create_engine, event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.pool import QueuePool

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
        super().__init__(base_dir, inst_data)

    @classmethod
    def config_type(cls) -> UserConfigSchema:
        """The folder of the instance; the files lie where Dagster's own storage has them."""
        return {"home": Field(StringSource)}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> "EventStorage":
        """The storage as `dagster.yaml` configures it."""
        return cls(str(Path(config_value["home"]) / "history" / "runs"), inst_data)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock, self._engine(shard).connect() as connection, connection.begin():
            yield connection

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


def _write_ahead(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA synchronous=NORMAL")
