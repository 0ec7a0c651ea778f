"""The figures of a benchmark as a table for the terminal, a document and a picture.

Only words and drawing belong here; what was measured comes from `__main__`.
"""

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final, Self
from xml.sax.saxutils import escape

REFERENCE: Final = "stock_dlt"
PACKAGES: Final = ("dagster", "dlt", "duckdb", "dbt-core", "dbt-duckdb", "pyarrow")
BAR_PIXELS: Final = 420
LABEL_PIXELS: Final = 330
ROW_PIXELS: Final = 34


@dataclass(frozen=True)
class Measured:
    """The median run of one contestant."""

    kind: str
    title: str
    wall_seconds: float
    processor_seconds: float
    peak_bytes: int
    requests: int
    phases: dict[str, float]


@dataclass(frozen=True)
class Machine:
    """Where it was measured."""

    processor: str
    cores: int
    memory_gib: float
    python: str
    packages: dict[str, str]

    @classmethod
    def here(cls) -> Self:
        """This machine."""
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
        packages = {name: version(name) for name in PACKAGES}
        return cls(names[0] if names else platform.machine(), os.cpu_count() or 1, memory, platform.python_version(), packages)


def _cells(each: Measured, reference: float | None) -> list[str]:
    ratio = "" if reference is None else f"{reference / each.wall_seconds:.1f} x"
    peak, requests = f"{each.peak_bytes / 2**20:,.0f} MB", f"{each.requests:,}"
    return [each.title, f"{each.wall_seconds:.1f} s", ratio, f"{each.processor_seconds:.1f} s", peak, requests]


HEADERS: Final = ("", "seconds", "faster than dlt as documented", "processor", "peak memory", "requests")


def _rows(found: Sequence[Measured]) -> list[list[str]]:
    reference = next((each.wall_seconds for each in found if each.kind == REFERENCE), None)
    return [_cells(each, reference) for each in found]


def table(found: Sequence[Measured]) -> str:
    """The figures for a terminal, with the phases of our runs below."""
    rows = [list(HEADERS), *_rows(found)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADERS))]
    lines = ["  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in rows]
    return "\n".join([*lines, "", *_phase_lines(found)])


def _phase_lines(found: Sequence[Measured]) -> list[str]:
    return [
        f"{each.title}: " + ", ".join(f"{name} {seconds:.1f} s" for name, seconds in each.phases.items())
        for each in found
        if each.phases
    ]


def markdown(found: Sequence[Measured], machine: Machine, entries: int, members: int, runs: int) -> str:
    """The document: what was measured, on what, how to do it again, and what the others leave out."""
    rows = _rows(found)
    lines = ["| " + " | ".join(row) + " |" for row in (list(HEADERS), ["---", *["---:"] * (len(HEADERS) - 1)], *rows)]
    counted = "Each ran once." if runs == 1 else f"The median of {runs} runs counts."
    packages = ", ".join(f"{name} {number}" for name, number in machine.packages.items())
    return f"""# Benchmarks

A workspace of {entries:,} time entries of {members} members over three years, served on the same machine by a process that
answers from memory. Each contestant is a process of its own in an empty folder, measured from its start to its end.
{counted} Memory is the peak of the whole process tree.

![Seconds of a first load](images/benchmarks.svg)

{chr(10).join(lines)}

Phases of the runs of this project:

{chr(10).join(f"- {line}" for line in _phase_lines(found))}

Measured on: {machine.processor}, {machine.cores} cores, {machine.memory_gib:.0f} GiB, Python {machine.python}, {packages}.

Again: `make bench`, with another size `make bench BENCH_ARGS="--entries 1000000 --members 100 --runs 1"`. `--write` writes
this page.

## What the contestants do

- **This project** is `analytics-assets sync`: the seven raw tables with their declared types, the history of edits and
  deletions, all dbt models and their checks, the report and the copy for BI tools. The ceiling of ten requests a second is
  off here, because this server needs none; against a real API it is often what a sync waits for.
- **dlt as documented** is dlt's REST source with large pages, children in parallel and `merge` on the id: raw tables alone.
  It keeps what was deleted, misses rows that move between two pages while it reads, and checks nothing.
- **dlt, Parquet** is the same with `loader_file_format="parquet"`.
- **Fetch and insert** is the floor: concurrent requests and DuckDB's `read_json`. Types are guessed anew each time, and
  nothing tells a list that was cut off from one that ended.
"""


def picture(found: Sequence[Measured], entries: int) -> str:
    """Horizontal bars of the seconds, readable in light and dark."""
    longest = max(each.wall_seconds for each in found)
    height = ROW_PIXELS * len(found) + 48
    bars = []
    for number, each in enumerate(found):
        y, width = 40 + number * ROW_PIXELS, BAR_PIXELS * each.wall_seconds / longest
        color = "#3b6fb6" if "this project" in each.title else "#9aa5b1"
        bars.append(
            f'<text x="{LABEL_PIXELS - 10}" y="{y + 16}" text-anchor="end">{escape(each.title)}</text>'
            f'<rect x="{LABEL_PIXELS}" y="{y}" width="{width:.1f}" height="22" fill="{color}"/>'
            f'<text x="{LABEL_PIXELS + width + 8:.1f}" y="{y + 16}">{each.wall_seconds:.1f} s</text>'
        )
    width = LABEL_PIXELS + BAR_PIXELS + 70
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="13">'
        "<style>text { fill: #24292f } @media (prefers-color-scheme: dark) { text { fill: #d0d7de } }</style>"
        f'<text x="{LABEL_PIXELS}" y="22" font-weight="bold">Seconds for {entries:,} time entries</text>{"".join(bars)}</svg>\n'
    )
