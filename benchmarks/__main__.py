"""Runs all contestants against the same API one after the other, and says how they compare: `make bench`.

Each gets an empty folder and is a process of its own, measured from its start to its end. The report is written only when
asked for, because its figures belong to the machine that it names.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

import duckdb
import requests

from benchmarks import KEY
from benchmarks.measure import Cost, run
from benchmarks.report import Machine, Measured, markdown, picture, table
from benchmarks.served import READY

ROOT: Final = Path(__file__).parents[1]
EDITED: Final = 10
FIRST: Final = {
    "floor": "fetch and insert, no types, no deletions, no checks",
    "dlt_parquet": "dlt, Parquet between it and DuckDB",
    "stock_dlt": "dlt as documented",
    "ours_raw": "this project, raw tables alone",
    "ours": "this project: raw, models, checks, report",
}
AGAIN: Final = {
    "unchanged": "this project again, nothing changed",
    "edited": f"this project again, {EDITED} entries edited",
}
PHASE: Final = re.compile(r"^ *([\d.]+) s  (.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Api:
    """The API that is served: its address, its workspace, and how much is in it."""

    url: str
    workspace: str

    def get(self, path: str) -> str:
        """What it says of itself under a path."""
        return requests.get(f"{self.url}{path}", timeout=60).text


@contextmanager
def serving(entries: int, members: int) -> Iterator[Api]:
    """The API in a process of its own, as long as the block runs."""
    command = [sys.executable, "-m", "benchmarks.served", "--entries", str(entries), "--members", str(members)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        port, workspace = process.stdout.readline().removeprefix(READY).split()
        try:
            yield Api(f"http://127.0.0.1:{port}", workspace)
        finally:
            process.terminate()


def variables(folder: Path, api: Api) -> dict[str, str]:
    """The environment of a contestant: ours reads its settings there, with a ceiling that a local server does not need."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANALYTICS_", "DAGSTER_", "DLT_"))}
    return {
        **kept,
        "PYTHONPATH": str(ROOT),
        "HOME": str(folder),
        "RUNTIME__DLTHUB_TELEMETRY": "false",
        "ANALYTICS_API_URL": api.url,
        "ANALYTICS_API_KEY": KEY,
        "ANALYTICS_WORKSPACE_ID": api.workspace,
        "ANALYTICS_DUCKDB_PATH": str(folder / "analytics.duckdb"),
        "ANALYTICS_START_DATE": "2020-01-01",
        "ANALYTICS_REQUESTS_PER_SECOND": "10000",
    }


def measured(name: str, kind: str, folder: Path, api: Api) -> tuple[Cost, int, dict[str, float]]:
    """One run of one contestant: its cost, its requests and, of ours, the seconds of its phases."""
    api.get("/requests")
    log = folder / "output.txt"
    command = [sys.executable, "-m", "benchmarks.contestants", name, str(folder), api.url, api.workspace]
    cost = run(command, variables(folder, api), log)
    print(f"  {kind}: {cost.wall_seconds:.1f} s", file=sys.stderr, flush=True)
    return cost, int(api.get("/requests")), phases(log.read_text(errors="replace"), cost)


def phases(log: str, cost: Cost) -> dict[str, float]:
    """The seconds of start, reading with loading, and models, of the lines that a sync says."""
    said = [(float(seconds), text) for seconds, text in PHASE.findall(log)]
    reading = next((seconds for seconds, text in said if text.endswith(": reading")), None)
    models = next((seconds for seconds, text in said if "dbt models are built" in text), None)
    if reading is None:
        return {}
    read_until = models if models is not None else cost.wall_seconds
    shown = {"reading and loading": read_until - reading}
    if models is not None:
        shown["models, checks and report"] = cost.wall_seconds - models
    return {"start": cost.wall_seconds - sum(shown.values()), **shown}


def rows_in(folder: Path) -> int:
    """How many time entries the contestant has loaded."""
    with duckdb.connect(str(folder / "analytics.duckdb"), read_only=True) as con:
        found = con.execute("SELECT count(DISTINCT id) FROM raw.time_entries").fetchone()
    assert found is not None
    count: int = found[0]
    return count


def compare(api: Api, entries: int, runs: int, names: Mapping[str, str]) -> list[Measured]:
    """All contestants, each as often as asked; the median counts."""
    costs: dict[str, list[tuple[Cost, int, dict[str, float]]]] = {}
    with tempfile.TemporaryDirectory(prefix="bench-") as temporary:
        for number in range(runs):
            for name in names:
                folder = Path(temporary) / f"{name}{number}"
                folder.mkdir()
                costs.setdefault(name, []).append(measured(name, name, folder, api))
                if (loaded := rows_in(folder)) != entries:
                    raise RuntimeError(f"{name} has loaded {loaded:,} of {entries:,} entries")
                if name == "ours":
                    costs.setdefault("unchanged", []).append(measured("ours", "unchanged", folder, api))
                    api.get(f"/edit?entries={EDITED}")
                    costs.setdefault("edited", []).append(measured("ours", "edited", folder, api))
    shown = {**names, **AGAIN}
    return [_median(shown[kind], kind, of_kind) for kind, of_kind in costs.items()]


def _median(title: str, kind: str, runs: list[tuple[Cost, int, dict[str, float]]]) -> Measured:
    middle = median(cost.wall_seconds for cost, _, _ in runs)
    cost, requests, shown = min(runs, key=lambda each: abs(each[0].wall_seconds - middle))
    return Measured(kind, title, middle, cost.processor_seconds, cost.peak_bytes, requests, shown)


def main() -> None:
    """Compare, print the table, and write the report if asked."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument("--entries", type=int, default=100_000, help="time entries of the workspace")
    parser.add_argument("--members", type=int, default=50, help="members that they are of")
    parser.add_argument("--runs", type=int, default=3, help="how often each runs; the median counts")
    parser.add_argument("--only", default="", help=f"some of {', '.join(FIRST)}, with commas between them")
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md and its picture")
    asked = parser.parse_args()
    names = {name: title for name, title in FIRST.items() if not asked.only or name in asked.only.split(",")}
    with serving(asked.entries, asked.members) as api:
        found = compare(api, asked.entries, asked.runs, names)
    print(table(found))
    if asked.write:
        docs = ROOT / "docs"
        (docs / "benchmarks.md").write_text(markdown(found, Machine.here(), asked.entries, asked.members, asked.runs))
        (docs / "images" / "benchmarks.svg").write_text(picture(found, asked.entries))


if __name__ == "__main__":
    main()
