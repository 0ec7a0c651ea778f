"""What the processes of these tests do: a sync, a Dagster run, a command; each until it ends or is stopped.

Everything here runs in a process of its own that was forked from one which has imported the pipeline already. Where
and how it stops is `points.py`'s business, and how a test holds it in hand `processes.py`'s.
"""

import os
import signal
import sys
import traceback
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from analytics_assets.pipeline.api import Api
from analytics_assets.pipeline.months import AskedMonths, Month, Span
from analytics_assets.pipeline.progress import ReadingProgress
from analytics_assets.pipeline.sync import sync
from analytics_assets.source.columns import RESOURCE_NAMES, ResourceName
from analytics_assets.source.errors import find_source_error
from analytics_assets.source.http import HttpLimits
from analytics_assets.source.page_size import AskedPageSize
from analytics_assets.warehouse.connection import connection
from analytics_assets.workspace_access import WorkspaceAccess
from analytics_assets_tests.safety.points import Stop, stopping_at


@dataclass(frozen=True)
class SyncOrder:
    """A sync without Dagster: what it reads and where it goes."""

    url: str
    key: str
    workspace: str
    warehouse: Path
    start: date
    first: str | None = None
    last: str | None = None
    resources: tuple[ResourceName, ...] = RESOURCE_NAMES
    page_size: AskedPageSize = 50
    name: str = "test"

    def __call__(self) -> dict[str, int]:
        """Run it; rows per table afterwards."""
        now = Month.of(datetime.now(UTC))
        span = Span(Month.parse(self.first) if self.first else Month.of(self.start), Month.parse(self.last) if self.last else now)
        limits = HttpLimits(requests_per_second=10_000, backoff_factor=0, read_timeout_seconds=30)
        report = sync(
            api=Api(WorkspaceAccess(SecretStr(self.key), self.url, self.workspace), self.page_size, limits),
            warehouse=self.warehouse,
            months=AskedMonths(self.start, span=span),
            progress=ReadingProgress(),
            holder=self.name,
            resources=self.resources,
        )
        return {name: published.total for name, published in report.published.items()}


@dataclass(frozen=True)
class TogetherOrder:
    """Syncs in threads of one process, and a reader beside them that opens the warehouse again and again."""

    orders: tuple[SyncOrder, ...]
    reader: Path

    def __call__(self) -> tuple[list[dict[str, int]], int]:
        """Run them; what each answered, and how often the reader has looked."""
        with ThreadPoolExecutor() as pool:
            running = [pool.submit(order) for order in self.orders]
            looks = 0
            while not all(future.done() for future in running):
                with connection(self.reader, read_only=True) as con:
                    con.execute("SELECT count(*) FROM raw.users").fetchall()
                looks += 1
                wait(running, timeout=0.05)
            return [future.result() for future in running], looks


@dataclass(frozen=True)
class DagsterOrder:
    """A run of the job `sync` on the instance of `DAGSTER_HOME`, in one process, as a run worker does it."""

    keys: tuple[str, ...] = ()
    tags: tuple[tuple[str, str], ...] = ()

    def __call__(self) -> dict[str, Any]:
        """Run it; whether it is green, and the sentences of the steps that failed."""
        from dagster import AssetKey, DagsterInstance

        from analytics_assets.definitions import build_definitions

        with DagsterInstance.get() as instance:
            result = (
                build_definitions()
                .resolve_job_def("sync")
                .execute_in_process(
                    instance=instance,
                    asset_selection=[AssetKey.from_user_string(key) for key in self.keys] or None,
                    tags=dict(self.tags),
                    raise_on_error=False,
                )
            )
        failures = [event.step_failure_data for event in result.get_step_failure_events()]
        return {
            "success": result.success,
            "run_id": result.run_id,
            "sentences": [f.user_failure_data.description if f.user_failure_data else f.error_display_string for f in failures],
        }


@dataclass(frozen=True)
class CommandOrder:
    """A command of the command line."""

    arguments: tuple[str, ...]

    def __call__(self) -> int:
        """Run it; its exit code."""
        from analytics_assets.cli import main

        return main(self.arguments)


Order = Callable[[], Any]


def run(
    order: Order, variables: Mapping[str, str], folder: Path, stop: Stop | None, channel: Connection, output: Connection
) -> None:
    """The main function of such a process: says on `channel` what became of the order."""
    os.setsid()
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # the tests may run under nohup, which a command would respect
    for stream in (1, 2):
        os.dup2(output.fileno(), stream)
    for name in [name for name in os.environ if name.startswith(("ANALYTICS_", "DAGSTER_"))]:
        del os.environ[name]
    os.environ.update(variables)
    os.chdir(folder)
    with ExitStack() as stack:
        if stop is not None:
            stack.enter_context(stopping_at(stop, channel))
        try:
            answer: tuple[str, Any] = ("ended", order())
        except BaseException as error:
            traceback.print_exc()
            sentence = find_source_error(error) or error
            answer = ("failed", f"{type(error).__name__}: {sentence}")
    sys.stdout.flush()
    sys.stderr.flush()
    channel.send(answer)
