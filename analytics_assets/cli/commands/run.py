"""Runs `analytics-assets run`, which is `make run`: a sync that needs no set-up.

Without a key it starts the demo API and syncs that; everything else is `sync`.
"""

import argparse
from datetime import UTC, datetime

from analytics_assets.cli.checked_settings import checked_settings, loaded_settings, say_what_is_not_used
from analytics_assets.cli.commands.sync import sync, sync_each
from analytics_assets.cli.demo_process import demo_api, demo_day, say_demo
from analytics_assets.cli.errors import CommandError, say
from analytics_assets.demo.late_changes import MONTHS, late_months
from analytics_assets.settings import Settings


def main(args: argparse.Namespace) -> int:
    """Run the command."""
    settings = loaded_settings()
    say_what_is_not_used()
    if settings.means_own_workspace:
        settings = checked_settings()
        say(f"Syncing {_in_words(settings)} of {settings.api_url} into {settings.duckdb_path}.")
        return sync_each(settings, verbose=args.verbose)
    say_demo(settings)
    is_new = not settings.duckdb_path.exists()
    with demo_api(today=demo_day(settings.duckdb_path), taken_back=is_new) as demo:
        settings = checked_settings(demo.variables)
        if is_new:
            say(f"Reading its last {MONTHS} closed months before and after some entries were changed late.")
            _read_late_months(settings)
            demo.go_on()
            _read_late_months(settings)
        say(f"The demo API answers on {settings.api_url}; syncing all its history into {settings.duckdb_path}.")
        return sync(settings, first=f"{settings.start_date:%Y-%m}", verbose=args.verbose)


def _in_words(settings: Settings) -> str:
    ids = [str(of_one.workspace_id) for of_one in settings.of_each_workspace()]
    return f"workspace{'' if len(ids) == 1 else 's'} {', '.join(ids)}"


def _read_late_months(settings: Settings) -> None:
    """Load the entries of the months that have late changes; read twice, `marts.time_entry_changes` has rows on day one.

    Raises:
        CommandError: it can't be loaded.
    """
    from analytics_assets.pipeline.api import Api
    from analytics_assets.pipeline.months import AskedMonths, Month, Span
    from analytics_assets.pipeline.progress import ReadingProgress
    from analytics_assets.pipeline.sync import sync as sync_raw
    from analytics_assets.source.errors import find_source_error
    from analytics_assets.warehouse.errors import WarehouseError

    first, end = late_months(datetime.now(UTC).date())
    try:
        sync_raw(
            api=Api.of(settings),
            warehouse=settings.duckdb_path,
            months=AskedMonths(settings.start_date, span=Span(Month.of(first), Month.of(end).plus(-1))),
            progress=ReadingProgress(),
            holder="analytics-assets run",
            resources=("time_entries",),
        )
    except Exception as error:
        sentence = find_source_error(error) or (error if isinstance(error, WarehouseError) else None)
        if sentence is None:
            raise
        raise CommandError(str(sentence)) from None
