"""Prints what a run loaded as a table on stdout, where the warehouse is, and what to do next.

Only the output belongs here; the figures are those that Dagster shows for the same run.
"""

import os
import shlex
import sys
from pathlib import Path
from typing import Final, TextIO

from dagster import AssetCheckSeverity
from rich.console import Console
from rich.table import Table

from analytics_assets.cli.sync_run.watch import MetadataValues, RunWatch
from analytics_assets.cli.whole_table import print_whole
from analytics_assets.orchestration.dbt_events import UNCHANGED_SINCE
from analytics_assets.orchestration.keys import layer
from analytics_assets.orchestration.team_tables import DELIVERED_TABLES, SENT_TABLES
from analytics_assets.settings import Settings, project_dir
from analytics_assets.source.columns import RESOURCE_NAMES

PIPED_WIDTH_CHARACTERS: Final = 120
FIGURES: Final[dict[str, str]] = {
    "read": "rows loaded",
    "new": "rows new",
    "changed": "rows changed",
    "deleted": "rows deleted",
    "rows": "dagster/row_count",
    "requests": "requests",
    "retries": "retries",
}
"""Heading → name of the figure in the metadata of the materialization, see `raw_metadata.py`."""


def print_summary(watch: RunWatch, settings: Settings, stream: TextIO) -> None:
    """Print what was loaded; nothing if nothing was."""
    if not (watch.landed or watch.models or watch.report or watch.reader_copy or watch.delivery):
        return
    console = Console(
        file=stream, width=None if stream.isatty() else PIPED_WIDTH_CHARACTERS, highlight=False, soft_wrap=not stream.isatty()
    )
    if watch.landed:
        print_whole(console, _table(watch))
        refused = sum(_number(values, "lists refused") for values in watch.landed.values())
        if refused:
            console.print(f"Lists refused by the API: {refused}; their rows in the warehouse stay as they were.")
        console.print()
    months = [str(values["months"]) for values in watch.landed.values() if "months" in values]
    if months:
        console.print(f"Time entries: {months[0]}")
    if watch.models_planned:
        console.print(_models_line(watch))
    if watch.checks_planned:
        console.print(_checks_line(watch))
    console.print(f"Seconds: {watch.elapsed_seconds:.1f}")
    path = settings.duckdb_path
    console.print(f"Warehouse: {path} ({_size(path)})", soft_wrap=True, markup=False)
    if watch.report is not None:
        console.print(f"Report: {watch.report['path']}", soft_wrap=True, markup=False)
    if watch.reader_copy is not None:
        if settings.one_of_several is not None:
            console.print(f"All workspaces: {watch.reader_copy['path']}", soft_wrap=True, markup=False)
        if settings.reader_copy is not None:
            console.print(f"For BI tools: {settings.reader_copy}", soft_wrap=True, markup=False)
    if (delivery := watch.delivery) is not None:
        sent = f"{delivery[SENT_TABLES]} of {delivery[DELIVERED_TABLES]} tables sent"
        console.print(f"In {delivery['engine']}: {delivery['database']} ({sent})", soft_wrap=True)
    console.print()
    console.print(f"Look at it:  {_dev_command()}", soft_wrap=True, markup=False)
    console.print(f"Query it:    {_query_command(path, watch)}", soft_wrap=True, markup=False)


def _table(watch: RunWatch) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("resource")
    for heading in (*FIGURES, "seconds"):
        table.add_column(heading, justify="right")
    seconds = {progress.name: progress.seconds for progress in watch.resources()}  # by the clock on the wall, as shown before
    for name in RESOURCE_NAMES:
        if name in watch.landed:
            values = watch.landed[name]
            figures = [f"{_number(values, figure):,}" for figure in FIGURES.values()]
            table.add_row(name, *figures, f"{seconds.get(name, 0.0):.1f}")
    return table


def _number(values: MetadataValues, figure: str) -> int:
    value = values.get(figure, 0)
    return value if isinstance(value, int) else 0


def _models_line(watch: RunWatch) -> str:
    if not watch.is_green and len(watch.models) < watch.models_planned:  # those of dbt are known only when it has finished
        return f"Models: not all of {watch.models_planned} built"
    new = [key for key, values in watch.models.items() if UNCHANGED_SINCE not in values]
    unchanged = len(watch.models) - len(new)
    layers: dict[str, int] = {}
    for key in new:
        layers[layer(key)] = layers.get(layer(key), 0) + 1
    built = ", ".join(f"{count} {layer}" for layer, count in sorted(layers.items(), reverse=True))
    left = f", {unchanged} unchanged" if unchanged else ""
    return f"Models: {len(new)} of {watch.models_planned} built" + (f" ({built})" if built else "") + left


def _checks_line(watch: RunWatch) -> str:
    passed = sum(check.passed for check in watch.checks)
    failed = sum(not check.passed and check.severity is AssetCheckSeverity.ERROR for check in watch.checks)
    warned, missing = len(watch.checks) - passed - failed, watch.checks_planned - len(watch.checks)
    more = [f"{count} {word}" for count, word in ((warned, "warned"), (missing, "not run")) if count]
    unchanged = sum(UNCHANGED_SINCE in check.metadata for check in watch.checks)
    left = f" ({unchanged} as before, of what is unchanged)" if unchanged else ""
    return ", ".join([f"Checks: {passed} passed", f"{failed} failed", *more]) + left


def _size(path: Path) -> str:
    return f"{path.stat().st_size / 2**20:.1f} MiB" if path.exists() else "missing"


def _dev_command() -> str:
    return "make dev" if (project_dir() / "Makefile").exists() else "analytics-assets dev"


def _query_command(path: Path, watch: RunWatch) -> str:
    """A line for the shell that shows the first rows of the table that is used most."""
    is_mart_there = any(key.path[-1] == "fct_time_entries" for key in watch.models)
    table = "marts.fct_time_entries" if is_mart_there else f"raw.{next(iter(watch.landed), 'users')}"
    code = f"import duckdb; duckdb.connect({_shown(path)!r}, read_only=True).sql('from {table} limit 5').show()".replace("'", '"')
    return f"{_shown(Path(sys.executable))} -c {shlex.quote(code)}"


def _shown(path: Path) -> str:
    """The path, relative to the working directory if it is below it."""
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)
