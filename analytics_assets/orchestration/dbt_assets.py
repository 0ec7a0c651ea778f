"""The dbt models as assets, built on the warehouse while this process holds it for writing.

What the models are stands in `dbt_project/`, what becomes of them in Dagster in `dbt_nodes.py` and `dbt_events.py`, which
of them a run builds in `unchanged.py`, what dbt has made of them in `dbt_queries.py`, and how they are built in
`warehouse/building.py`.
"""

import json
import logging
from collections.abc import Collection, Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import duckdb
from dagster import AssetExecutionContext, AssetsDefinition, DagsterExecutionInterruptedError, multi_asset
from dagster._utils.interrupts import raise_interrupts_as

from analytics_assets.orchestration.dbt_events import event_of, sample_of
from analytics_assets.orchestration.dbt_nodes import MANIFEST, DbtNodes, changed_since_parsed
from analytics_assets.orchestration.dbt_queries import queries_for
from analytics_assets.orchestration.dbt_variables import DbtValue, dbt_variables
from analytics_assets.orchestration.failures import failure_of, failures_in_a_sentence
from analytics_assets.orchestration.model_figures import figures_of
from analytics_assets.orchestration.own_place import in_its_place
from analytics_assets.orchestration.resources import Warehouse
from analytics_assets.orchestration.run_log import warnings_shown_in
from analytics_assets.orchestration.unchanged import BuildPlan, out_of_date, plan_build
from analytics_assets.pipeline.memory import give_memory_back
from analytics_assets.settings import Settings
from analytics_assets.source.columns import TABLES
from analytics_assets.warehouse.building import Ended, build_all
from analytics_assets.warehouse.built import forget_built, note_built, place
from analytics_assets.warehouse.connection import connection
from analytics_assets.warehouse.counting import count, counts
from analytics_assets.warehouse.export import MARTS
from analytics_assets.warehouse.tables import RAW, ensure_tables

logger = logging.getLogger(__name__)

Report = dict[str, Any]
"""How a node ended and what is shown of it; see `dbt_events.py`."""


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
                raise failure_of(f"{changed} was changed after the dbt project was parsed; run `make setup`.")
            variables = dbt_variables(settings)  # reads a file of the owner's, which may have changed by now
            holder = f"dbt run {context.run.run_id[:8]}"
            with in_its_place(settings), warehouse.writing(holder), connection(warehouse.path) as con:
                ensure_tables(con)
                plan = plan_build(context, nodes, con, *facts_of(settings, variables))
                context.log.info("%d models and checks to build, %d unchanged", len(plan.to_build), len(plan.unchanged))
                for node, note in plan.unchanged.items():
                    yield event_of(nodes, node, note.report, note.rows, unchanged=note)
                if plan.to_build:
                    if variables:
                        context.log.info("With %s as set", ", ".join(variables))
                    queries = queries_for(variables, warehouse.path)
                    give_memory_back()
                    yield from _build(con, plan, queries, settings.preview_rows)

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


def _build(con: duckdb.DuckDBPyConnection, plan: BuildPlan, queries: Mapping[str, str], preview_rows: int) -> Iterator[Any]:
    """Build what the plan says, tell of each node when it has ended, and note what came of it.

    Raises:
        Failure: a model or check failed; what stands on it is as it was.
        DagsterExecutionInterruptedError: the run was told to end; the queries that ran are cancelled.
    """
    nodes = plan.nodes
    forget_built(con, plan.to_build)
    good: dict[str, Report] = {}
    rows: dict[str, int] = {}
    failed = []

    def look(cursor: duckdb.DuckDBPyConnection, node: str, failures: int | None) -> tuple[int | None, Report]:
        return _shown(cursor, nodes, node, queries[node] if failures else None, preview_rows)

    to_build = {node: nodes.to_build(node, queries[node]) for node in plan.to_build}
    after = {node: nodes.waits_for(node) for node in to_build}
    largest = max(counts(con, *(f"{RAW}.{name}" for name in TABLES)))
    try:
        for node, ended in _each(build_all(con, to_build, after, look, largest=largest)):
            counted, shown = ended.shown or (None, {})
            if counted is not None:
                rows[node] = counted
            report = {"status": ended.status, "seconds": ended.seconds, "failures": ended.failures, **shown}
            if ended.is_good:
                good[node] = report
            else:
                failed.append(f"{nodes.name(node)}: {ended.message or _rows_fail(ended.failures or 0)}")
            if event := event_of(nodes, node, report, rows.get(node)):
                yield event
    finally:
        note_built(con, plan.notes(good, rows))
    if failed:
        raise failure_of(f"Not all models could be built: {'; '.join(failed)}")


def _each(built: Generator[tuple[str, Ended]]) -> Iterator[tuple[str, Ended]]:
    """What is built, one by one; a run that is told to end does so while it waits for the next."""
    with closing(built):
        while True:
            with raise_interrupts_as(DagsterExecutionInterruptedError):
                ended = next(built, None)
            if ended is None:
                return
            yield ended


def _rows_fail(count: int) -> str:
    return f"{count:,} {'row fails' if count == 1 else 'rows fail'} this check"


def _shown(
    con: duckdb.DuckDBPyConnection, nodes: DbtNodes, node: str, query: str | None, preview_rows: int
) -> tuple[int | None, Report]:
    """The rows of a model, and what the UI shows of a node besides: its figures, or the rows that a check has found."""
    if node in nodes.tests:
        if query is None:
            return None, {}
        shown: Report = {"query": query}
        with only_logged(nodes.name(node)):
            shown["sample"] = sample_of(con, query)
        return None, shown
    relation, shown = nodes.relation(node), {}
    with only_logged(nodes.name(node)):
        shown["figures"] = figures_of(con, relation, nodes.meta(node))
        if preview_rows:
            shown["preview"] = sample_of(con, f"FROM {place(relation)}", preview_rows)
    return count(con, place(relation)), shown
