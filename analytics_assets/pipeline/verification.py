"""The proof that the owner can run: the API is read once more and compared with the warehouse, value by value.

It writes nothing but its result. The command line prints it, the asset check `raw_matches_api` shows it in the UI.
"""

from collections.abc import Sequence
from pathlib import Path

from analytics_assets.pipeline.api import Api
from analytics_assets.pipeline.sync import load_with_dlt
from analytics_assets.source.arrow import UndeclaredColumns
from analytics_assets.source.columns import RESOURCE_NAMES, ResourceName
from analytics_assets.source.journal import Journal
from analytics_assets.source.window import Window
from analytics_assets.warehouse.comparison import LANDED
from analytics_assets.warehouse.connection import connection
from analytics_assets.warehouse.difference import Difference, difference
from analytics_assets.warehouse.errors import WarehouseError
from analytics_assets.warehouse.landing import landing
from analytics_assets.warehouse.tables import RAW, columns_of, literal, undeclared_columns
from analytics_assets.warehouse.writer_lock import writing


def verify(
    *,
    api: Api,
    warehouse: Path,
    window: Window,
    journal: Journal,
    resources: Sequence[ResourceName] = RESOURCE_NAMES,
) -> dict[ResourceName, Difference]:
    """Read the API again and compare it with the raw tables.

    Lists that the API refuses, and members who are no longer listed, can't be compared and are left out.

    Args:
        api: what to read.
        warehouse: path of the warehouse file.
        window: the time entries to compare.
        journal: filled with what happens.
        resources: those to compare.

    Raises:
        SourceError: somewhere among the causes, when the API can't be read exactly.
        WarehouseError: there is no warehouse, or it can't be opened.
    """
    if not warehouse.exists():
        raise WarehouseError(
            f"There is no warehouse at {warehouse}: run `analytics-assets sync` first, or set ANALYTICS_DUCKDB_PATH."
        )
    with writing(warehouse, "verify"):
        with connection(warehouse, read_only=True) as con:
            if missing := [name for name in resources if not columns_of(con, RAW, name)]:
                raise WarehouseError(f"{warehouse} has no table {RAW}.{missing[0]}: run `analytics-assets sync` first.")
            known = undeclared_columns(con)
        source = api.source(journal, window, UndeclaredColumns(known, on_new=journal.column_found))
        with landing(warehouse, concurrency=api.limits.concurrency) as landed:
            load_with_dlt(resources)(landed.pipeline, source)
            journal.check_some_list_was_readable()
            landed.close()
            with connection(warehouse, read_only=True) as con:
                con.execute(f"ATTACH {literal(str(landed.file))} AS {LANDED} (READ_ONLY)")
                return {name: difference(con, name, journal, window) for name in resources}
