"""The report as a file: the figures are read in one go, and the file is replaced whole."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb

from analytics_assets.report.figures import Figures, date_of_marts, read_figures
from analytics_assets.report.kept_results import KeptChecks, keep_checks, keep_comparison, kept_checks, kept_comparison
from analytics_assets.report.page import render
from analytics_assets.report.quality_sections import CheckResult, Verified
from analytics_assets.report.queries import missing_marts
from analytics_assets.warehouse.connection import connection
from analytics_assets.warehouse.errors import WarehouseError
from analytics_assets.warehouse.identity import held_workspace, refuse_several_workspaces
from analytics_assets.warehouse.replacing import replacing


@dataclass(frozen=True)
class Report:
    """A report that was written: where, how large, and what it says."""

    path: Path
    size_bytes: int
    figures: Figures


def report_file(data_dir: Path) -> Path:
    """Where the report lies, beside the warehouse."""
    return data_dir / "report" / "overview.html"


def write_report(
    warehouse: Path,
    to: Path,
    *,
    today: date,
    checks: Sequence[CheckResult] | None = None,
    last_verified: Verified | None = None,
) -> Report:
    """Write the report of a warehouse.

    The file is open for reading, which keeps writers out, until the figures are read; that is a second at most.

    Args:
        warehouse: the file that the marts are in.
        to: the file to write; the old one stays until the new one is whole.
        today: the date that counts as today where the warehouse holds none.
        checks: how the checks of the data ended, which is kept beside the file; None takes what is kept there.
        last_verified: the last comparison that Dagster knows of; a later one that is kept beside the file counts more.

    Raises:
        WarehouseError: there is no such file, it holds several workspaces, lacks marts, or they are those of another version.
        OSError: the report can't be written.
    """
    if not warehouse.exists():
        raise WarehouseError(f"{warehouse} does not exist, so there is nothing to report; `analytics-assets run` makes it.")
    with connection(warehouse, read_only=True) as con:
        refuse_several_workspaces(con, warehouse)
        if missing := missing_marts(con):
            raise WarehouseError(
                f"{warehouse} lacks the marts {', '.join(missing)}, which the report reads; `analytics-assets sync` builds them."
            )
        try:
            figures = read_figures(con, date_of_marts(con, otherwise=today))
        except (duckdb.BinderException, duckdb.CatalogException) as error:
            reason = str(error).splitlines()[0]
            raise WarehouseError(
                f"The marts in {warehouse} are not those that the report reads ({reason}); "
                "`analytics-assets sync` builds them anew."
            ) from error
        workspace = held_workspace(con)
    known = None if workspace is None else kept_checks(to, workspace[0])
    comparisons = [last_verified, None if workspace is None else kept_comparison(to, workspace[0])]
    last = max(filter(None, comparisons), key=lambda comparison: comparison.at, default=None)
    if checks is not None:
        text = render(figures, workspace=workspace, checks=checks, last_verified=last)
    else:
        text = render(
            figures,
            workspace=workspace,
            checks=None if known is None else known.checks,
            checks_of=None if known is None else known.at,
            last_verified=last,
        )
    write_whole(to, text)
    if workspace is not None and checks is not None:
        keep_checks(to, workspace[0], KeptChecks(datetime.now(UTC), checks))
    if workspace is not None and last is not None:
        keep_comparison(to, workspace[0], last)
    return Report(to, len(text.encode()), figures)


def write_whole(path: Path, text: str) -> None:
    """Replace a file in one step, so that nobody ever sees half of it."""
    with replacing(path) as place:
        place.write_text(text, encoding="utf-8")
