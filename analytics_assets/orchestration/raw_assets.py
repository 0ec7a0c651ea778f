"""The seven `raw/*` assets: dlt reads the API into a landing, one transaction publishes it.

The only module that imports `dagster_embedded_elt`; its successor is `dagster_dlt`, with the same names. What is
read and believed is decided in `source/`, what is written in `warehouse/`; here both are joined to Dagster.
"""

import warnings
from collections.abc import Iterator
from typing import Any, cast

import duckdb
from dagster import (
    AssetExecutionContext,
    AssetMaterialization,
    AssetsDefinition,
    AssetSpec,
    BackfillPolicy,
    MaterializeResult,
    MetadataValue,
    MonthlyPartitionsDefinition,
)

from analytics_assets.orchestration.column_lineage import lineage_of_raw_table
from analytics_assets.orchestration.failures import failure_of, failures_in_a_sentence
from analytics_assets.orchestration.keys import Keys
from analytics_assets.orchestration.own_place import in_its_place
from analytics_assets.orchestration.partitions import (
    PARTITION_TAG,
    RANGE_START_TAG,
    month_partitions,
    partition_key,
    span_of_tags,
)
from analytics_assets.orchestration.raw_metadata import (
    COLUMN_SCHEMA,
    column_schema,
    endpoint_of,
    materialization_metadata,
    month_metadata,
    newest_rows,
)
from analytics_assets.orchestration.resources import Warehouse, WorkspaceAccessResource
from analytics_assets.orchestration.run_log import reading_shown_in, warnings_shown_in
from analytics_assets.pipeline.months import AskedMonths, current_month
from analytics_assets.pipeline.progress import OnReading, ReadingProgress
from analytics_assets.pipeline.reading import LANDING_DISPOSITION, LOADER_FILE_FORMAT
from analytics_assets.pipeline.sync import SyncReport, open_sync, publish_reading
from analytics_assets.settings import Settings
from analytics_assets.source import analytics_source
from analytics_assets.source.columns import TABLES, ResourceName
from analytics_assets.source.configured import dlt_configured
from analytics_assets.warehouse.connection import connection
from analytics_assets.warehouse.month_figures import MonthFigures, month_figures
from analytics_assets.warehouse.tables import RAW

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # tells of a removal in 0.26; 0.29.1 is the last of its line
    from dagster_embedded_elt.dlt import DagsterDltResource, DagsterDltTranslator, dlt_assets

__all__ = ["DagsterDltResource", "RawTranslator", "build_raw_assets"]


class RawTranslator(DagsterDltTranslator):
    """dlt resource → asset spec; key, lineage and write promise are read from the source, never retyped."""

    def __init__(self, partitions: MonthlyPartitionsDefinition, keys: Keys) -> None:
        super().__init__()
        self._partitions = partitions
        self._keys = keys

    def get_asset_spec(self, data: Any) -> AssetSpec:
        """The spec of one resource.

        The stock translator points parent and child at a phantom asset upstream of both; here the child depends on
        the asset of its parent.
        """
        resource = data.resource
        name = cast(ResourceName, resource.name)
        parent = resource._pipe.parent  # noqa: SLF001  # dlt shows a resource's parent nowhere else; dagster-dlt reads it here too
        return AssetSpec(
            key=self._keys.raw(name),
            deps=[self._keys.raw(parent.name) if resource.is_transformer else self._keys.workspace],
            description=TABLES[name].description,
            group_name=self._keys.group(RAW),
            kinds={"dlt", "duckdb"},
            tags={"source": "rest_api", "write_disposition": str(resource.write_disposition)},
            metadata={
                COLUMN_SCHEMA: column_schema(name, {}),
                "endpoint": MetadataValue.text(endpoint_of(name)),
                "primary key": "id",
                **lineage_of_raw_table(name, self._keys),
            },
            partitions_def=self._partitions if TABLES[name].is_windowed else None,
        )


def build_raw_assets(settings: Settings, on_reading: OnReading | None = None) -> AssetsDefinition:
    """The `raw/*` assets; the source that gives them their shape has no key and reads nothing.

    Args:
        settings: how the API is asked and which history is read.
        on_reading: called when a reading begins, with what shows how far it is.
    """
    keys = Keys.of(settings)
    with dlt_configured(settings.concurrency):
        shape = analytics_source(api_key="", api_url="https://api.example.com", workspace_id="shape")

    @dlt_assets(
        dlt_source=shape,
        dlt_pipeline=None,  # type: ignore[arg-type]  # a dlt pipeline makes its folder on disk when it is defined
        name="raw",
        dagster_dlt_translator=RawTranslator(month_partitions(settings.start_date), keys),
        backfill_policy=BackfillPolicy.single_run(),
    )
    def raw(
        context: AssetExecutionContext,
        dlt_resource: DagsterDltResource,
        api: WorkspaceAccessResource,
        warehouse: Warehouse,
    ) -> Iterator[MaterializeResult[Any]]:
        progress = ReadingProgress()
        with (
            failures_in_a_sentence(),
            warnings_shown_in(context.log),
            in_its_place(settings),
            open_sync(
                api=api.api(settings),
                warehouse=warehouse.path,
                months=months_of_run(context, settings),
                progress=progress,
                holder=f"sync run {context.run.run_id[:8]}",
            ) as opened,
        ):
            context.log.info("Time entries of %s", opened.span)
            if on_reading is not None:
                on_reading(progress)
            with reading_shown_in(context.log, progress):
                # dlt appends to an empty landing; the merge is made when the landing is published
                loaded = dlt_resource.run(
                    context=context,
                    dlt_source=opened.source,
                    dlt_pipeline=opened.pipeline,
                    loader_file_format=LOADER_FILE_FORMAT,
                    write_disposition=LANDING_DISPOSITION,
                )
                names = [_name_of(result) for result in loaded if isinstance(result, MaterializeResult)]
            report = publish_reading(opened, names)
        with connection(warehouse.path, read_only=True) as con:
            # a run of partitions repeats its metadata for each of them
            shown = {} if _has_partitions(context) else newest_rows(con, names, settings.preview_rows)
            of_months = _metadata_of_months(report, con) if any(TABLES[name].is_windowed for name in names) else {}
        for name in names:
            metadata = materialization_metadata(name, report, progress.meter.of(name), warehouse, shown.get(name))
            if TABLES[name].is_windowed:
                for key, of_month in of_months.items():
                    if _has_partitions(context):
                        metadata = {figure: value for figure, value in metadata.items() if figure not in of_month}
                        context.add_asset_metadata(of_month, asset_key=keys.raw(name), partition_key=key)
                    else:
                        context.log_event(AssetMaterialization(keys.raw(name), partition=key, metadata=of_month))
            yield MaterializeResult(asset_key=keys.raw(name), metadata=metadata)

    return raw


def _metadata_of_months(report: SyncReport, con: duckdb.DuckDBPyConnection) -> dict[str, dict[str, Any]]:
    """The partition of each month that was read, with the figures of that month alone."""
    figures = month_figures(con)
    return {
        partition_key(month): month_metadata(figures.get(month.first_moment.date(), MonthFigures()))
        for month in report.span.months
    }


def _name_of(result: MaterializeResult[Any]) -> ResourceName:
    assert result.asset_key is not None
    return cast(ResourceName, result.asset_key.path[-1])


def _has_partitions(context: AssetExecutionContext) -> bool:
    return PARTITION_TAG in context.run.tags or RANGE_START_TAG in context.run.tags


def months_of_run(context: AssetExecutionContext, settings: Settings) -> AskedMonths:
    """The months that a run covers: its partitions, or without any what a routine sync covers.

    Raises:
        Failure: the partitions are no months of the history.
    """
    try:
        span = span_of_tags(context.run.tags, settings.start_date, now=current_month())
    except ValueError as error:
        raise failure_of(str(error)) from None
    return AskedMonths(settings.start_date, settings.lookback_months, span)
