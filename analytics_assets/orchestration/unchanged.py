"""Which models and checks a sync may leave as they are, because nothing that they depend on has changed.

A run that loads raw tables builds only what would come out differently: what stands downstream of a raw table that has
changed, or everything when a variable, the project or the day has. A run of models alone builds all that it selects.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
from dagster import AssetExecutionContext

from analytics_assets.orchestration.dbt_nodes import DbtNodes
from analytics_assets.orchestration.keys import layer
from analytics_assets.warehouse.built import (
    Built,
    Relation,
    built_nodes,
    fingerprint,
    kinds_of_relations,
    states_of_raw,
    this_day,
)
from analytics_assets.warehouse.connection import connection
from analytics_assets.warehouse.tables import RAW


@dataclass(frozen=True)
class BuildPlan:
    """What a run builds, and what it leaves; models and checks by dbt's id of the node.

    `selected` is what the run covers, `unchanged` the part of it that is left; `now` has, of every node of the project,
    the fingerprint of all that it is computed from now, and `current` are those that were built from just that.
    """

    nodes: DbtNodes
    selected: Sequence[str]
    unchanged: Mapping[str, Built]
    now: Mapping[str, str]
    current: Collection[str]

    @property
    def to_build(self) -> list[str]:
        """What has to be built or run."""
        return [node for node in self.selected if node not in self.unchanged]

    def notes(self, reports: Mapping[str, Mapping[str, Any]], rows: Mapping[str, int]) -> dict[str, Built]:
        """What can be said of the nodes that were built; nothing of one that stands on something older.

        Args:
            reports: what is known of the end of each node that is good.
            rows: how many rows each model has.
        """
        good, built_at = {*self.current, *reports}, datetime.now(UTC)
        return {
            node: Built(self.now[node], rows.get(node), report, built_at)
            for node, report in reports.items()
            if all(parent in good for parent in self.nodes.parents(node))
        }


def plan_build(context: AssetExecutionContext, nodes: DbtNodes, con: duckdb.DuckDBPyConnection, *facts: str) -> BuildPlan:
    """What the run has to build; the caller holds the writer's lock.

    Args:
        context: the step of the dbt assets; says what is selected.
        nodes: the models and tests.
        con: a connection to the warehouse.
        facts: what all models depend on besides the raw tables, such as the variables.
    """
    selected = _that_can_run(context, nodes, con, _selected(context, nodes))
    now = _fingerprints(con, nodes, (this_day(), *facts))
    built = built_nodes(con, {model: nodes.relation(model) for model in nodes.models})
    same = {node: each for node, each in built.items() if now.get(node) == each.built_from}
    unchanged = _that_can_stay(same, nodes, selected) if _loads_raw(context) else {}
    return BuildPlan(nodes, selected, unchanged, now, same.keys())


def out_of_date(warehouse: Path, nodes: DbtNodes, models: Collection[Relation], facts: Sequence[str]) -> list[str]:
    """Which of some models a sync would build anew now, by their names; also those that were built by hand.

    Args:
        warehouse: path of the warehouse file; it is read.
        nodes: the models and tests.
        models: where the models lie that are asked about.
        facts: as for `plan_build`.
    """
    asked = {node: nodes.relation(node) for node in nodes.models if nodes.relation(node) in models}
    with connection(warehouse, read_only=True) as con:
        now = _fingerprints(con, nodes, (this_day(), *facts))
        built = built_nodes(con, asked)
    return sorted(nodes.name(node) for node in asked if node not in built or built[node].built_from != now[node])


def _loads_raw(context: AssetExecutionContext) -> bool:
    asked = context.run.asset_selection
    return not asked or any(layer(key) == RAW for key in asked)


def _selected(context: AssetExecutionContext, nodes: DbtNodes) -> list[str]:
    keys, checks = context.selected_asset_keys, context.selected_asset_check_keys
    return [
        node
        for node in nodes.in_order
        if (nodes.asset_key(node) in keys if node in nodes.models else nodes.check_key(node) in checks)
    ]


def _that_can_run(
    context: AssetExecutionContext, nodes: DbtNodes, con: duckdb.DuckDBPyConnection, selected: Sequence[str]
) -> list[str]:
    """The selected nodes without the checks that compare a model of this run with one that was never built.

    Dagster runs all checks of a model that it builds, also those that read models which the run was not asked for. In a new
    warehouse these would fail, and with them a run that has built all that it should. A check that is asked for by itself
    stays and says what is missing.
    """
    asked, there = set(selected), kinds_of_relations(con)
    can_run = []
    for node in selected:
        others = [parent for parent in nodes.parents(node) if parent not in asked]
        missing = [nodes.name(parent) for parent in others if nodes.relation(parent) not in there]
        if node in nodes.tests and missing and len(others) < len(nodes.parents(node)):
            context.log.info("%s is not run: there is no %s yet, and this run does not build it", nodes.name(node), missing[0])
        else:
            can_run.append(node)
    return can_run


def _fingerprints(con: duckdb.DuckDBPyConnection, nodes: DbtNodes, facts: tuple[str, ...]) -> dict[str, str]:
    """Of each node, a fingerprint of all that it is computed from."""
    states = states_of_raw(con)
    of_all = fingerprint(facts)  # the manifest is among them, 1.5 MB
    # the log of publications, which is a source too, is in the state of each table that it tells of
    return {
        node: fingerprint([of_all, *(f"{name} {states[name]}" for name in sorted(nodes.raw_tables(node)) if name in states)])
        for node in nodes.in_order
    }


def _that_can_stay(same: Mapping[str, Built], nodes: DbtNodes, selected: Sequence[str]) -> dict[str, Built]:
    """The selected nodes that are the same as before, and have nothing above them that is built by this run."""
    asked = set(selected)
    stays: dict[str, bool] = {}
    for node in nodes.in_order:
        stays[node] = (node in same or node not in asked) and all(stays[parent] for parent in nodes.parents(node))
    return {node: same[node] for node in selected if stays[node]}
