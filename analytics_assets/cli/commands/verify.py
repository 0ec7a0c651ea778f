"""Runs `analytics-assets verify`: compares the API with the warehouse and prints a table; exit code 1 on a difference.

Only the output belongs here, and that the report knows of a comparison of all history; the comparison is made in
`pipeline/verification.py`.
"""

import argparse
import logging
import sys
from datetime import UTC, datetime
from typing import Final

import duckdb
from rich.console import Console
from rich.table import Table

from analytics_assets.cli.asked_months import asked_span
from analytics_assets.cli.each_workspace import for_each_workspace
from analytics_assets.cli.errors import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_OK, CommandError, say
from analytics_assets.cli.own_or_demo import own_or_demo
from analytics_assets.cli.signals import stopping_like_ctrl_c
from analytics_assets.cli.whole_table import print_whole
from analytics_assets.pipeline.api import Api
from analytics_assets.pipeline.months import AskedMonths, Span, current_month, history_span
from analytics_assets.pipeline.progress import ReadingProgress
from analytics_assets.pipeline.verification import Verification, verify
from analytics_assets.report.kept_results import keep_comparison
from analytics_assets.report.quality_sections import Verified
from analytics_assets.report.writing import report_file
from analytics_assets.settings import Settings
from analytics_assets.source.errors import find_source_error
from analytics_assets.source.meter import Meter
from analytics_assets.warehouse.errors import WarehouseError, without_memory
from analytics_assets.warehouse.in_common import tables_not_together
from analytics_assets.warehouse.loaded_alone import is_there
from analytics_assets.warehouse.team.delivery import TeamWarehouse, tables_that_differ
from analytics_assets.warehouse.team.engines import team_warehouse

PIPED_WIDTH_CHARACTERS: Final = 160


def main(args: argparse.Namespace) -> int:
    """Run the command; returns 1 if anything differs."""
    logging.getLogger("analytics_assets").addHandler(logging.StreamHandler())
    with own_or_demo() as settings:
        code = for_each_workspace(settings, lambda of_one: _verify(of_one, args.first, args.last), done="equal the API")
        if code == EXIT_INTERRUPTED:
            return code
        code = max(code, _verify_common_file(settings))
        if settings.delivers_to is None:
            return code
        return max(code, _verify_delivery(settings, team_warehouse(*settings.delivers_to)))


def _verify(settings: Settings, first: str | None, last: str | None) -> int:
    now = current_month()
    progress = ReadingProgress()
    with stopping_like_ctrl_c():
        span = asked_span(first, last, start_date=settings.start_date, now=now)
        found = _verified(settings, span or history_span(settings.start_date, now=now), progress)
        if found.span == history_span(settings.start_date, now=now):
            _keep_for_the_report(settings, found)
    _print(found, progress.meter)
    return EXIT_FAILED if found.unequal else EXIT_OK


def _keep_for_the_report(settings: Settings, found: Verification) -> None:
    """Leave the result beside the report, which says when the whole history was last compared."""
    assert settings.workspace_id is not None  # it was read from it
    try:
        keep_comparison(report_file(settings.data_dir), settings.workspace_id, Verified(datetime.now(UTC), not found.unequal))
    except OSError as error:
        say(f"The report will not know of this comparison: {error.filename or 'its folder'} can't be written ({error.strerror}).")


def _verify_common_file(settings: Settings) -> int:
    """Compare the file of several workspaces with the warehouse of each; of one that has none yet that was said before."""
    there = [each for each in settings.of_each_workspace() if each.one_of_several is not None and each.duckdb_path.exists()]
    if not there:
        return EXIT_OK
    common = settings.duckdb_path
    if not is_there(common):
        print(f"{common} is not there, which has the tables of all workspaces.\nMake it:  analytics-assets sync")
        return EXIT_FAILED
    is_equal = True
    for each in there:
        try:
            with stopping_like_ctrl_c():
                differ = tables_not_together(each.duckdb_path, common, str(each.workspace_id))
        except WarehouseError as error:
            raise CommandError(str(error)) from None
        if differ:
            is_equal = False
            print(f"{common} differs from the warehouse of workspace {each.workspace_id} in {', '.join(differ)}.")
    print(f"{common} equals the warehouse of each." if is_equal else "Repair it:  analytics-assets sync")
    return EXIT_OK if is_equal else EXIT_FAILED


def _verify_delivery(settings: Settings, team: TeamWarehouse) -> int:
    """Compare a team's warehouse with the file that is delivered there, of several workspaces the one with the tables of all."""
    try:
        with stopping_like_ctrl_c():
            differ = tables_that_differ(settings.duckdb_path, team)
    except WarehouseError as error:
        raise CommandError(str(error)) from None
    what = "the warehouse" if len(settings.of_each_workspace()) == 1 else str(settings.duckdb_path)
    if differ:
        print(f"{team.engine} differs from {what} in {', '.join(differ)}.")
        print("Repair it:  analytics-assets sync")
        return EXIT_FAILED
    print(f"{team.engine} equals {what}.")
    return EXIT_OK


def _verified(settings: Settings, span: Span, progress: ReadingProgress) -> Verification:
    months = AskedMonths(settings.start_date, settings.lookback_months, span)
    try:
        return verify(api=Api.of(settings), warehouse=settings.duckdb_path, months=months, progress=progress)
    except duckdb.OutOfMemoryException as error:
        raise CommandError(without_memory(error)) from None
    except Exception as error:
        sentence = find_source_error(error) or (error if isinstance(error, WarehouseError) else None)
        if sentence is None:
            raise
        raise CommandError(str(sentence)) from None


def _print(found: Verification, meter: Meter) -> None:
    console = Console(width=None if sys.stdout.isatty() else PIPED_WIDTH_CHARACTERS, highlight=False)
    table = Table(box=None, pad_edge=False)
    table.add_column("resource")
    for heading in ("API rows", "warehouse rows", "missing", "extra", "different", "repeated"):
        table.add_column(heading, justify="right")
    table.add_column("for example")
    for name, difference in found.differences.items():
        figures = (
            difference.api_rows,
            difference.warehouse_rows,
            difference.missing,
            difference.extra,
            difference.different,
            difference.repeated,
        )
        table.add_row(name, *(f"{figure:,}" for figure in figures), ", ".join(difference.examples))
    print_whole(console, table)
    console.print()
    console.print(f"Time entries: {found.span}; {meter.requests:,} requests in {meter.elapsed_seconds:.1f} s")
    for name, difference in found.differences.items():
        for reason, rows in difference.not_compared.items():
            console.print(f"Not compared: {rows:,} row{'' if rows == 1 else 's'} of {name} {reason}", soft_wrap=True)
    refused = sum(len(lists.refused) for lists in found.reading.lists.values())
    if refused:
        console.print(f"Lists refused by the API and not compared: {refused}")
    for filtered, params in found.filtered_by.items():
        console.print(f"Compared as filtered by ANALYTICS_EXTRA_PARAMS: {filtered} ({', '.join(sorted(params))})", soft_wrap=True)
    if found.unequal:
        console.print(f"The warehouse differs from the API in {', '.join(found.unequal)}.", soft_wrap=True)
        console.print(f"Repair it:  analytics-assets sync --from {found.span.first} --to {found.span.last}", soft_wrap=True)
    else:
        console.print("The warehouse equals the API.")
