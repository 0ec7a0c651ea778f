"""Runs `analytics-assets report`: builds the report from the warehouse as it is, and says where it lies.

Only the output belongs here. Nothing is read from the API, so that no key is needed.
"""

import argparse
import logging
import webbrowser
from datetime import UTC, datetime

from analytics_assets.cli.checked_settings import loaded_settings
from analytics_assets.cli.each_workspace import for_each_workspace
from analytics_assets.cli.errors import EXIT_OK, CommandError, say
from analytics_assets.report.writing import report_file, write_report
from analytics_assets.settings import Settings
from analytics_assets.warehouse.errors import WarehouseError, hindrance


def main(args: argparse.Namespace) -> int:
    """Run the command."""
    logging.getLogger("analytics_assets").addHandler(logging.StreamHandler())  # a wait for the warehouse is said
    return for_each_workspace(loaded_settings(), lambda of_one: _write(of_one, opened=args.open), done="have a new report")


def _write(settings: Settings, *, opened: bool) -> int:
    try:
        report = write_report(
            settings.duckdb_path, report_file(settings.data_dir), today=settings.as_of_date or datetime.now(UTC).date()
        )
    except WarehouseError as error:
        raise CommandError(str(error)) from None
    except OSError as error:
        place = error.filename or report_file(settings.data_dir)
        raise CommandError(f"{place} can't be written: {hindrance(error)}.") from None
    print(f"Report: {report.path}", flush=True)
    if opened and not webbrowser.open(report.path.as_uri()):
        say("No browser could be opened here; open the file yourself.")
    return EXIT_OK
