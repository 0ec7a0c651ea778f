"""`kill -9` of a process that syncs, at named points and at random: the warehouse opens and the next sync makes it exact."""

import random
import signal
import threading

import pytest

from analytics_assets.demo.behaviour import RequestSeen
from analytics_assets_tests.safety.child import CommandOrder
from analytics_assets_tests.safety.conftest import Site
from analytics_assets_tests.safety.points import Point, Stop
from analytics_assets_tests.safety.processes import Processes, Running

HALF_READ = 6
"""Of some dozen requests."""
HALF_LOADED = 4
"""Of seven tables."""


def test_a_sync_that_is_killed_while_it_reads_leaves_the_tables_as_they_were(site: Site, processes: Processes) -> None:
    before = site.contents()
    running: list[Running] = []
    turn = threading.Lock()  # requests are answered side by side, and only one of them may find the process alive

    def kill(request: RequestSeen) -> None:
        if len(site.server.requests) >= HALF_READ and turn.acquire(blocking=False):
            running[0].send(signal.SIGKILL)

    site.server.behaviour.before_answer = kill
    running.append(processes.start(site.order()))
    assert running[0].end().answer is None
    assert site.contents() == before
    site.server.behaviour.before_answer = None
    site.assert_next_sync_heals()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_sync_under_a_ceiling_per_hour_goes_on_where_one_was_that_was_ended(
    site: Site, processes: Processes, number: signal.Signals
) -> None:
    site.sync()  # a row that is missing would be looked for, which are requests too
    first, second, last = (user["id"] for user in site.workspace.users)
    asked: list[str | None] = []
    running: list[Running] = []

    def end_at_the_last_list(request: RequestSeen) -> None:
        asked.append(request.parent_id)
        if request.parent_id == last and len(running) == 1:
            running[0].send(number)

    site.server.behaviour.before_answer = end_at_the_last_list
    # five requests go to the sync that is ended, and two more before the next one gets to lists, of which it may ask for one
    variables = site.variables(ANALYTICS_REQUESTS_PER_HOUR="8", ANALYTICS_CONCURRENCY="1")
    order = CommandOrder(("sync", "--select", "raw/users,raw/time_entries"))
    running.append(processes.start(order, variables))
    running[0].end()
    assert asked[-3:] == [first, second, last]
    asked.clear()
    running.append(processes.start(order, variables))
    ended = running[1].end()
    assert ended.result == 0, ended.said
    assert [parent for parent in asked if parent is not None] == [last]
    site.assert_equals_api(resources=("users", "time_entries"))


@pytest.mark.parametrize(
    ("point", "passing"),
    [
        ("extracted", 1),
        ("normalising", 1),
        ("loading", HALF_LOADED),
        ("publishing", HALF_LOADED),
        ("before commit", 1),
    ],
)
def test_a_sync_that_is_killed_before_it_commits_leaves_the_tables_as_they_were(
    site: Site, processes: Processes, point: Point, passing: int
) -> None:
    before = site.contents()
    killed = processes.start(site.order(), stop=Stop(point, passing))
    killed.wait_until_it_stops()
    killed.kill()
    assert site.contents() == before
    site.assert_next_sync_heals()


def test_a_sync_that_is_killed_right_after_it_committed_has_published_everything(site: Site, processes: Processes) -> None:
    killed = processes.start(site.order(), stop=Stop("after commit"))
    killed.wait_until_it_stops()
    killed.kill()
    site.assert_equals_api()
    published = site.contents()
    site.assert_next_sync_heals()
    assert site.contents() == published, "what was published once was written again"


def test_a_first_sync_that_is_killed_leaves_a_warehouse_that_the_next_one_can_begin_with(
    site: Site, processes: Processes
) -> None:
    """dlt takes a package that it finds for its own work and loads it instead of reading the API again."""
    site.path.unlink()
    killed = processes.start(site.order(), stop=Stop("loading", HALF_LOADED))
    killed.wait_until_it_stops()
    killed.kill()
    site.change_something()
    site.assert_next_sync_heals()


def _kill_at_random(site: Site, processes: Processes, *, rounds: int, seed: int) -> None:
    dice = random.Random(seed)
    for number in range(rounds):
        before = site.contents()
        site.change_something()
        processes.start(site.order()).kill_after(dice.uniform(0.0, 2.0))
        if site.contents() != before:
            site.assert_equals_api()
        if number % 5 == 4:
            site.assert_next_sync_heals()
    site.assert_next_sync_heals()


def test_a_kill_at_a_random_moment_leaves_the_old_tables_or_the_new_ones(site: Site, processes: Processes) -> None:
    _kill_at_random(site, processes, rounds=2, seed=7)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(10))
def test_kills_at_a_hundred_random_moments_leave_the_old_tables_or_the_new_ones(
    site: Site, processes: Processes, seed: int
) -> None:
    _kill_at_random(site, processes, rounds=10, seed=seed)
