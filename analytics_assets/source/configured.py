"""dlt, configured by nothing but the project itself.

dlt looks for each of a thousand values in the environment and in files, at several names each: 0.7 seconds of a sync, and
0.2 of each source that is made. And what somebody has set there for another pipeline would hold for this one.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from dlt.common.configuration.container import Container
from dlt.common.configuration.providers.dictionary import DictionaryProvider
from dlt.common.configuration.providers.provider import ConfigProvider
from dlt.common.configuration.specs.pluggable_run_context import PluggableRunContext
from dlt.common.configuration.utils import get_resolved_traces
from dlt.common.runtime.tracking import SupportsTracking
from dlt.pipeline import trace

_TELEMETRY: Final = "RUNTIME__DLTHUB_TELEMETRY"


@contextmanager
def dlt_configured(concurrency: int) -> Iterator[None]:
    """Configure dlt for what runs in the block, by nothing but what is said here.

    How much dlt logs (`RUNTIME__LOG_LEVEL`) may still be said in the environment.

    dlt's makers are told nothing, whoever has used dlt in this process before. Where nothing is sent, dlt would still write the
    number that its reports carry into the home folder.

    Signals are left to the process itself. dlt would hold a signal back while it normalizes and loads, and drop it if
    the load ends before dlt checks for it: an interrupted run would then continue and publish.

    Args:
        concurrency: how many lists dlt may read in parallel.
    """
    places = _silent_context().providers
    ours = _OfASync(places.providers, trace.TRACKING_MODULES)
    ours.set_value("runtime", {"dlthub_telemetry": False, "intercept_signals": False}, None)
    ours.set_value("extract", {"workers": concurrency, "max_parallel_items": 2 * concurrency}, None)
    if level := os.environ.get("RUNTIME__LOG_LEVEL"):
        ours.set_value("log_level", level, None, "runtime")
    mine: list[ConfigProvider] = [ours]
    places.providers, trace.TRACKING_MODULES = mine, []
    try:
        yield
    finally:
        if places.providers is mine:  # else a sync of another warehouse has begun since, in another thread, or is over
            places.providers, trace.TRACKING_MODULES = ours.usual, ours.usually_told
        # dlt notes each value that it looks up, and forgets them at the end of a pipeline alone; a look at the API runs none
        get_resolved_traces().clear()


def _silent_context() -> PluggableRunContext:
    """dlt's context of this process, which reports to nobody.

    dlt decides whether to report when its context is asked for first, which is before anything can be configured in it, and
    reports all pipelines of the process from then on. What a sync configured came too late.
    """
    before = os.environ.get(_TELEMETRY)
    os.environ[_TELEMETRY] = "false"
    try:
        return Container()[PluggableRunContext]
    finally:
        if before is None:
            del os.environ[_TELEMETRY]
        else:
            os.environ[_TELEMETRY] = before


class _OfASync(DictionaryProvider):
    """What a sync says to dlt; knows what was asked, and who was told of each step, before any sync."""

    def __init__(self, before: list[ConfigProvider], told: list[SupportsTracking]) -> None:
        super().__init__()
        first = before[0] if before else None
        self.usual: list[ConfigProvider] = first.usual if isinstance(first, _OfASync) else before
        self.usually_told: list[SupportsTracking] = first.usually_told if isinstance(first, _OfASync) else told
