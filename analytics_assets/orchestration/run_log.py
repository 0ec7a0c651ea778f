"""What the log of a Dagster run says besides Dagster's own events: how far the reading is, and the warnings of this project.

Dagster shows other loggers there only if the instance is configured so; without it a run that waits for its turn, or
reads for ten minutes, would look as if it hung.
"""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from dagster import DagsterLogManager

from analytics_assets.pipeline.progress import ReadingLines, ReadingProgress, so_far

LOOK_SECONDS: Final = 0.5
SAY_AGAIN_SECONDS: Final = 10.0
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


@contextmanager
def reading_shown_in(log: DagsterLogManager, progress: ReadingProgress) -> Iterator[None]:
    """Say as long as the block runs which resources were read, and every ten seconds how far the others are."""
    over = threading.Event()
    thread = threading.Thread(target=_say, args=(log, progress, over), name="reading", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _say(log: DagsterLogManager, progress: ReadingProgress, over: threading.Event) -> None:
    lines, said_at = ReadingLines(), time.monotonic()
    is_over = False
    while not is_over:
        is_over = over.wait(LOOK_SECONDS)
        begun = progress.begun()
        new = lines.new(begun)
        if not new and not is_over and time.monotonic() - said_at >= SAY_AGAIN_SECONDS:
            new = [line for line in (so_far(begun),) if line]
        for line in new:
            log.info(line)
            said_at = time.monotonic()


class _Forward(logging.Handler):
    def __init__(self, log: DagsterLogManager) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Hand a record to the run, at its own level."""
        self._log.log(record.levelno, record.getMessage())
