"""The proof that the owner can run: the API is read once more and compared with the warehouse, value by value.

It writes nothing but its result. The command line prints it, the asset check `raw_matches_api` shows it in the UI.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import duckdb

from analytics_assets.pipeline.api import Api
from analytics_assets.pipeline.months import AskedMonths, Span
from analytics_assets.pipeline.progress import ReadingProgress
from analytics_assets.pipeline.reading import open_reading
from analytics_assets.source.columns import RESOURCE_NAMES, ResourceName
from analytics_assets.source.reading import Reading
from analytics_assets.warehouse.comparison import attached
from analytics_assets.warehouse.connection import connection
from analytics_assets.warehouse.difference import Difference, difference
from analytics_assets.warehouse.errors import WarehouseError
from analytics_assets.warehouse.identity import refuse_another_workspace
from analytics_assets.warehouse.more_memory import with_more_memory
from analytics_assets.warehouse.tables import RAW, columns_of


@dataclass(frozen=True)
class Verification:
    """What was compared and how it differs, per resource; `filtered_by` are the query parameters that narrow a list."""

    span: Span
    reading: Reading
    filtered_by: Mapping[str, Mapping[str, object]]
    differences: Mapping[ResourceName, Difference]

    @property
    def unequal(self) -> list[ResourceName]:
        """The resources whose table differs from the API."""
        return [name for name, found in self.differences.items() if not found.is_equal]


def verify(
    *,
    api: Api,
    warehouse: Path,
    months: AskedMonths,
    progress: ReadingProgress,
    resources: Sequence[ResourceName] = RESOURCE_NAMES,
) -> Verification:
    """Read the API again and compare it with the raw tables.

    Lists that the API refuses, and members who are no longer listed, can't be compared and are left out.

    Args:
        api: what to read.
        warehouse: path of the warehouse file.
        months: the months of time entries to compare.
        progress: filled with what happens.
        resources: those to compare.

    Raises:
        SourceError: somewhere among the causes, when the API can't be read exactly.
        WarehouseError: there is no warehouse, it can't be opened, or it holds another workspace.
    """
    if not warehouse.exists():
        raise WarehouseError(
            f"There is no warehouse at {warehouse}: run `analytics-assets sync` first, or set ANALYTICS_DUCKDB_PATH."
        )

    def look(con: duckdb.DuckDBPyConnection) -> None:
        if missing := [name for name in resources if not columns_of(con, RAW, name)]:
            raise WarehouseError(f"{warehouse} has no table {RAW}.{missing[0]}: run `analytics-assets sync` first.")
        refuse_another_workspace(con, warehouse, api.access.workspace_id)

    with open_reading(
        api=api, warehouse=warehouse, months=months, progress=progress, holder="verify", prepare=look, is_read_only=True
    ) as opened:
        opened.load(resources)
        reading = opened.finish(resources)
        with connection(warehouse, read_only=True) as con, attached(con, opened.landed):
            differences = {name: with_more_memory(con, partial(difference, con, name, reading)) for name in resources}
            return Verification(opened.span, reading, api.extra_params, differences)
