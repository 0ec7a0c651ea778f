"""The dbt models as assets, built on the warehouse while this process holds it for writing.

What the models are stands in `dbt_project/`, how dbt is run in `dbt_run.py`; here the models get their asset keys,
groups and checks.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from dagster import AssetExecutionContext, AssetKey, AssetsDefinition, AssetSpec, Failure
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, dbt_assets

from analytics_assets.orchestration.automation import FOLLOWS_RAW
from analytics_assets.orchestration.dbt_run import PROJECT_DIR, build_models, with_row_counts
from analytics_assets.orchestration.dbt_variables import dbt_variables
from analytics_assets.orchestration.failures import failures_in_a_sentence
from analytics_assets.orchestration.resources import Warehouse
from analytics_assets.orchestration.run_log import warnings_shown_in
from analytics_assets.settings import Settings
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

    @dbt_assets(manifest=load_manifest(settings.duckdb_path.stem), dagster_dbt_translator=ModelTranslator(), name="dbt")
    def dbt(context: AssetExecutionContext, warehouse: Warehouse) -> Iterator[Any]:
        with failures_in_a_sentence(), warnings_shown_in(context.log):
            variables = dbt_variables(settings)  # reads a file of the owner's, which may have changed by now
            with warehouse.writing(f"dbt run {context.run.run_id[:8]}"):
                with connection(warehouse.path) as con:  # waits for readers, which dbt does not do for long
                    ensure_tables(con)
                outcome = build_models(context, warehouse.path, ModelTranslator(), variables)
                yield from with_row_counts(outcome, context, warehouse.path)
            if outcome.failure is not None:
                raise Failure(description=outcome.failure, allow_retries=False)

    return dbt
