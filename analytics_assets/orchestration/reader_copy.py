"""The asset `report/reader_copy`: the copy of the warehouse for BI tools, made anew at the end of a green sync.

How the file is copied stands in `warehouse/reader_copy.py`; here it gets its place behind all models and their checks.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

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

from analytics_assets.orchestration.automation import FOLLOWS_RAW
from analytics_assets.orchestration.failures import failures_in_a_sentence
from analytics_assets.orchestration.latest_checks import refuse_while_checks_fail
from analytics_assets.orchestration.report_asset import GROUP
from analytics_assets.orchestration.resources import Warehouse
from analytics_assets.orchestration.run_log import warnings_shown_in
from analytics_assets.warehouse.reader_copy import copy_for_readers, rows_that_differ

READER_COPY_KEY: Final = AssetKey([GROUP, "reader_copy"])
CHECK_NAME: Final = "copy_has_the_rows_of_the_warehouse"
CHECK_DESCRIPTION: Final = (
    "The copy opens, and has the same tables with as many rows as the warehouse had when it was copied. Where it has not, use "
    "the warehouse itself, and run a sync of everything to copy it again."
)
READER_COPY_STEP: Final = READER_COPY_KEY.to_python_identifier()
"""What Dagster calls the step that makes it."""


def build_reader_copy_asset(to: Path, models: Iterable[AssetKey], checks: Iterable[AssetCheckKey]) -> AssetsDefinition:
    """The asset of the copy.

    Args:
        to: where the copy lies.
        models: all models; the copy is made when all marts are built.
        checks: the checks of the data. While one of severity ERROR fails, the old copy stays.
    """
    # not on the staging views too: Dagster refuses a run of this asset alone then, because they read raw_history beside raw
    deps, keys = sorted(key for key in models if key.path[0] == "marts"), sorted(checks)

    @asset(
        key=READER_COPY_KEY,
        deps=deps,
        group_name=GROUP,
        kinds={"duckdb"},
        automation_condition=FOLLOWS_RAW,
        check_specs=[AssetCheckSpec(CHECK_NAME, asset=READER_COPY_KEY, description=CHECK_DESCRIPTION)],
        description="The warehouse once more, for BI tools: replaced in one step when all checks of severity ERROR pass, so "
        "that a tool may keep it open for as long as it likes and no sync waits for it.",
    )
    def reader_copy(context: AssetExecutionContext, warehouse: Warehouse) -> Iterator[MaterializeResult[Any]]:
        with (
            failures_in_a_sentence(),
            warnings_shown_in(context.log),
            warehouse.writing(f"copy for readers, run {context.run.run_id[:8]}"),
        ):
            refuse_while_checks_fail(context.instance, keys, what_stays="The old copy stays")
            made = copy_for_readers(warehouse.path, to)
            differ = rows_that_differ(warehouse.path, made.path)
        yield MaterializeResult(
            metadata={"path": MetadataValue.path(made.path), "size in bytes": made.size_bytes},
            check_results=[_check_of(differ)],
        )

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
