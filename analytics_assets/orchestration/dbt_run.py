"""One `dbt build` in this process, on a warehouse that this process keeps open for dbt alone.

In this process, because Dagster has imported dbt already: a process of its own would cost five seconds more per sync,
and a guard that ends it when a run is killed. Which models are built is decided in `unchanged.py`, and what dbt reports
becomes Dagster's events in `dbt_assets.py`.
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
from dbt.artifacts.schemas.results import NodeResult
from dbt.artifacts.schemas.run import RunExecutionResult
from dbt.cli.main import dbtRunner, dbtRunnerResult
from dbt_common.events.base_types import EventMsg
from dbt_common.events.functions import msg_to_dict

from analytics_assets.orchestration.dbt_variables import DbtValue
from analytics_assets.warehouse.connection import kept_open
from analytics_assets.warehouse.places import dbt_folder

PROJECT_DIR: Final = Path(__file__).parents[1] / "dbt_project"
GOOD: Final = ("success", "pass", "warn")
RESULT_EVENTS: Final = frozenset({"LogModelResult", "LogSeedResult", "LogSnapshotResult", "LogTestResult"})
SENTENCE_CHARACTERS: Final = 1500
ABOUT_THE_PLACE: Final = re.compile(r"\w+ Error in \w+ \w+ \(|compiled code at |> (?:in|called by) ", re.IGNORECASE)

DbtReport = Mapping[str, Any]
"""One message of dbt about the end of a model or check, as dbt writes it in JSON."""


@dataclass(frozen=True)
class DbtOutcome:
    """What a run of dbt did: what it reported of each node that it dealt with, and why it failed, or None."""

    reports: Mapping[str, DbtReport]
    failure: str | None

    @property
    def good(self) -> dict[str, DbtReport]:
        """The reports of models that were built, and of checks that passed or only warned."""
        return {node: report for node, report in self.reports.items() if report["data"]["node_info"]["node_status"] in GOOD}


def run_dbt(warehouse: Path, nodes: Sequence[str], variables: Mapping[str, DbtValue]) -> DbtOutcome:
    """Build and test some nodes; the caller holds the writer's lock.

    Args:
        warehouse: path of the warehouse file.
        nodes: ids of models and checks.
        variables: variables of the dbt project that differ from its defaults.

    Raises:
        DagsterExecutionInterruptedError: the run was told to end; dbt has cancelled its queries.
    """
    reports: dict[str, DbtReport] = {}

    def note(message: EventMsg) -> None:
        if message.info.name in RESULT_EVENTS:
            report = msg_to_dict(message)
            reports[report["data"]["node_info"]["unique_id"]] = report

    names = [node.split(".")[2] for node in nodes]
    chosen = ["--select", *names, "--indirect-selection", "empty"]
    done = _invoke(warehouse, ["build", *_options(warehouse, dbt_folder(warehouse), variables), *chosen], note)
    return DbtOutcome(reports, None if done.success else _failure(done))


def _options(warehouse: Path, folder: Path, variables: Mapping[str, DbtValue]) -> list[str]:
    return [
        *("--project-dir", str(PROJECT_DIR), "--profiles-dir", str(PROJECT_DIR)),
        # no log file: dbt would leave it open, and Dagster keeps what dbt says with the step
        *("--target-path", str(folder), "--log-path", str(folder), "--log-level-file", "none"),
        *("--vars", json.dumps({"warehouse_path": str(warehouse), **variables})),
        *("--exclude-resource-type", "unit_test"),
        *("--no-use-colors", "--no-send-anonymous-usage-stats"),
        "--no-write-json",  # nobody reads its manifest and results, and writing them takes a second
    ]


def _invoke(warehouse: Path, arguments: list[str], note: Any) -> Any:
    """Run dbt while the file stays open here, so that nobody gets in between two of its models.

    dbt cancels its queries on a `KeyboardInterrupt` and on nothing else. It changes to the folder of its project.
    """
    try:
        with kept_open(warehouse), contextlib.chdir(Path.cwd()), raise_interrupts_as(KeyboardInterrupt):
            done = dbtRunner(callbacks=[note]).invoke(arguments)
    except KeyboardInterrupt:
        raise DagsterExecutionInterruptedError from None
    if isinstance(done.exception, KeyboardInterrupt):
        raise DagsterExecutionInterruptedError
    return done


def _failure(done: dbtRunnerResult) -> str:
    """Which models and checks failed and why, or what kept dbt from beginning."""
    results = done.result.results if isinstance(done.result, RunExecutionResult) else []
    failed = [f"{result.node.name}: {_reason(result)}" for result in results if result.status in ("error", "fail")]
    said = "; ".join(failed) if failed else " ".join(str(done.exception or "dbt gave no reason").split())
    return f"dbt could not build all models: {said}"[:SENTENCE_CHARACTERS]


def _reason(result: NodeResult) -> str:
    """What the database says, without dbt's lines about where the model stands; of a check, how many rows fail."""
    if result.status == "fail":
        return f"{result.failures:,} {'row fails' if result.failures == 1 else 'rows fail'} this check"
    lines = [line.strip() for line in (result.message or "dbt gave no reason").splitlines()]
    return " ".join(line for line in lines if line and not ABOUT_THE_PLACE.match(line))
