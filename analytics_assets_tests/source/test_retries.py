"""How often a request is tried again, and how long it is waited for; nothing here waits for real."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from analytics_assets.demo.faults import Fault
from analytics_assets.source.ceiling import Ceiling
from analytics_assets.source.http import RETRY_AFTER_BOUND_SECONDS, HttpLimits
from analytics_assets_tests.rig import Rig


@pytest.fixture
def waits(tiny: Rig, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that were asked for, instead of the pauses, with the specification's backoff factor."""
    recorded: list[float] = []
    monkeypatch.setattr(Ceiling, "pause", staticmethod(lambda seconds: recorded.append(seconds) if seconds > 0 else None))
    tiny.limits = HttpLimits(requests_per_second=10_000, backoff_factor=2)
    return recorded


def http_date(ahead: timedelta) -> str:
    return format_datetime(datetime.now(UTC) + ahead, usegmt=True)


def test_three_retries_wait_two_four_and_eight_seconds(tiny: Rig, waits: list[float]) -> None:
    tiny.server.faults.add(Fault("status", "clients", status=503, times=3))
    tiny.assert_reads_the_api("clients")
    assert waits == [2, 4, 8]
    assert (tiny.meter.retries, tiny.meter.requests) == (3, 4)


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_four_attempts_and_no_more(tiny: Rig, waits: list[float], status: int) -> None:
    tiny.server.faults.add(Fault("status", "clients", status=status, times=None))
    sentence = tiny.failing_read("clients")
    assert f"answered {status} (Something went wrong., code {status}), after 4 attempts." in sentence
    assert len(tiny.asked("clients")) == 4


@pytest.mark.parametrize("status", [418, 401, 403, 404, 400, 405, 410, 501, 505, 204, 206])
def test_other_statuses_are_not_tried_again(tiny: Rig, waits: list[float], status: int) -> None:
    tiny.server.faults.add(Fault("status", "clients", status=status, times=None))
    assert f"answered {status}" in tiny.failing_read("clients")
    assert len(tiny.asked("clients")) == 1 and waits == []


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("header", "waited"),
    [
        ("7", 7),
        ("1.5", 1.5),
        ("0", None),
        ("-5", None),
        ("86400", RETRY_AFTER_BOUND_SECONDS),
        ("inf", RETRY_AFTER_BOUND_SECONDS),
        ("1e999", RETRY_AFTER_BOUND_SECONDS),
        ("nan", 2),
        ("", 2),
        ("soon", 2),
        ("7, 8", 2),
    ],
)
def test_retry_after_is_honoured_within_its_bound(
    tiny: Rig, waits: list[float], status: int, header: str, waited: float | None
) -> None:
    tiny.server.faults.add(Fault("status", "clients", status=status, retry_after=header))
    tiny.assert_reads_the_api("clients")
    assert waits[:1] == ([] if waited is None else [waited])
    assert all(pause <= RETRY_AFTER_BOUND_SECONDS for pause in waits)


@pytest.mark.parametrize(
    ("ahead", "low", "high"),
    [
        (timedelta(seconds=60), 50, 60),
        (timedelta(days=400), RETRY_AFTER_BOUND_SECONDS, RETRY_AFTER_BOUND_SECONDS),
        (timedelta(days=-1), 0, 0),
    ],
)
def test_retry_after_may_be_a_date(tiny: Rig, waits: list[float], ahead: timedelta, low: float, high: float) -> None:
    tiny.server.faults.add(Fault("status", "clients", status=503, retry_after=http_date(ahead)))
    tiny.assert_reads_the_api("clients")
    assert low <= sum(waits) <= high


def test_one_429_makes_the_requests_after_it_wait_too(tiny: Rig, waits: list[float]) -> None:
    tiny.server.faults.add(Fault("status", "clients", status=429, retry_after="30"))
    tiny.assert_reads_the_api("clients")
    assert waits[0] == 30 and 29 < waits[1] <= 30, "the next request went out before the server wanted to be asked again"


def test_the_backoff_is_bounded_too(tiny: Rig, waits: list[float]) -> None:
    tiny.limits = HttpLimits(requests_per_second=10_000, backoff_factor=50)
    tiny.server.faults.add(Fault("status", "clients", status=500, times=3))
    tiny.assert_reads_the_api("clients")
    assert waits == [50, 60, 60]
