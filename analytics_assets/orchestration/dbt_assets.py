"""The dbt models as assets, built on the warehouse while this process holds it for writing.

What the models are stands in `dbt_project/`, what becomes of them in Dagster in `dbt_nodes.py` and `dbt_events.py`, which
of them a run builds in `unchanged.py`, and how dbt is run in `dbt_run.py`.
"""

import json
import logging
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
from dagster import AssetExecutionContext, AssetsDefinition, Failure, multi_asset

from analytics_assets.orchestration.dbt_events import GOOD, event_of, sample_of
from analytics_assets.orchestration.dbt_nodes import MANIFEST, DbtNodes, changed_since_parsed
from analytics_assets.orchestration.dbt_variables import DbtValue, dbt_variables
from analytics_assets.orchestration.failures import failures_in_a_sentence
from analytics_assets.orchestration.model_figures import figures_of
from analytics_assets.orchestration.resources import Warehouse
from analytics_assets.orchestration.run_log import warnings_shown_in
from analytics_assets.orchestration.unchanged import BuildPlan, out_of_date, plan_build
from analytics_assets.pipeline.memory import give_memory_back
from analytics_assets.settings import Settings
from analytics_assets.warehouse.built import note_built, place
from analytics_assets.warehouse.comparison import count
from analytics_assets.warehouse.connection import connection
from analytics_assets.warehouse.export import MARTS
from analytics_assets.warehouse.tables import ensure_tables

logger = logging.getLogger(__name__)


def build_dbt_assets(settings: Settings, nodes: DbtNodes) -> AssetsDefinition:
    """All models of the project, with their tests as asset checks.

    Args:
        settings: where they are built, and with which variables.
        nodes: the models and tests.
    """

    @multi_asset(
        name="dbt",
        specs=nodes.asset_specs(settings.duckdb_path.stem),
        check_specs=nodes.check_specs(),
        can_subset=True,
    )
    def dbt(context: AssetExecutionContext, warehouse: Warehouse) -> Iterator[Any]:
        with failures_in_a_sentence(), warnings_shown_in(context.log):
            if changed := changed_since_parsed():
                raise Failure(f"{changed} was changed after the dbt project was parsed; run `make setup`.", allow_retries=False)
            variables = dbt_variables(settings)  # reads a file of the owner's, which may have changed by now
            with warehouse.writing(f"dbt run {context.run.run_id[:8]}"):
                with connection(warehouse.path) as con:  # waits for readers, which dbt does not do for long
                    ensure_tables(con)
                plan = plan_build(context, nodes, warehouse.path, *facts_of(settings, variables))
                context.log.info("%d models and checks to build, %d unchanged", len(plan.to_build), len(plan.unchanged))
                failure, events = _build(warehouse.path, plan, variables, settings.preview_rows) if plan.to_build else (None, {})
            for node in plan.selected:
                if note := plan.unchanged.get(node):
                    yield event_of(nodes, node, note.report, note.rows, unchanged=note)
                elif event := events.get(node):
                    yield event
            if failure is not None:
                raise Failure(description=failure, allow_retries=False)

    return dbt


def stale_marts(settings: Settings, nodes: DbtNodes, names: Collection[str], warehouse: Path) -> list[str]:
    """Which of some marts a sync of everything would build anew, by their names.

    Args:
        settings: with which variables they are built.
        nodes: the models and tests.
        names: the marts.
        warehouse: path of the warehouse file.
    """
    facts = facts_of(settings, dbt_variables(settings))
    return out_of_date(warehouse, nodes, [(MARTS, name) for name in names], facts)


def facts_of(settings: Settings, variables: Mapping[str, DbtValue]) -> list[str]:
    """What all models depend on besides the raw tables and the day."""
    return [MANIFEST.read_text(), json.dumps(variables, sort_keys=True), f"{settings.preview_rows} rows shown"]


@contextmanager
def only_logged(name: str) -> Iterator[None]:
    """Go on without what is only shown of a model or check, where the warehouse can't give it, and say so."""
    try:
        yield
    except duckdb.Error as error:
        logger.warning("%s: what the UI shows besides its result could not be read: %s", name, str(error).splitlines()[0])


def _build(
    warehouse: Path, plan: BuildPlan, variables: dict[str, DbtValue], preview_rows: int
) -> tuple[str | None, dict[str, Any]]:
    """Let dbt build what the plan says, and note what came of it; why it failed, or None, and the event of each node."""
    from analytics_assets.orchestration.dbt_run import run_dbt  # two seconds, which most processes never need

    nodes = plan.nodes
    give_memory_back()
    outcome = run_dbt(warehouse, nodes, plan.to_build, variables)
    with connection(warehouse) as con:
        good = {node: report for node, report in outcome.reports.items() if report["status"] in GOOD}
        rows = {node: count(con, place(nodes.relation(node))) for node in good if node in nodes.models}
        for node, report in outcome.reports.items():
            with only_logged(nodes.name(node)):
                if node in rows:
                    relation = nodes.relation(node)
                    report["figures"] = figures_of(con, relation, nodes.meta(node))
                    if preview_rows:
                        report["preview"] = sample_of(con, f"FROM {place(relation)}", preview_rows)
                if "query" in report:
                    report["sample"] = sample_of(con, report["query"])
        note_built(con, plan.notes(good, rows))
    return outcome.failure, {node: event_of(nodes, node, report, rows.get(node)) for node, report in outcome.reports.items()}
