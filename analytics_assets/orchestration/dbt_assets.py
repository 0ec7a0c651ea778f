"""The dbt models as assets, run by the dbt command line on the warehouse while this process holds it for writing.

What the models are stands in `dbt_project/`; here they get their asset keys, groups and checks.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from dagster import AssetExecutionContext, AssetKey, AssetsDefinition, AssetSpec, Failure, Output
from dagster_dbt import (
    DagsterDbtCliRuntimeError,
    DagsterDbtTranslator,
    DagsterDbtTranslatorSettings,
    DbtCliInvocation,
    DbtCliResource,
    dbt_assets,
)
from packaging.version import Version

from analytics_assets.orchestration import dbt_process
from analytics_assets.orchestration.dbt_process import PATH_VARIABLE, RUN_VARIABLE
from analytics_assets.orchestration.resources import Warehouse
from analytics_assets.orchestration.run_log import warnings_shown_in
from analytics_assets.settings import Settings
from analytics_assets.warehouse.comparison import count
from analytics_assets.warehouse.connection import connection
from analytics_assets.warehouse.errors import WarehouseError
from analytics_assets.warehouse.tables import HISTORY, RAW, ensure_tables, quoted

PROJECT_DIR: Final = Path(__file__).parents[1] / "dbt_project"
MANIFEST: Final = PROJECT_DIR / "target" / "manifest.json"
OWNERS: Final = ["team:analytics"]
RUN_DBT: Final = (
    f"import sys; sys.path.insert(0, {str(Path(__file__).parents[2])!r}); from {dbt_process.__name__} import main; main()"
)
"""`-m` would look in the dbt project, where dbt is started, and not find a checkout that is not installed."""
STOP_TIMEOUT_SECONDS: Final = 10.0


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
            kinds={"dbt", "duckdb", node["config"]["materialized"]},
        )


class DbtProcess(DbtCliResource):
    """The dbt command line of this very environment, whatever is on PATH, in a process that guards the warehouse."""

    @property
    def _cli_version(self) -> Version:
        """dbt's version, which dagster-dbt would ask of the executable, at the price of two seconds a run."""
        return Version(version("dbt-core"))

    def _initialize_dbt_core_adapter(self, args: Sequence[str]) -> None:  # type: ignore[override]
        """No adapter in this process: nobody asks it anything, and to make it takes three seconds and dbt's global state."""


def build_dbt_resource() -> DbtCliResource:
    """dbt on this project, see `dbt_process.py`."""
    return DbtProcess(
        project_dir=str(PROJECT_DIR),
        profiles_dir=str(PROJECT_DIR),
        dbt_executable=sys.executable,
        global_config_flags=["-c", RUN_DBT, "--no-use-colors"],  # its words go into failures, and into the logs of a run
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
    def dbt(context: AssetExecutionContext, dbt_cli: DbtCliResource, warehouse: Warehouse) -> Iterator[Any]:
        try:
            with warnings_shown_in(context.log), warehouse.writing(f"dbt run {context.run.run_id[:8]}"):
                with connection(warehouse.path) as con:  # waits for readers, which dbt does not do for long
                    ensure_tables(con)
                os.environ.update({PATH_VARIABLE: str(warehouse.path), RUN_VARIABLE: str(os.getpid())})
                work = warehouse.path.with_name(".dbt")
                invocation = dbt_cli.cli(["build", "--exclude-resource-type", "unit_test"], context=context, target_path=work)
                with _ended(invocation):
                    events, failed = _told(invocation)
                yield from _with_row_counts(events, context, warehouse)
                if failed is not None:
                    raise failed
        except WarehouseError as error:
            raise Failure(description=str(error), allow_retries=False) from error
        except DagsterDbtCliRuntimeError as error:
            raise Failure(description=_failure_sentence(error), allow_retries=False) from error

    return dbt


@contextmanager
def _ended(invocation: DbtCliInvocation) -> Iterator[None]:
    """See to it that dbt has ended with the block, also where the run was interrupted: its lock is let go then."""
    process = invocation.process
    try:
        yield
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(STOP_TIMEOUT_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _told(invocation: DbtCliInvocation) -> tuple[list[Any], DagsterDbtCliRuntimeError | None]:
    """What dbt tells until it has ended, and how it failed."""
    events: list[Any] = []
    try:
        for event in invocation.stream():
            events.append(event)
    except DagsterDbtCliRuntimeError as error:
        return events, error
    return events, None


def _with_row_counts(events: Sequence[Any], context: AssetExecutionContext, warehouse: Warehouse) -> Iterator[Any]:
    """What dbt has told, with the rows of each model.

    dagster-dbt's own `fetch_row_counts` asks through dbt's adapter from a pool of threads: it was seen to wait for
    ever, and it keeps the file open for writing.
    """
    built = {event.output_name: context.asset_key_for_output(event.output_name) for event in events if isinstance(event, Output)}
    with warehouse.reading() as con:
        rows = {name: count(con, f"{quoted(key.path[0])}.{quoted(key.path[-1])}") for name, key in built.items()}
    for event in events:
        if isinstance(event, Output):
            yield event.with_metadata({**event.metadata, "dagster/row_count": rows[event.output_name]})
        else:
            yield event


def _failure_sentence(error: DagsterDbtCliRuntimeError) -> str:
    lines = [line.strip() for line in str(error.description or error).splitlines() if line.strip()]
    return " ".join(lines[-6:])[:1500]
