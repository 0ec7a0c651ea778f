"""The one place where the parts meet: `build_definitions()` joins them. Nothing is decided here, and nothing opened."""

from collections.abc import Mapping
from functools import partial
from typing import cast

from dagster import (
    AssetsDefinition,
    AssetSpec,
    Definitions,
    RepositoryDefinition,
    create_repository_using_definitions_args,
    in_process_executor,
    map_asset_specs,
    with_source_code_references,
)

from analytics_assets.orchestration.automation import build_marts_follow_raw
from analytics_assets.orchestration.checks import build_checks, workspace_asset
from analytics_assets.orchestration.dbt_assets import build_dbt_assets, stale_marts
from analytics_assets.orchestration.dbt_nodes import load_nodes
from analytics_assets.orchestration.jobs import build_schedules, reconcile_job, sync_job
from analytics_assets.orchestration.keys import Keys
from analytics_assets.orchestration.new_parents import build_sync_on_new_parents
from analytics_assets.orchestration.notifications import build_notify_on_failure
from analytics_assets.orchestration.of_all_assets import with_owners_and_freshness
from analytics_assets.orchestration.raw_assets import DagsterDltResource, build_raw_assets
from analytics_assets.orchestration.raw_checks import build_raw_checks
from analytics_assets.orchestration.reader_copy import build_reader_copy_asset, copying_of
from analytics_assets.orchestration.report_asset import build_report_asset
from analytics_assets.orchestration.resources import WorkspaceAccessResource, warehouse_resource
from analytics_assets.orchestration.run_history import build_forget_old_runs
from analytics_assets.orchestration.sync_now import build_sync_now
from analytics_assets.orchestration.team_tables import build_team_tables
from analytics_assets.pipeline.progress import OnReading
from analytics_assets.report.queries import MARTS
from analytics_assets.settings import Settings, load_settings
from analytics_assets.warehouse.team.engines import team_warehouse


def build_definitions(settings: Settings | None = None, *, on_reading: OnReading | None = None) -> Definitions:
    """All assets, jobs, schedules and resources.

    Args:
        settings: what they are built for; by default the settings of this process.
        on_reading: called when a run of these definitions begins to read, with what shows how far it is.

    Raises:
        SettingsError: a variable that is set holds a bad value. Missing ones are only told when a run needs them.
        FileNotFoundError: the dbt project was not prepared.
    """
    settings = settings or load_settings()
    keys = Keys.of(settings)
    nodes = load_nodes(keys)
    dbt = build_dbt_assets(settings, nodes)
    raw_checks = build_raw_checks(keys)
    data_checks = {*dbt.check_keys, *raw_checks.check_keys}
    report = build_report_asset(settings, data_checks, partial(stale_marts, settings, nodes, MARTS))
    copying = copying_of(settings)
    for_readers = [] if copying is None else [build_reader_copy_asset(copying, keys, dbt.keys, data_checks)]
    to = settings.delivers_to
    for_a_team = [] if to is None else [build_team_tables(settings, team_warehouse(*to), dbt.keys, data_checks)]
    # the models name their own files
    in_python = with_source_code_references([build_raw_assets(settings, on_reading), report, *for_readers, *for_a_team])
    assets = cast("list[AssetsDefinition | AssetSpec]", [workspace_asset(keys), dbt, *in_python])
    sync_now, sync_on_request = build_sync_now(settings)
    return Definitions(
        assets=map_asset_specs(lambda spec: with_owners_and_freshness(spec, settings), assets),
        asset_checks=[raw_checks, build_checks(settings)],
        jobs=[sync_job(keys), sync_now, reconcile_job(keys)],
        schedules=build_schedules(settings),
        sensors=[
            build_marts_follow_raw(keys, "staging", "marts", "report"),
            sync_on_request,
            build_sync_on_new_parents(settings),
            build_notify_on_failure(settings),
            build_forget_old_runs(settings),
        ],
        resources={
            "api": WorkspaceAccessResource(),
            "warehouse": warehouse_resource(settings.duckdb_path),
            "dlt_resource": DagsterDltResource(),
        },
        # one process per run: DuckDB has one writer, and each further process would import everything again (5 s)
        executor=in_process_executor,
    )


def build_repositories(settings: Settings) -> Mapping[str, RepositoryDefinition]:
    """The definitions of each workspace that the settings name, as repositories by their names.

    Args:
        settings: those of several workspaces.
    """
    repositories = {}
    for of_one in settings.of_each_workspace():
        name, made = str(of_one.workspace_name), build_definitions(of_one)
        repositories[name] = create_repository_using_definitions_args(
            name,
            assets=made.assets,
            schedules=made.schedules,
            sensors=made.sensors,
            jobs=made.jobs,
            resources=made.resources,
            executor=made.executor,
            asset_checks=made.asset_checks,
        )
    return repositories
