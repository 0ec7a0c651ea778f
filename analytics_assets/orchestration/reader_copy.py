"""The asset `report/reader_copy`: the copy of the warehouse for BI tools, made anew at the end of a green sync.

How the file is copied stands in `warehouse/reader_copy.py`, and how the tables of several workspaces are put together in
`warehouse/together.py`; here it gets its place behind all models and their checks.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from dagster import (
    AssetCheckKey,
    AssetCheckResult,
    AssetCheckSeverity,
    AssetCheckSpec,
    AssetExecutionContext,
    AssetKey,
    AssetsDefinition,
    MaterializeResult,
    MetadataValue,
    asset,
)

from analytics_assets.orchestration.all_marts import refuse_without_marts
from analytics_assets.orchestration.automation import follows_raw
from analytics_assets.orchestration.failures import failures_in_a_sentence
from analytics_assets.orchestration.keys import REPORT, Keys, layer
from analytics_assets.orchestration.latest_checks import refuse_while_checks_fail
from analytics_assets.orchestration.resources import Warehouse
from analytics_assets.orchestration.run_log import warnings_shown_in
from analytics_assets.settings import OneOfSeveral, Settings
from analytics_assets.warehouse.export import MARTS
from analytics_assets.warehouse.in_common import rows_not_together
from analytics_assets.warehouse.reader_copy import copy_for_readers, rows_that_differ
from analytics_assets.warehouse.together import put_together
from analytics_assets.warehouse.writer_lock import writing

CHECK_NAME: Final = "copy_has_the_rows_of_the_warehouse"
CHECK_DESCRIPTION: Final = (
    "The copy opens, and has the same tables with as many rows as the warehouse had when it was copied. Where it has not, use "
    "the warehouse itself, and run a sync of everything to copy it again."
)


class Copying(NamedTuple):
    """How the copy is made: what it is, what stays while a check fails, the making, and a comparison afterwards.

    `make` gets the file of the warehouse, whose lock is held, and returns what the UI shows of the copy, its `path` first;
    `differ` returns the tables that have another number of rows in the copy: how many in both, None for no table.
    """

    description: str
    what_stays: str
    make: Callable[[Path], Mapping[str, Any]]
    differ: Callable[[Path], Mapping[str, tuple[int | None, int | None]]]


def copying_of(settings: Settings) -> Copying | None:
    """How these settings want it: the file as it is, or beside the tables of other workspaces; None for no copy."""
    to, one = settings.reader_copy, settings.one_of_several
    if one is not None:
        return _into_common_file(settings, one)
    return None if to is None else _as_it_is(to)


def _as_it_is(to: Path) -> Copying:
    def make(warehouse: Path) -> Mapping[str, Any]:
        made = copy_for_readers(warehouse, to)
        return {"path": MetadataValue.path(made.path), "size in bytes": made.size_bytes}

    return Copying(
        "The warehouse once more, for BI tools: replaced in one step when all checks of severity ERROR pass, so that a tool may "
        "keep it open for as long as it likes and no sync waits for it.",
        "The old copy stays",
        make,
        lambda warehouse: rows_that_differ(warehouse, to),
    )


def _into_common_file(settings: Settings, one: OneOfSeveral) -> Copying:
    workspace_id = str(settings.workspace_id)

    def make(warehouse: Path) -> Mapping[str, Any]:
        with writing(one.together, f"tables of workspace {workspace_id}"):
            made = put_together(one.together, workspace_id=workspace_id, warehouses=one.warehouses)
            if settings.reader_copy is not None:
                copy_for_readers(one.together, settings.reader_copy)
        return {
            "path": MetadataValue.path(made.path),
            "size in bytes": made.size_bytes,
            "workspaces": ", ".join(made.workspaces),
            "tables replaced": len(made.replaced),
        }

    return Copying(
        "The tables of this workspace beside those of the others, in the file that ANALYTICS_DUCKDB_PATH names and in its copy "
        "for BI tools. The column `workspace_id` of each table says which workspace a row is of. They are replaced in one step "
        "when all checks of severity ERROR pass, whatever becomes of the other workspaces.",
        f"The rows of this workspace in {one.together} stay as they were",
        make,
        lambda warehouse: rows_not_together(warehouse, one.together, workspace_id),
    )


def build_reader_copy_asset(
    copying: Copying, keys: Keys, models: Iterable[AssetKey], checks: Iterable[AssetCheckKey]
) -> AssetsDefinition:
    """The asset of the copy.

    Args:
        copying: how it is made.
        keys: what the assets are called.
        models: all models; the copy is made when all marts are built.
        checks: the checks of the data. While one of severity ERROR fails, the old copy stays.
    """
    # not on the staging views too: Dagster refuses a run of this asset alone then, because they read raw_history beside raw
    deps, of_data = sorted(key for key in models if layer(key) == MARTS), sorted(checks)

    @asset(
        key=keys.reader_copy,
        deps=deps,
        group_name=keys.group(REPORT),
        kinds={"duckdb"},
        automation_condition=follows_raw(keys),
        check_specs=[AssetCheckSpec(CHECK_NAME, asset=keys.reader_copy, description=CHECK_DESCRIPTION)],
        description=copying.description,
    )
    def reader_copy(context: AssetExecutionContext, warehouse: Warehouse) -> Iterator[MaterializeResult[Any]]:
        with (
            failures_in_a_sentence(),
            warnings_shown_in(context.log),
            warehouse.writing(f"copy for readers, run {context.run.run_id[:8]}"),
        ):
            has_name = keys.workspace_name is not None
            refuse_while_checks_fail(context.instance, of_data, what_stays=copying.what_stays, all_have_run=has_name)
            refuse_without_marts(warehouse.path, deps, what_stays=copying.what_stays)
            shown = copying.make(warehouse.path)
            differ = copying.differ(warehouse.path)
        yield MaterializeResult(metadata=shown, check_results=[_check_of(differ)])

    return reader_copy


def _check_of(differ: Mapping[str, tuple[int | None, int | None]]) -> AssetCheckResult:
    rows = [
        f"- `{name}`: {_rows(there)} in the warehouse, {_rows(copied)} in the copy" for name, (there, copied) in differ.items()
    ]
    return AssetCheckResult(
        check_name=CHECK_NAME,
        passed=not differ,
        severity=AssetCheckSeverity.ERROR,
        metadata={
            "tables that differ": len(differ),
            **({"which": MetadataValue.md("\n".join(rows))} if rows else {}),
        },
    )


def _rows(count: int | None) -> str:
    return "no table" if count is None else f"{count:,} rows"
