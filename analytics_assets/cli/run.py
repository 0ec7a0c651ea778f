"""`analytics-assets run`, which is `make run`: the whole way from an API to a warehouse, with nothing set up.

Without a key the API is the demo; everything else is `sync`.
"""

import argparse

from analytics_assets.cli.demo_process import demo_environment
from analytics_assets.cli.errors import CommandError, say
from analytics_assets.cli.sync import checked_settings, sync
from analytics_assets.settings import Settings, SettingsError, load_settings


def main(args: argparse.Namespace) -> int:
    """Run the command."""
    settings = loaded_settings()
    if settings.has_key:
        settings = checked_settings()
        say(f"Syncing workspace {settings.workspace_id} of {settings.api_url} into {settings.duckdb_path}.")
        return sync(settings, verbose=args.verbose)
    say_demo(settings)
    with demo_environment() as url:
        settings = checked_settings()
        say(f"The demo API answers on {url}; syncing all its history into {settings.duckdb_path}.")
        return sync(settings, first=f"{settings.start_date:%Y-%m}", verbose=args.verbose)


def loaded_settings() -> Settings:
    """The settings of this process, with or without a key.

    Raises:
        CommandError: names every variable that is wrong.
    """
    try:
        return load_settings()
    except SettingsError as error:
        raise CommandError(str(error)) from None


def say_demo(settings: Settings) -> None:
    """Say that the demo is meant, and what is left aside because of it."""
    values = {"ANALYTICS_API_URL": settings.api_url, "ANALYTICS_WORKSPACE_ID": settings.workspace_id}
    aside = " and ".join(name for name, value in values.items() if value is not None)
    say(
        "ANALYTICS_API_KEY is not set, so this is the demo: an invented workspace, served on this machine only."
        + (f" {aside} {'is' if ' ' not in aside else 'are'} left aside." if aside else "")
    )
