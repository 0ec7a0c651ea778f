"""Ctrl-C, SIGTERM and a lost terminal end a command; the warehouse is as it was, or whole."""

import signal

import pytest

from analytics_assets.cli.errors import EXIT_INTERRUPTED
from analytics_assets.demo.behaviour import RequestSeen
from analytics_assets_tests.safety.child import CommandOrder
from analytics_assets_tests.safety.conftest import Site
from analytics_assets_tests.safety.points import Point, Stop
from analytics_assets_tests.safety.processes import Processes, Running

END_SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


@pytest.mark.parametrize("number", END_SIGNALS)
def test_a_command_that_is_told_to_end_while_it_reads_ends_and_leaves_the_tables_as_they_were(
    site: Site, processes: Processes, number: signal.Signals
) -> None:
    before = site.contents()
    running: list[Running] = []

    def tell(request: RequestSeen) -> None:
        if request.resource == "time_entries":
            site.server.behaviour.before_answer = None
            running[0].send(number)

    site.server.behaviour.before_answer = tell
    running.append(processes.start(CommandOrder(("sync", "--select", "raw/time_entries")), site.variables()))
    ended = running[0].end()
    assert ended.result == EXIT_INTERRUPTED
    assert ended.said.endswith("Interrupted. The warehouse is as it was before.\n")
    assert site.contents() == before
    site.assert_clean()


@pytest.mark.parametrize("point", ["normalising", "loading"])
def test_a_command_that_is_told_to_end_while_dlt_works_does_not_publish(site: Site, processes: Processes, point: Point) -> None:
    """dlt keeps a signal back in these steps if it is let, and forgot it when there was nothing left to load."""
    before = site.contents()
    running = processes.start(CommandOrder(("sync", "--select", "raw/tags")), site.variables(), stop=Stop(point))
    running.wait_until_it_stops()
    running.send(signal.SIGTERM)
    running.go_on()
    assert running.end().result == EXIT_INTERRUPTED
    assert site.contents() == before
    site.assert_clean()


def test_a_command_that_loses_its_terminal_while_dbt_works_cancels_dbt_and_says_what_stayed(
    site: Site, processes: Processes
) -> None:
    order = CommandOrder(("sync", "--select", "raw/tags,staging/stg_tags"))
    running = processes.start(order, site.variables(), stop=Stop("in dbt"))
    running.wait_until_it_stops()
    running.send(signal.SIGHUP)
    running.go_on()
    ended = running.end()
    assert ended.result == EXIT_INTERRUPTED
    assert "Interrupted. The raw tables are loaded" in ended.said
    site.assert_equals_api(resources=("tags",))
    site.assert_next_sync_heals()
