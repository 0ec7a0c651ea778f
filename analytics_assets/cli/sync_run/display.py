"""Shows the progress of a run on stderr: a live table on a terminal, plain lines elsewhere.

The figures come from `watch.py`; nothing here decides anything about the run.
"""

import contextlib
import logging
import threading
from collections.abc import Iterator
from typing import Final, Protocol, TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from analytics_assets.cli.sync_run.watch import RunWatch
from analytics_assets.pipeline.progress import ReadingLines, so_far

REFRESHES_PER_SECOND: Final = 6
LOOK_SECONDS: Final = 0.2
SAY_AGAIN_SECONDS: Final = 10.0
STATE_STYLES: Final = {"waiting": "dim", "reading": "yellow", "read": "cyan", "in the warehouse": "green"}


class Display(Protocol):
    """Where the progress of a run is shown."""

    def note(self, text: str) -> None:
        """Show a line that stays on the screen."""


@contextlib.contextmanager
def showing(watch: RunWatch, stream: TextIO, *, plain: bool) -> Iterator[None]:
    """Show the run on `stream` while the block runs, with the warnings of this project's loggers.

    Args:
        watch: the run.
        stream: where to write, usually stderr; if it is closed, the run continues without it.
        plain: lines instead of a live table, even if the stream is a terminal.
    """
    moving = stream.isatty() and not plain
    with _moving(watch, stream) if moving else _lines(watch, stream) as display, _warnings(display):
        yield


@contextlib.contextmanager
def _warnings(display: Display) -> Iterator[None]:
    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            display.note(record.getMessage())

    logger, handler = logging.getLogger("analytics_assets"), Handler(logging.WARNING)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


class _Lines:
    """One line per event, and one about every ten seconds while nothing happens."""

    def __init__(self, watch: RunWatch, stream: TextIO) -> None:
        self._watch = watch
        self._stream = stream
        self._lock = threading.Lock()
        self._reading = ReadingLines()
        self._said_at = 0.0
        self._has_built = False

    def note(self, text: str) -> None:
        with self._lock, contextlib.suppress(OSError, ValueError):
            print(f"{self._watch.elapsed_seconds:6.1f} s  {text}", file=self._stream, flush=True)
        self._said_at = self._watch.elapsed_seconds

    def look(self) -> None:
        """Print what has changed since the last call."""
        for line in self._reading.new(self._watch.resources()):
            self.note(line)
        if self._watch.is_building and not self._has_built:
            self._has_built = True
            before = "the raw tables are in the warehouse; " if self._watch.landed else ""
            self.note(f"{before}{_models_text(self._watch)}")
        if self._watch.elapsed_seconds - self._said_at >= SAY_AGAIN_SECONDS:
            self.note(self._where())

    def _where(self) -> str:
        if reading := so_far(self._watch.resources()):
            return reading
        if self._watch.is_building:
            return _models_text(self._watch)
        resources = list(self._watch.resources())
        is_all_read = bool(resources) and all(p.state != "waiting" for p in resources)
        return "writing the warehouse" if is_all_read else "starting"


@contextlib.contextmanager
def _lines(watch: RunWatch, stream: TextIO) -> Iterator[Display]:
    lines, over = _Lines(watch, stream), threading.Event()

    def look_on() -> None:
        while not over.wait(LOOK_SECONDS):
            lines.look()

    thread = threading.Thread(target=look_on, name="progress", daemon=True)
    thread.start()
    try:
        yield lines
    finally:
        over.set()
        thread.join()
        lines.look()


class _Moving:
    """A table that is redrawn several times a second, with notes that scroll away above it."""

    def __init__(self, watch: RunWatch, console: Console) -> None:
        self._watch = watch
        self._console = console
        self._spinner = Spinner("dots")

    def note(self, text: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._console.print(Text(text, style="yellow"))

    def draw(self) -> Group:
        """The table with the current figures."""
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
        table.add_column("resource")
        table.add_column("state", min_width=16)
        for name in ("lists", "rows", "requests", "retries", "time"):
            table.add_column(name, justify="right")
        for progress in self._watch.resources():
            table.add_row(
                progress.name,
                Text(progress.state, style=STATE_STYLES[progress.state]),
                progress.lists_text if progress.requests else "",
                f"{progress.rows:,}" if progress.requests else "",
                f"{progress.requests:,}" if progress.requests else "",
                f"{progress.retries:,}" if progress.retries else "",
                f"{progress.seconds:.1f} s" if progress.requests else "",
            )
        self._spinner.update(text=Text(f"{self._phase()}, {self._watch.elapsed_seconds:.0f} s"))
        return Group(table, self._spinner)

    def _phase(self) -> str:
        resources = list(self._watch.resources())
        if self._watch.is_building:
            return _models_text(self._watch)
        if resources and all(p.is_over for p in resources):
            return "writing the warehouse"
        return "reading the API" if any(p.requests for p in resources) else "starting"


@contextlib.contextmanager
def _moving(watch: RunWatch, stream: TextIO) -> Iterator[Display]:
    console = Console(file=stream)
    moving = _Moving(watch, console)
    live = Live(
        get_renderable=moving.draw, console=console, refresh_per_second=REFRESHES_PER_SECOND, transient=True,
        redirect_stdout=False, redirect_stderr=False,
    )  # fmt: skip
    live.start()
    try:
        yield moving
    finally:
        with contextlib.suppress(OSError, ValueError):  # the terminal was closed
            live.stop()


def _models_text(watch: RunWatch) -> str:
    if not watch.models:
        return f"{watch.models_planned} dbt models are built and tested"
    unmet = sum(not check.passed for check in watch.checks)
    built, made = f"{len(watch.models)} of {watch.models_planned}", f"{len(watch.checks)} of {watch.checks_planned}"
    text = f"{built} models built, {made} checks run"
    return f"{text}, {unmet} did not pass" if unmet else text
