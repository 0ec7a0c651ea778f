"""Dagster's storage in Postgres, with connections that stay open.

dagster-postgres opens a connection for each question that it asks (12 to 17 ms), and a sync stores 450 events with several
questions each. Only how connections are kept belongs here; the tables are Dagster's own, so processes with either class share
them. It needs the extra `team`, and `deploy/dagster.yaml` alone names it.
"""

from typing import Any, Final

from dagster import EventLogEntry
from dagster._serdes import ConfigurableClassData
from dagster_postgres import DagsterPostgresStorage, PostgresEventLogStorage
from dagster_postgres.utils import pg_url_from_config
from sqlalchemy import create_engine, inspect

from analytics_assets.orchestration.event_storage import in_a_sentence

MOST_CONNECTIONS: Final = 20
"""Of one process at once, for each of the three storages; the daemon asks from many threads."""
RECYCLED_AFTER_SECONDS: Final = 600


class PostgresStorage(DagsterPostgresStorage):
    """`DagsterPostgresStorage` that uses a connection again; the web server's does so by itself."""

    def __init__(
        self, postgres_url: str, should_autocreate_tables: bool = True, inst_data: ConfigurableClassData | None = None
    ) -> None:
        """Open the storage of one instance.

        Args:
            postgres_url: the database.
            should_autocreate_tables: whether missing tables are created.
            inst_data: how Dagster makes this object again in another process.
        """
        super().__init__(postgres_url, should_autocreate_tables, inst_data)
        self._event_log_storage = _EventLog(postgres_url, should_autocreate_tables, inst_data)
        for storage in (self._run_storage, self._event_log_storage, self._schedule_storage):
            storage._engine = create_engine(  # noqa: SLF001 - there is no setting for it
                postgres_url,
                isolation_level="AUTOCOMMIT",
                pool_size=1,
                max_overflow=MOST_CONNECTIONS - 1,
                pool_recycle=RECYCLED_AFTER_SECONDS,
                pool_pre_ping=True,  # after a restart of Postgres the open ones are dead
            )

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> "PostgresStorage":
        """The storage as `dagster.yaml` configures it."""
        return cls(pg_url_from_config(config_value), config_value.get("should_autocreate_tables", True), inst_data)


class _EventLog(PostgresEventLogStorage):
    """The event log; dagster-postgres takes a connection for each look at the tables and gives none of them back."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._tables: set[str] = set()
        super().__init__(*args, **kwargs)

    def has_table(self, table_name: str) -> bool:
        """Whether there is such a table; none ever goes."""
        if table_name not in self._tables:
            self._tables |= {*inspect(self._engine).get_table_names()}
        return table_name in self._tables

    def store_event(self, event: EventLogEntry) -> None:
        """Store an event; of a failure its sentence."""
        super().store_event(in_a_sentence(event))
