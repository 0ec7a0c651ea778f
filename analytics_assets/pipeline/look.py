"""A look at the API between two syncs: the ids that some short lists hold now, within a bounded time, or why not.

It is made with the product's own source and ceilings. Nothing is loaded, and nobody waits here for an hour's ceiling.
"""

import threading
from collections.abc import Iterator, Sequence, Set
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from analytics_assets.pipeline.api import Api
from analytics_assets.pipeline.progress import ReadingProgress
from analytics_assets.source.columns import TABLES, ResourceName
from analytics_assets.source.configured import dlt_configured
from analytics_assets.source.errors import SourceError, find_source_error
from analytics_assets.source.ledger import Ledger
from analytics_assets.warehouse.connection import connection
from analytics_assets.warehouse.errors import WarehouseError, WarehouseInUseError
from analytics_assets.warehouse.identity import refuse_another_workspace

LONGEST_LOOK_SECONDS: Final = 40.0
"""Dagster ends the tick of a schedule or sensor after a minute, with a traceback; a server may ask for an hour's pause."""
LONGEST_SILENCE_SECONDS: Final = 15.0
SHORT_LIST: Final[ResourceName] = "clients"
"""Short in most workspaces."""


class LookError(SourceError):
    """The API was not read to the end, for want of time or of requests; this says nothing about key and address."""


def listed_now(api: Api, names: Sequence[ResourceName], *, requests: int, backoff_factor: float) -> dict[ResourceName, Set[str]]:
    """The ids of resources that have no parent, as the API lists them now.

    Args:
        api: what is read.
        names: the resources.
        requests: how many the lists will need.
        backoff_factor: seconds before a request that met a passing fault is tried again.

    Raises:
        LookError: the hourly ceiling leaves no room, or the API takes too long.
        SourceError: somewhere among the causes, when the API can't be read.
    """
    _assert_room(api, requests)
    limits = replace(
        api.limits,
        backoff_factor=backoff_factor,
        read_timeout_seconds=min(api.limits.read_timeout_seconds, LONGEST_SILENCE_SECONDS),
    )
    bounded = replace(api, limits=limits)
    progress = ReadingProgress()
    with dlt_configured(limits.concurrency), _ended_in_time(progress, names):
        return {name: set(bounded.listed(name, progress)) for name in names}


def why_a_sync_would_fail(api: Api, warehouse: Path, name: ResourceName = SHORT_LIST) -> str | None:
    """Why a sync that begins now would fail at once, in a sentence; None where nothing is known against it.

    Dagster shows every asset that a failed run was to make as failed, so a wrong key is better found before.

    Args:
        api: what is read.
        warehouse: path of the warehouse file; one that another program has open is not looked into.
        name: the list that is asked for; one request where it is short.
    """
    if reason := _why_not_this_file(warehouse, api.access.workspace_id):
        return reason
    try:
        listed_now(api, [name], requests=1, backoff_factor=api.limits.backoff_factor)
    except Exception as error:
        found = find_source_error(error)
        if found is None:
            raise
        return None if isinstance(found, LookError) else str(found)
    return None


def _why_not_this_file(warehouse: Path, workspace_id: str) -> str | None:
    if not warehouse.exists():
        return None
    try:
        with connection(warehouse, read_only=True, patience_seconds=0) as con:
            refuse_another_workspace(con, warehouse, workspace_id)
    except WarehouseInUseError:
        return None  # the sync waits until the other program lets go of it
    except WarehouseError as error:
        return str(error)
    return None


def list_to_ask_for(names: Set[ResourceName]) -> ResourceName:
    """The list whose answer shows whether a sync of these resources can read the API.

    Args:
        names: the resources that are synced, at least one; a child stands for its parent too.
    """
    roots = [table.parent or name for name, table in TABLES.items() if name in names]
    return SHORT_LIST if SHORT_LIST in roots else roots[0]


@contextmanager
def _ended_in_time(progress: ReadingProgress, names: Sequence[ResourceName]) -> Iterator[None]:
    """End the look after `LONGEST_LOOK_SECONDS`.

    Raises:
        LookError: it was ended.
    """
    ending, late = progress.meter.ending, threading.Event()

    def end() -> None:
        late.set()
        ending.end()

    watch = threading.Timer(LONGEST_LOOK_SECONDS, end)
    watch.daemon = True
    watch.start()
    try:
        with ending.at_exit_or_signal():
            yield
    except Exception as error:
        if not late.is_set():
            raise
        raise LookError(f"The API did not list {' and '.join(names)} within {LONGEST_LOOK_SECONDS:.0f} s.") from error
    finally:
        watch.cancel()


def _assert_room(api: Api, requests: int) -> None:
    """Refuse to begin what would wait for the hour's ceiling.

    Raises:
        LookError: the ceiling leaves no room.
    """
    per_hour, ledger = api.limits.requests_per_hour, api.limits.ledger
    if per_hour is None or ledger is None:
        return
    made = Ledger(ledger, per_hour).look().requests
    if made + requests > per_hour:
        raise LookError(
            f"{made} of {per_hour} requests that an hour allows (ANALYTICS_REQUESTS_PER_HOUR) were made in the last one; the "
            f"{requests} that the lists need wait for a later tick."
        )
