"""Runs `analytics-assets sync`: takes the arguments and checks the settings before anything starts.

Nothing here imports Dagster at the top, so that wrong settings are reported at once.
"""

import argparse
import sys
import warnings

from analytics_assets.cli.each_workspace import for_each_workspace
from analytics_assets.cli.own_or_demo import own_or_demo
from analytics_assets.cli.select_of_workspace import select_of_workspace
from analytics_assets.settings import Settings


def main(args: argparse.Namespace) -> int:
    """Run the command."""
    with own_or_demo() as settings:
        return sync_each(settings, first=args.first, last=args.last, select=args.select, verbose=args.verbose)


def sync_each(
    settings: Settings, *, first: str | None = None, last: str | None = None, select: str | None = None, verbose: bool = False
) -> int:
    """Run the job `sync` for each workspace, one after the other; see `sync`.

    Raises:
        CommandError: the workspace is alone and its sync can't start, or the arguments are wrong.
    """
    names = [of_one.workspace_name for of_one in settings.of_each_workspace() if of_one.workspace_name is not None]
    selects = {name: select if select is None else select_of_workspace(select, name, names) for name in names}
    return for_each_workspace(
        settings,
        lambda of_one: sync(
            of_one, first=first, last=last, select=selects.get(of_one.workspace_name or "", select), verbose=verbose
        ),
        done="synced",
        left_out=[name for name, of_it in selects.items() if select is not None and of_it is None],
    )


def sync(
    settings: Settings, *, first: str | None = None, last: str | None = None, select: str | None = None, verbose: bool = False
) -> int:
    """Run the job `sync`, show its progress, print what it did.

    Args:
        settings: checked already.
        first: first month of time entries, as typed; None for what a routine sync covers.
        last: last month, as typed.
        select: assets, as typed; None for all.
        verbose: show Dagster's log, and tracebacks of failures.

    Returns:
        The exit code: 0 only if everything landed and every check of severity ERROR passed.

    Raises:
        CommandError: it can't start.
    """
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # Dagster warns of its own betas while it is imported
    from analytics_assets.cli.sync_run.steps import run_sync

    return run_sync(settings, first=first, last=last, select=select, verbose=verbose)
