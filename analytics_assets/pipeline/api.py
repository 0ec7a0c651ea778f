"""The API as a value: the way in, how gently it is asked, and the dlt source that reads it.

Made from the settings in one place, `Api.of`; nothing here asks the API anything.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import pyarrow as pa
from dlt.extract.source import DltSource

from analytics_assets.pipeline.progress import ReadingProgress
from analytics_assets.setting_values import sendable_key
from analytics_assets.settings import Settings
from analytics_assets.source import ReadingOptions, analytics_source
from analytics_assets.source.arrow import UndeclaredColumns
from analytics_assets.source.columns import ResourceName, Table
from analytics_assets.source.errors import SourceError
from analytics_assets.source.http import HttpLimits
from analytics_assets.source.kept_answers import KeptAnswers, are_worth_keeping, forget_answers
from analytics_assets.source.page_size import AskedPageSize, PageSize
from analytics_assets.source.reading import ReadingRecorder
from analytics_assets.source.rest_config import DEFAULT_PAGE_SIZE, ExtraParams
from analytics_assets.source.second_reading import read_lists_again
from analytics_assets.source.window import Window
from analytics_assets.warehouse.places import ledger_file, page_size_file
from analytics_assets.workspace_access import WorkspaceAccess


@dataclass(frozen=True)
class Api:
    """The API to read: the way in, how gently it is asked, and what is asked besides."""

    access: WorkspaceAccess
    page_size: AskedPageSize = DEFAULT_PAGE_SIZE
    limits: HttpLimits = field(default_factory=HttpLimits)
    extra_params: ExtraParams = field(default_factory=dict)
    page_size_memory: Path | None = None
    """Where it is kept which page size the server honours."""

    @classmethod
    def of(cls, settings: Settings, access: WorkspaceAccess | None = None) -> "Api":
        """The API that the settings name.

        Args:
            settings: how it is asked, and what reaches it.
            access: what reaches it, where that comes from elsewhere than the settings.

        Raises:
            SettingsError: key, address or workspace is missing.
        """
        limits = HttpLimits(
            requests_per_second=settings.requests_per_second,
            concurrency=settings.concurrency,
            backoff_factor=settings.retry_backoff_factor,
            read_timeout_seconds=settings.request_timeout_seconds,
            requests_per_hour=settings.requests_per_hour,
            ledger=ledger_file(settings.named_file),
        )
        return cls(
            access or settings.access(),
            settings.page_size,
            limits,
            settings.extra_params,
            page_size_file(settings.duckdb_path),
        )

    def source(self, reading: ReadingOptions) -> DltSource:
        """The keyed source for one reading; dlt wants a fresh one each time.

        Raises:
            SourceError: no HTTP header can carry the key.
        """
        return analytics_source(self._key(), self.access.api_url, self.access.workspace_id, reading)

    def listed(self, name: ResourceName, progress: ReadingProgress) -> Iterator[str]:
        """The ids of a resource that has no parent, as the API lists them now; some twice where a list has several pages.

        Raises:
            SourceError: somewhere among the causes, when the list can't be read.
        """
        options = replace(self.options(progress, None, UndeclaredColumns()), resources=(name,))
        for table in self.source(options):
            yield from table.column("id").to_pylist()

    def lists_again(self, reading: ReadingOptions, table: Table, parents: Sequence[str]) -> Iterator[pa.Table]:
        """Some lists of a child resource, read anew with the options of a reading that is over.

        Raises:
            SourceError: a list can't be read exactly.
        """
        return read_lists_again(self._key(), self.access.api_url, self.access.workspace_id, reading, table, parents)

    def options(
        self,
        progress: ReadingProgress,
        window: Window | None,
        undeclared: UndeclaredColumns,
        lists_with_rows: Mapping[ResourceName, frozenset[str]] | None = None,
        kept_answers: KeptAnswers | None = None,
    ) -> ReadingOptions:
        """How one reading of this API is made."""
        return ReadingOptions(
            page_size=PageSize(self.page_size, self.page_size_memory),
            window=window,
            limits=self.limits,
            extra_params=self.extra_params,
            recorder=progress.recorder,
            meter=progress.meter,
            undeclared=undeclared,
            lists_with_rows=lists_with_rows or {},
            column_hints=False,
            bundles_pages=True,
            kept_answers=kept_answers,
        )

    @contextmanager
    def answers_kept(
        self, folder: Path, recorder: ReadingRecorder, published_at: datetime | None
    ) -> Iterator[KeptAnswers | None]:
        """What a reading has in hand that did not come to its end, and leaves in hand if it does not either.

        Without a ceiling per hour requests are cheap, and each reading asks for everything: None then.

        Args:
            folder: where answers are kept.
            recorder: knows which lists are still to be read.
            published_at: when something was published last in the warehouse; None where nothing was.
        """
        if self.limits.requests_per_hour is None:
            forget_answers(folder)
            yield None
            return
        kept = KeptAnswers(folder, self._key(), recorder.lists_left, published_at)
        try:
            yield kept
        except BaseException as error:
            if not are_worth_keeping(error):
                kept.forget()
            raise

    def _key(self) -> str:
        """The key, if a header can carry it, whoever has made the access."""
        try:
            sendable_key(self.access.api_key)
        except ValueError as error:
            raise SourceError(f"ANALYTICS_API_KEY {error}.") from None
        return self.access.api_key.get_secret_value()
