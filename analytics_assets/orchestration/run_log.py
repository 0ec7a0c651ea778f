"""The warnings of this project's loggers in the log of a Dagster run: waits, retries, lists that were skipped.

Dagster shows other loggers there only if the instance is configured so; without it a run that waits for its turn
would look as if it hung.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from dagster import DagsterLogManager

PROJECT: logging.Logger = logging.getLogger("analytics_assets")


@contextmanager
def warnings_shown_in(log: DagsterLogManager) -> Iterator[None]:
    """Show them as long as the block runs, from whatever thread they come."""
    handler = _Forward(log)
    PROJECT.addHandler(handler)
    try:
        yield
    finally:
        PROJECT.removeHandler(handler)


class _Forward(logging.Handler):
    def __init__(self, log: DagsterLogManager) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Hand a record to the run, at its own level."""
        self._log.log(record.levelno, record.getMessage())
