"""The dbt models as assets, built on the warehouse while this process holds it for writing.

What the models are stands in `dbt_project/`, how dbt is run in `dbt_run.py`; here the models get their asset keys,
groups and checks.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from dagster import AssetExecutionContext, AssetKey, AssetsDefinition, AssetSpec, Failure, Output
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, dbt_assets
from dagster_dbt.core.dbt_cli_event import DbtCoreCliEventMessage

from analytics_assets.orchestration.automation import FOLLOWS_RAW
from analytics_assets.orchestration.dbt_run import PROJECT_DIR, DbtOutcome, run_dbt
from analytics_assets.orchestration.dbt_variables import dbt_variables
from analytics_assets.orchestration.failures import failures_in_a_sentence
from analytics_assets.orchestration.resources import Warehouse
from analytics_assets.orchestration.run_log import warnings_shown_in
from analytics_assets.orchestration.unchanged import ROW_COUNT, BuildPlan, plan_build, relations_of, told_again
from analytics_assets.settings import Settings
from analytics_assets.warehouse.built import note_built, place
from analytics_assets.warehouse.comparison import count
from analytics_assets.warehouse.connection import connection
from analytics_assets.warehouse.tables import HISTORY, RAW, ensure_tables, quoted

MANIFEST: Final = PROJECT_DIR / "target" / "manifest.json"
OWNERS: Final = ["team:analytics"]


class ModelTranslator(DagsterDbtTranslator):
    """dbt node → asset spec: `staging/<model>`, `marts/<model>`, grouped alike; sources are the `raw/*` assets."""

    def __init__(self) -> None:
        super().__init__(
            DagsterDbtTranslatorSettings(
                enable_source_tests_as_checks=True,
                # raw and raw_history are both filled by the raw assets
                enable_duplicate_source_asset_keys=True,
            )
        )

    def get_asset_spec(self, manifest: Mapping[str, Any], unique_id: str, project: Any) -> AssetSpec:
        """The spec of one model; its first sentence in the catalogue is the model's own description."""
        spec = super().get_asset_spec(manifest, unique_id, project)
        node = manifest.get("nodes", {}).get(unique_id) or manifest.get("sources", {})[unique_id]
        if node["resource_type"] == "source":
            return spec
        return spec.replace_attributes(
            key=AssetKey([node["schema"], node["name"]]),
            description=node["description"],
            group_name=node["schema"],
            owners=OWNERS,
            automation_condition=FOLLOWS_RAW,
            kinds={"dbt", "duckdb", node["config"]["materialized"]},
        )


def load_manifest(database: str) -> dict[str, Any]:
    """The prepared manifest of the dbt project, made to fit this warehouse and Dagster.

    It was prepared without a warehouse, so its relations get the database that they are in. `raw` and `raw_history`
    are filled by the same asset, and Dagster takes an upstream asset once per model.

    Args:
        database: DuckDB's name for the warehouse file.

    Raises:
        FileNotFoundError: the manifest has not been prepared.
    """
    if not MANIFEST.exists():
        raise FileNotFoundError(f"{MANIFEST.name} of the dbt project is missing: run `make setup`.")
    manifest: dict[str, Any] = json.loads(MANIFEST.read_text())
    history = {key for key, source in manifest["sources"].items() if source["source_name"] == HISTORY}
    for relation in (*manifest["nodes"].values(), *manifest["sources"].values()):
        if relation.get("relation_name"):
            relation["relation_name"] = relation["relation_name"].replace(f'"{relation["database"]}"', quoted(database), 1)
        relation["database"] = database
    for node in manifest["nodes"].values():
        upstream = node.get("depends_on", {}).get("nodes", [])
        twins = {source.replace(f".{HISTORY}.", f".{RAW}.") for source in upstream if source in history}
        node.setdefault("depends_on", {})["nodes"] = list(dict.fromkeys([*(set(upstream) - history), *twins]))
    return manifest


def build_dbt_assets(settings: Settings) -> AssetsDefinition:
    """All models of the project, with their tests as asset checks.

    Raises:
        FileNotFoundError: the manifest has not been prepared.
    """
    manifest, translator = load_manifest(settings.duckdb_path.stem), ModelTranslator()

    @dbt_assets(manifest=manifest, dagster_dbt_translator=translator, name="dbt")
    def dbt(context: AssetExecutionContext, warehouse: Warehouse) -> Iterator[Any]:
        with failures_in_a_sentence(), warnings_shown_in(context.log):
            variables = dbt_variables(settings)  # reads a file of the owner's, which may have changed by now
            with warehouse.writing(f"dbt run {context.run.run_id[:8]}"):
                with connection(warehouse.path) as con:  # waits for readers, which dbt does not do for long
                    ensure_tables(con)
                facts = (MANIFEST.read_text(), json.dumps(variables, sort_keys=True))
                plan = plan_build(context, manifest, translator, warehouse.path, *facts)
                context.log.info("%d models and checks to build, %d unchanged", len(plan.to_build), len(plan.unchanged))
                outcome = run_dbt(warehouse.path, plan.to_build, variables) if plan.to_build else DbtOutcome({}, None)
                rows = _noted(warehouse.path, plan, outcome)
            for node in plan.selected:
                report = outcome.reports.get(node) or (plan.unchanged[node].report if node in plan.unchanged else None)
                if report is None:
                    continue
                message = DbtCoreCliEventMessage(raw_event=dict(report), event_history_metadata={})
                for event in message.to_default_asset_events(manifest, translator, context):
                    if node in plan.unchanged:
                        yield told_again(event, plan.unchanged[node])
                    elif isinstance(event, Output):
                        yield event.with_metadata({**event.metadata, ROW_COUNT: rows[node]})
                    else:
                        yield event
            if outcome.failure is not None:
                raise Failure(description=outcome.failure, allow_retries=False)

    return dbt


def _noted(warehouse: Path, plan: BuildPlan, outcome: DbtOutcome) -> dict[str, int]:
    """Note what was built from what; how many rows each model has that dbt has built.

    dagster-dbt's own `fetch_row_counts` asks through dbt's adapter from a pool of threads: it was seen to wait for
    ever, and it keeps the file open for writing.
    """
    if not outcome.reports:
        return {}
    with connection(warehouse) as con:
        rows = {
            node: count(con, place(relation)) for node, relation in relations_of(plan.manifest).items() if node in outcome.good
        }
        note_built(con, plan.notes(outcome.good, rows))
    return rows
