"""One `dbt build` in this process, on a warehouse that this process keeps open for dbt alone.

In this process, because Dagster has imported dbt already: a process of its own would cost five seconds more per sync,
and a guard that ends it when a run is killed. What dbt reports becomes Dagster's events here; which models are built
is decided by the run's selection.
"""

import contextlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from dagster import AssetExecutionContext, DagsterExecutionInterruptedError, Output
from dagster._utils.interrupts import raise_interrupts_as
from dagster_dbt import DagsterDbtTranslator
from dagster_dbt.asset_utils import get_updated_cli_invocation_params_for_context
from dagster_dbt.core.dbt_cli_event import DbtCoreCliEventMessage
from dbt.artifacts.schemas.results import NodeResult
from dbt.artifacts.schemas.run import RunExecutionResult
from dbt.cli.main import dbtRunner, dbtRunnerResult
from dbt_common.events.base_types import EventMsg
from dbt_common.events.functions import msg_to_dict

from analytics_assets.orchestration.dbt_variables import DbtValue
from analytics_assets.warehouse.comparison import count
from analytics_assets.warehouse.connection import connection, kept_open
from analytics_assets.warehouse.places import dbt_folder
from analytics_assets.warehouse.tables import quoted

PROJECT_DIR: Final = Path(__file__).parents[1] / "dbt_project"
RESULT_EVENTS: Final = frozenset({"LogModelResult", "LogSeedResult", "LogSnapshotResult", "LogTestResult"})
SENTENCE_CHARACTERS: Final = 1500
ABOUT_THE_PLACE: Final = re.compile(r"\w+ Error in \w+ \w+ \(|compiled code at |> (?:in|called by) ", re.IGNORECASE)


@dataclass(frozen=True)
class DbtOutcome:
    """What a run of dbt did: Dagster's events, and why it failed, or None."""

    events: Sequence[Any]
    failure: str | None


def build_models(
    context: AssetExecutionContext, warehouse: Path, translator: DagsterDbtTranslator, variables: Mapping[str, DbtValue]
) -> DbtOutcome:
    """Build and test the selected models; the caller holds the writer's lock.

    Args:
        context: the step of the dbt assets; says what is selected.
        warehouse: path of the warehouse file.
        translator: dbt node → asset.
        variables: variables of the dbt project that differ from its defaults.

    Raises:
        DagsterExecutionInterruptedError: the run was told to end; dbt has cancelled its queries.
    """
    # not public, but dagster-dbt offers no other way from a run's selection to dbt's arguments
    asked = get_updated_cli_invocation_params_for_context(context=context, manifest={}, dagster_dbt_translator=translator)
    reports: list[DbtCoreCliEventMessage] = []

    def note(message: EventMsg) -> None:
        if message.info.name in RESULT_EVENTS:
            reports.append(DbtCoreCliEventMessage(raw_event=msg_to_dict(message), event_history_metadata={}))

    folder = dbt_folder(warehouse)
    options = ["--indirect-selection", asked.indirect_selection] if asked.indirect_selection else []
    done = _invoke(warehouse, ["build", *_options(warehouse, folder, variables), *options, *asked.selection_args], note)
    events = [
        event
        for report in reports
        for event in report.to_default_asset_events(
            manifest=asked.manifest,
            dagster_dbt_translator=asked.dagster_dbt_translator,
            context=context,
            target_path=folder,
        )
    ]
    return DbtOutcome(events, None if done.success else _failure(done))


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


def with_row_counts(outcome: DbtOutcome, context: AssetExecutionContext, warehouse: Path) -> Iterator[Any]:
    """The events, with the rows of each model.

    dagster-dbt's own `fetch_row_counts` asks through dbt's adapter from a pool of threads: it was seen to wait for
    ever, and it keeps the file open for writing.
    """
    outputs = [event for event in outcome.events if isinstance(event, Output)]
    keys = {event.output_name: context.asset_key_for_output(event.output_name) for event in outputs}
    with connection(warehouse, read_only=True) as con:
        rows = {name: count(con, f"{quoted(key.path[0])}.{quoted(key.path[-1])}") for name, key in keys.items()}
    for event in outcome.events:
        if isinstance(event, Output):
            yield event.with_metadata({**event.metadata, "dagster/row_count": rows[event.output_name]})
        else:
            yield event
