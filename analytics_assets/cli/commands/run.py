"""Runs `analytics-assets run`, which is `make run`: a sync that needs no set-up.

Without a key it starts the demo API and syncs that; everything else is `sync`.
"""

import argparse

from analytics_assets.cli.checked_settings import checked_settings, loaded_settings
from analytics_assets.cli.commands.sync import sync
from analytics_assets.cli.demo_process import demo_api, say_demo
from analytics_assets.cli.errors import say


def main(args: argparse.Namespace) -> int:
    """Run the command."""
    settings = loaded_settings()
    if settings.has_key:
        settings = checked_settings()
        say(f"Syncing workspace {settings.workspace_id} of {settings.api_url} into {settings.duckdb_path}.")
        return sync(settings, verbose=args.verbose)
    say_demo(settings)
    with demo_api() as variables:
        settings = checked_settings(variables)
        say(f"The demo API answers on {settings.api_url}; syncing all its history into {settings.duckdb_path}.")
        return sync(settings, first=f"{settings.start_date:%Y-%m}", verbose=args.verbose)
