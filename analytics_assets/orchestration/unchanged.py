"""Which models and checks a sync may leave as they are, because nothing that they depend on has changed.

A run that loads raw tables builds only what would come out differently: what stands downstream of a raw table that has
changed, or everything when a variable, the project or the day has. A run of models alone builds all that it selects. What
dbt reported about the rest is told again, with the time at which it was found.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any, Final

import duckdb
from dagster import AssetCheckResult, AssetExecutionContext, AssetKey
from dagster._core.definitions.metadata import normalize_metadata
from dagster_dbt import DagsterDbtTranslator
from dagster_dbt.asset_utils import get_asset_check_key_for_test

from analytics_assets.warehouse.built import Built, Relation, built_nodes, fingerprint, states_of_raw, this_day
from analytics_assets.warehouse.connection import connection
from analytics_assets.warehouse.tables import RAW

UNCHANGED_SINCE: Final = "unchanged since"
"""Name of the figure in the metadata of a model or check that was left as it was."""
ROW_COUNT: Final = "dagster/row_count"
DURATION: Final = "Execution Duration"
Manifest = Mapping[str, Any]


@dataclass(frozen=True)
class BuildPlan:
    """What a run builds, and what it leaves; models and checks by dbt's id of the node.

    `selected` is what the run covers, `unchanged` the part of it that is left; `now` has, of every node of the project,
    the fingerprint of all that it is computed from now, and `current` are those that were built from just that.
    """

    manifest: Manifest
    selected: Sequence[str]
    unchanged: Mapping[str, Built]
    now: Mapping[str, str]
    current: Collection[str]

    @property
    def to_build(self) -> list[str]:
        """What dbt has to build or run."""
        return [node for node in self.selected if node not in self.unchanged]

    def notes(self, reports: Mapping[str, Mapping[str, Any]], rows: Mapping[str, int]) -> dict[str, Built]:
        """What can be said of the nodes that dbt has built; nothing of one that stands on something older.

        Args:
            reports: what dbt reported about each node that is good.
            rows: how many rows each model has.
        """
        good, built_at = {*self.current, *reports}, datetime.now(UTC)
        return {
            node: Built(self.now[node], rows.get(node), report, built_at)
            for node, report in reports.items()
            if all(parent in good or parent in self.manifest["sources"] for parent in _parents(self.manifest, node))
        }


def plan_build(
    context: AssetExecutionContext, manifest: Manifest, translator: DagsterDbtTranslator, warehouse: Path, *facts: str
) -> BuildPlan:
    """What the run has to build; the caller holds the writer's lock.

    Args:
        context: the step of the dbt assets; says what is selected.
        manifest: dbt's manifest of the project.
        translator: dbt node → asset.
        warehouse: path of the warehouse file.
        facts: what all models depend on besides the raw tables, such as the variables.
    """
    selected = _selected(context, manifest, translator)
    with connection(warehouse) as con:
        now = _fingerprints(con, manifest, (this_day(), *facts))
        built = built_nodes(con, relations_of(manifest))
    same = {node: each for node, each in built.items() if now.get(node) == each.built_from}
    unchanged = _that_can_stay(same, manifest, selected) if _loads_raw(context) else {}
    return BuildPlan(manifest, selected, unchanged, now, same.keys())


def _loads_raw(context: AssetExecutionContext) -> bool:
    asked = context.run.asset_selection
    return not asked or any(key.path[0] == RAW for key in asked)


def _selected(context: AssetExecutionContext, manifest: Manifest, translator: DagsterDbtTranslator) -> list[str]:
    """The nodes of the run, those before others that depend on them: Dagster wants to hear of them in that order."""
    keys, checks = context.selected_asset_keys, context.selected_asset_check_keys
    nodes = []
    for node in TopologicalSorter({node: _parents(manifest, node) for node in manifest["nodes"]}).static_order():
        if node in manifest["sources"]:
            continue
        properties = manifest["nodes"][node]
        if properties["resource_type"] == "model":
            is_selected = AssetKey([properties["schema"], properties["name"]]) in keys
        else:
            is_selected = get_asset_check_key_for_test(manifest, translator, node, None) in checks
        if is_selected:
            nodes.append(node)
    return nodes


def relations_of(manifest: Manifest) -> dict[str, Relation]:
    """Where each model lies."""
    return {
        node: (properties["schema"], properties["name"])
        for node, properties in manifest["nodes"].items()
        if properties["resource_type"] == "model"
    }


def _fingerprints(con: duckdb.DuckDBPyConnection, manifest: Manifest, facts: tuple[str, ...]) -> dict[str, str]:
    """Of each node, a fingerprint of all that it is computed from."""
    states = states_of_raw(con)
    sources = {node: properties["name"] for node, properties in manifest["sources"].items()}
    above: dict[str, frozenset[str]] = {}

    def raw_above(node: str) -> frozenset[str]:
        if node in sources:
            return frozenset([sources[node]])
        if node not in above:
            above[node] = frozenset().union(*map(raw_above, _parents(manifest, node)))
        return above[node]

    # the log of publications is in the state of each table that it tells of
    return {
        node: fingerprint([*facts, *(f"{name} {states[name]}" for name in sorted(raw_above(node)) if name in states)])
        for node in manifest["nodes"]
    }


def _that_can_stay(same: Mapping[str, Built], manifest: Manifest, selected: Sequence[str]) -> dict[str, Built]:
    """The selected nodes that are the same as before, and have nothing above them that is built by this run."""
    asked, stays = set(selected), {}

    def can_stay(node: str) -> bool:
        if node in manifest["sources"]:
            return True
        if node not in stays:
            stays[node] = (node in same or node not in asked) and all(map(can_stay, _parents(manifest, node)))
        return stays[node]

    return {node: same[node] for node in selected if can_stay(node)}


def _parents(manifest: Manifest, node: str) -> Sequence[str]:
    parents: Sequence[str] = manifest["nodes"][node]["depends_on"].get("nodes", [])
    return parents


def told_again(event: Any, built: Built) -> Any:
    """The event of something that was left as it was, which says since when it is so."""
    metadata = {name: value for name, value in event.metadata.items() if name != DURATION}
    metadata[UNCHANGED_SINCE] = built.built_at.isoformat(timespec="seconds")
    if isinstance(event, AssetCheckResult):
        return event._replace(metadata=normalize_metadata(metadata))
    return event.with_metadata({**metadata, ROW_COUNT: built.rows})
