"""One `sync` from beginning to end: arguments, run, summary and exit code.

The steps of the command stand here in their order; each step is a module. Importing this module takes seconds, because
it imports Dagster and dlt.
"""

import sys
from collections.abc import Collection
from pathlib import Path

from dagster import AssetKey, DagsterInstance

from analytics_assets.cli.asked_months import asked_span
from analytics_assets.cli.errors import CommandError, UsageError, say
from analytics_assets.cli.instance import ensure_dagster_home, kept_runs
from analytics_assets.cli.orphaned_runs import end_orphaned_runs
from analytics_assets.cli.signals import stopping_like_ctrl_c
from analytics_assets.cli.sync_run.asked_assets import asked_assets
from analytics_assets.cli.sync_run.job import label_in_ui, run_job
from analytics_assets.cli.sync_run.outcome import UNCHANGED, exit_code_of, print_outcome
from analytics_assets.cli.sync_run.summary import print_summary
from analytics_assets.cli.sync_run.watch import RunWatch
from analytics_assets.orchestration.assembly import build_definitions
from analytics_assets.orchestration.dbt_variables import dbt_variables
from analytics_assets.orchestration.jobs import SYNC
from analytics_assets.orchestration.keys import Keys
from analytics_assets.orchestration.partitions import range_tags
from analytics_assets.orchestration.run_history import forget_old_runs
from analytics_assets.orchestration.run_output import instance_without_output
from analytics_assets.pipeline.api import Api
from analytics_assets.pipeline.look import list_to_ask_for, why_a_sync_would_fail
from analytics_assets.pipeline.months import current_month
from analytics_assets.setting_errors import SettingsError
from analytics_assets.settings import Settings
from analytics_assets.source.columns import RESOURCE_NAMES
from analytics_assets.warehouse.errors import WarehouseError
from analytics_assets.warehouse.together import examine_common_file


def run_sync(settings: Settings, *, first: str | None, last: str | None, select: str | None, verbose: bool) -> int:
    """Run the job `sync`, show its progress, print what it did.

    Returns:
        The exit code.

    Raises:
        CommandError: it can't start.
    """
    span = asked_span(first, last, start_date=settings.start_date, now=current_month())
    keys = Keys.of(settings)
    watch = RunWatch(keys)
    definitions = build_definitions(settings, on_reading=watch.take_reading)
    assets = None if select is None else asked_assets(select, definitions.resolve_asset_graph())
    time_entries = keys.raw("time_entries")
    if assets is not None and time_entries not in assets and span is not None:
        raise UsageError(f"--from and --to are months of {time_entries.to_user_string()}, which --select leaves out.")
    if span is not None and first is None:
        say(f"--to without --from reads all history, {span}.")
    _refuse_wrong_files(settings)
    home = ensure_dagster_home(settings)
    _refuse_what_would_fail_at_once(settings, assets)
    job, tags = definitions.resolve_job_def(SYNC), range_tags(span) if span else {}
    checks, label = definitions.resolve_asset_graph().asset_check_keys, label_in_ui(keys)
    with kept_runs(home), stopping_like_ctrl_c(), _opened(home, verbose=verbose) as instance:
        end_orphaned_runs(instance)
        run_job(job, instance, watch, label=label, assets=assets, tags=tags, verbose=verbose)
        forget_old_runs(instance, label=label, keep=settings.keep_runs, checks=checks)
    print_summary(watch, settings, sys.stdout)
    print_outcome(watch, verbose=verbose)
    return exit_code_of(watch)


def _opened(home: Path, *, verbose: bool) -> DagsterInstance:
    return DagsterInstance.from_config(str(home)) if verbose else instance_without_output(home)


def _refuse_what_would_fail_at_once(settings: Settings, assets: Collection[AssetKey] | None) -> None:
    """Look at the warehouse and ask the API for one short list, before a run begins that would show every asset as failed.

    Args:
        settings: how the API is asked.
        assets: what is made; None for all.

    Raises:
        CommandError: the API can't be read, or the warehouse can't be written.
    """
    names = {name for name in RESOURCE_NAMES if assets is None or Keys.of(settings).raw(name) in assets}
    if not names:
        return
    _refuse_common_file_of_another_kind(settings)
    with stopping_like_ctrl_c():
        reason = why_a_sync_would_fail(Api.of(settings), settings.duckdb_path, list_to_ask_for(names))
    if reason is not None:
        raise CommandError(f"Sync failed: {reason}\n{UNCHANGED}")


def _refuse_common_file_of_another_kind(settings: Settings) -> None:
    """Look at the file that the tables of all workspaces are put into, before the first sync of one reads all its history.

    Raises:
        CommandError: something else is in its place, so that the way out is another place, for the workspaces too.
    """
    one = settings.one_of_several
    if one is None or settings.duckdb_path.exists():
        return
    try:
        examine_common_file(one.together, one.warehouses)
    except WarehouseError as error:
        raise CommandError(f"Sync failed: {error}\n{UNCHANGED}") from None


def _refuse_wrong_files(settings: Settings) -> None:
    """Read the files that the models need in the end, before the API is read for them.

    Raises:
        CommandError: one is wrong.
    """
    try:
        dbt_variables(settings)
    except SettingsError as error:
        raise CommandError(str(error)) from None
