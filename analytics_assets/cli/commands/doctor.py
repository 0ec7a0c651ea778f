"""Runs `analytics-assets doctor`: checks what a sync needs, one thing after the other, and reports each in words.

The order of the checks belongs here, and those of the database and the user interface; the others are in `examination/`.
"""

import argparse
import contextlib
import logging
import socket
from collections.abc import Iterator, Mapping

from analytics_assets.cli.checked_settings import what_is_not_used
from analytics_assets.cli.errors import EXIT_FAILED, EXIT_OK, CommandError
from analytics_assets.cli.examination.api import examine_api
from analytics_assets.cli.examination.files import examine_files, examine_warehouse
from analytics_assets.cli.examination.finding import Finding, wrong_settings
from analytics_assets.cli.instance import dagster_home
from analytics_assets.cli.own_or_demo import demo_if_meant
from analytics_assets.cli.served import HOST, USUAL_PORT, is_served
from analytics_assets.setting_errors import SettingsError
from analytics_assets.settings import Settings, load_settings
from analytics_assets.warehouse.errors import WarehouseError
from analytics_assets.warehouse.team.delivery import TeamWarehouse
from analytics_assets.warehouse.team.engines import team_warehouse


def main(args: argparse.Namespace) -> int:
    """Run all checks; returns 1 if something is wrong."""
    wrong, was_checked = 0, True
    handler = logging.StreamHandler()  # retries and waits take a while and must not look as if the command hung
    logging.getLogger("analytics_assets").addHandler(handler)
    for finding in _findings_with_demo():
        wrong += finding.verdict == "wrong"
        was_checked = was_checked and finding.was_checked
        print(f"{finding.subject:<14}{finding.verdict:<7}{finding.words}", flush=True)
    print()
    if wrong:
        print(f"{wrong} {'thing is' if wrong == 1 else 'things are'} wrong, see above.")
    else:
        print("A sync has all it needs." if was_checked else "Nothing is wrong so far; not all could be checked, see above.")
    return EXIT_FAILED if wrong else EXIT_OK


def _findings_with_demo() -> Iterator[Finding]:
    """The results for the owner's workspace, or without a key for the demo that the warehouse holds."""
    with contextlib.ExitStack() as stack:
        try:
            variables = stack.enter_context(demo_if_meant(load_settings()))
        except (SettingsError, CommandError):  # the checks name what is wrong
            variables = {}
        yield from findings(variables)


def findings(variables: Mapping[str, str] | None = None) -> Iterator[Finding]:
    """The results, each as soon as it is known; a check that depends on a failed one is left out.

    Args:
        variables: variables that go before those of the process.
    """
    try:
        settings = load_settings(variables)
    except SettingsError as error:
        yield from wrong_settings(error)
        return
    if words := what_is_not_used():
        yield Finding("settings", "note", words)
    for of_one in settings.of_each_workspace():
        yield from _of_workspace(of_one)
    yield from examine_files(of_one)
    if settings.delivers_to is not None:
        yield _delivery(team_warehouse(*settings.delivers_to))
    yield _user_interface(settings)


def _of_workspace(settings: Settings) -> Iterator[Finding]:
    """The results that are of one workspace."""
    try:
        access = settings.access()
    except SettingsError as error:
        yield from wrong_settings(error)
    else:
        words = f"workspace {access.workspace_id} of {access.api_url}, history from {settings.start_date}"
        yield Finding("settings", "ok", words)
        yield from examine_api(settings, access)
    yield from examine_warehouse(settings)


def _delivery(team: TeamWarehouse) -> Finding:
    """Whether the database answers that the tables are delivered to."""
    try:
        team.assert_reachable()
    except WarehouseError as error:
        return Finding(team.engine, "wrong", str(error))
    return Finding(team.engine, "ok", f"{team.shown_address} answers; each sync of everything delivers all tables there")


def _user_interface(settings: Settings) -> Finding:
    """Whether the Dagster UI could start on its usual port, and who has it."""
    if is_served(dagster_home(settings)):
        return Finding("Dagster UI", "ok", "runs already for this warehouse; `analytics-assets dev` would refuse a second one")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, USUAL_PORT))
        except OSError:
            words = f"port {USUAL_PORT} is another program's; choose one with `analytics-assets dev --port 3001`"
            return Finding("Dagster UI", "note", words)
    return Finding("Dagster UI", "ok", f"does not run; port {USUAL_PORT} is free for it")
