"""One `dbt build` in this process, on a warehouse that this process keeps open for dbt alone.

A process of its own would cost some seconds more per sync, and a guard that ends it when a run is killed. Importing this
module takes two seconds, because it imports dbt. Which models are built is decided in `unchanged.py`, and what becomes of
them in Dagster in `dbt_assets.py`.
"""

import contextlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from dagster import DagsterExecutionInterruptedError
from dagster._utils.interrupts import raise_interrupts_as
from dbt.adapters.duckdb.credentials import DuckDBCredentials
from dbt.artifacts.schemas.results import NodeResult
from dbt.artifacts.schemas.run import RunExecutionResult
from dbt.cli.main import dbtRunner, dbtRunnerResult
from dbt.contracts.graph.manifest import Manifest

from analytics_assets.orchestration.dbt_nodes import PARSED, PROJECT_DIR, DbtNodes
from analytics_assets.orchestration.dbt_variables import DbtValue
from analytics_assets.warehouse.connection import kept_open
from analytics_assets.warehouse.places import dbt_folder

SENTENCE_CHARACTERS: Final = 1500
SAID: Final = frozenset({"info", "warn", "error"})
ABOUT_THE_PLACE: Final = re.compile(r"\w+ Error in \w+ \w+ \(|compiled code at |> (?:in|called by) ", re.IGNORECASE)


@dataclass(frozen=True)
class DbtOutcome:
    """How each node ended that dbt has dealt with (see `dbt_events.py`), and why the run failed, or None."""

    reports: Mapping[str, dict[str, Any]]
    failure: str | None


def run_dbt(warehouse: Path, nodes: DbtNodes, to_build: Sequence[str], variables: Mapping[str, DbtValue]) -> DbtOutcome:
    """Build and test some nodes; the caller holds the writer's lock.

    Args:
        warehouse: path of the warehouse file.
        nodes: the models and tests of the project.
        to_build: those that are built, by their ids.
        variables: variables of the dbt project that differ from its defaults.

    Raises:
        DagsterExecutionInterruptedError: the run was told to end; dbt has cancelled its queries.
    """
    is_all = {*nodes.in_order} <= {*to_build}  # dbt looks through all nodes for each name: most of a second
    chosen = [] if is_all else ["--select", *map(nodes.name, to_build), "--indirect-selection", "empty"]
    done = _invoke(warehouse, ["build", *_options(warehouse, dbt_folder(warehouse), variables), *chosen])
    ended = [result for result in _results(done) if result.node.unique_id in to_build and result.status != "skipped"]
    reports = {result.node.unique_id: _report(result) for result in ended}
    return DbtOutcome(reports, None if done.success else _failure(done))


def parsed_project(warehouse: Path) -> Manifest:
    """The project as dbt parsed it when it was set up, with its relations in this warehouse; `:memory:` for none.

    dbt would parse it again for each warehouse and each change of a variable, which takes five to nine seconds; this takes
    a tenth of one. All that parsing takes from a warehouse is its name; variables are read when a model is compiled.
    """
    database = DuckDBCredentials.path_derived_database_name(str(warehouse))
    project = Manifest.from_msgpack(PARSED.read_bytes())
    for node in (*project.nodes.values(), *project.sources.values()):
        if node.relation_name is not None:
            node.relation_name = node.relation_name.replace(f'"{node.database}"', f'"{database}"', 1)
        node.database = database
    return project


def _results(done: dbtRunnerResult) -> Sequence[NodeResult]:
    return done.result.results if isinstance(done.result, RunExecutionResult) else []


def _report(result: NodeResult) -> dict[str, Any]:
    report = {"status": str(result.status), "seconds": result.execution_time, "failures": result.failures}
    query = getattr(result.node, "compiled_code", None)
    return {**report, "query": query} if result.failures and query else report


def _options(warehouse: Path, folder: Path, variables: Mapping[str, DbtValue]) -> list[str]:
    return [
        *("--project-dir", str(PROJECT_DIR), "--profiles-dir", str(PROJECT_DIR)),
        # no log file: dbt would leave it open
        *("--target-path", str(folder), "--log-path", str(folder), "--log-level-file", "none"),
        *("--vars", json.dumps({"warehouse_path": str(warehouse), **variables})),
        *("--exclude-resource-type", "unit_test"),
        *("--log-level", "none", "--no-use-colors", "--no-send-anonymous-usage-stats"),  # see `_say`
        "--no-write-json",  # nobody reads its manifest and results, and writing them takes a second
    ]


def _invoke(warehouse: Path, arguments: list[str]) -> dbtRunnerResult:
    """Run dbt while the file stays open here, so that nobody gets in between two of its models.

    dbt cancels its queries on a `KeyboardInterrupt` and on nothing else. It changes to the folder of its project.
    """
    try:
        with kept_open(warehouse), contextlib.chdir(Path.cwd()), raise_interrupts_as(KeyboardInterrupt):
            done = dbtRunner(manifest=parsed_project(warehouse), callbacks=[_say]).invoke(arguments)
    except KeyboardInterrupt:
        raise DagsterExecutionInterruptedError from None
    if isinstance(done.exception, KeyboardInterrupt):
        raise DagsterExecutionInterruptedError
    return done


def _say(event: Any) -> None:
    """Print what dbt says, which Dagster keeps with the step.

    dbt's own console formats each of its 2,300 events, of which 350 are for people: half a second of a sync.
    """
    if event.info.level in SAID:
        print(event.info.msg)  # noqa: T201


def _failure(done: dbtRunnerResult) -> str:
    """Which models and checks failed and why, or what kept dbt from beginning."""
    failed = [f"{result.node.name}: {_reason(result)}" for result in _results(done) if result.status in ("error", "fail")]
    said = "; ".join(failed) if failed else " ".join(str(done.exception or "dbt gave no reason").split())
    return f"dbt could not build all models: {said}"[:SENTENCE_CHARACTERS]


def _reason(result: NodeResult) -> str:
    """What the database says, without dbt's lines about where the model stands; of a check, how many rows fail."""
    if result.status == "fail":
        return f"{result.failures:,} {'row fails' if result.failures == 1 else 'rows fail'} this check"
    lines = [line.strip() for line in (result.message or "dbt gave no reason").splitlines()]
    return " ".join(line for line in lines if line and not ABOUT_THE_PLACE.match(line))
