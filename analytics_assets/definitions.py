"""The one place where the parts meet: `build_definitions()` joins them, `defs` is what Dagster loads.

Nothing is decided here. Loading reads the settings and opens nothing.
"""

from dagster import Definitions, EnvVar, in_process_executor

from analytics_assets.orchestration.checks import build_checks, workspace_asset
from analytics_assets.orchestration.dbt_assets import build_dbt_assets, build_dbt_resource
from analytics_assets.orchestration.jobs import build_schedules, sync_job
from analytics_assets.orchestration.raw_assets import DagsterDltResource, build_raw_assets
from analytics_assets.orchestration.resources import AnalyticsApi, Warehouse
from analytics_assets.pipeline.api import LEDGER
from analytics_assets.settings import Settings, load_settings


def build_definitions(settings: Settings | None = None) -> Definitions:
    """All assets, jobs, schedules and resources.

    Args:
        settings: what they are built for; by default the settings of this process.

    Raises:
        SettingsError: a variable that is set holds a bad value. Missing ones are only told when a run needs them.
    """
    settings = settings or load_settings()
    return Definitions(
        assets=[workspace_asset, build_raw_assets(settings), build_dbt_assets(settings)],
        asset_checks=[build_checks(settings)],
        jobs=[sync_job],
        schedules=build_schedules(settings),
        resources={
            "api": AnalyticsApi(
                api_key=EnvVar("ANALYTICS_API_KEY"),
                api_url=EnvVar("ANALYTICS_API_URL"),
                workspace_id=EnvVar("ANALYTICS_WORKSPACE_ID"),
                page_size=settings.page_size,
                requests_per_second=settings.requests_per_second,
                requests_per_hour=settings.requests_per_hour,
                ledger_path=str(settings.data_dir / LEDGER),
                concurrency=settings.concurrency,
                retry_backoff_factor=settings.retry_backoff_factor,
                request_timeout_seconds=settings.request_timeout_seconds,
                extra_params=settings.extra_params,
            ),
            "warehouse": Warehouse(duckdb_path=str(settings.duckdb_path)),
            "dlt_resource": DagsterDltResource(),
            "dbt_cli": build_dbt_resource(),
        },
        # one process per run: DuckDB has one writer, and each further process would import everything again (5 s)
        executor=in_process_executor,
    )


defs = build_definitions()
