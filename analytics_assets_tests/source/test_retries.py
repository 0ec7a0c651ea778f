"""How often a request is tried again, and how long it is waited for; nothing here waits for real."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from analytics_assets.demo.faults import Fault
from analytics_assets.source import http
from analytics_assets.source.ceiling import Ceiling
from analytics_assets.source.ending import Ending
from analytics_assets.source.http import HttpLimits
from analytics_assets.source.retrying import RETRY_AFTER_BOUND_SECONDS, retry_after_seconds
from analytics_assets_tests.rig import Rig
from analytics_assets_tests.source.hands import FlyingHand
from analytics_assets_tests.texts import CHARACTERS


@pytest.fixture
def waits(tiny: Rig, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that were asked for, instead of the pauses, with the specification's backoff factor."""
    recorded: list[float] = []
    hand = FlyingHand(recorded)
    tiny.server.behaviour.clock = lambda: hand.now

    def pause(ending: Ending, seconds: float) -> None:
        hand.fly(seconds)
        real_pause(ending, 0)

    real_pause = Ending.pause
    monkeypatch.setattr(Ending, "pause", pause)
    monkeypatch.setattr(http, "Ceiling", partial(Ceiling, clock=hand.clock))
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


def test_the_attempts_with_each_page_size_are_counted(tiny: Rig, waits: list[float]) -> None:
    """Twelve requests were made, and the sentence said four."""
    tiny.page_size = "auto"
    tiny.server.faults.add(Fault("status", "clients", status=502, times=None))
    sentence = tiny.failing_read("clients")
    assert sentence.endswith("code 502), after 4 attempts each with pages of 5000, 500 and 50 rows.")
    assert len(tiny.asked("clients")) == 12


def test_a_size_that_was_refused_is_not_counted_as_tried_four_times(tiny: Rig, waits: list[float]) -> None:
    tiny.page_size = "auto"
    tiny.server.behaviour.max_page_size = 50
    tiny.server.faults.add(Fault("status", "clients", status=502, times=None, when=lambda request: request.page_size == 50))
    assert tiny.failing_read("clients").endswith("code 502), after 4 attempts.")


@pytest.mark.parametrize("status", [418, 401, 403, 404, 400, 405, 410, 501, 505, 204, 206])
def test_other_statuses_are_not_tried_again(tiny: Rig, waits: list[float], status: int) -> None:
    tiny.server.faults.add(Fault("status", "clients", status=status, times=None))
    assert f"answered {status}" in tiny.failing_read("clients")
    assert len(tiny.asked("clients")) == 1 and waits == []


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (402, "the API refuses to answer for a reason of its own; sync again later, or ask who runs it"),
        (409, "the API refuses to answer for a reason of its own; sync again later, or ask who runs it"),
        (522, "the server, or a proxy before it, has failed; sync again later"),
        (304, "which is not a list of records"),
    ],
)
def test_an_unusual_status_is_not_taken_for_a_wrong_address(tiny: Rig, waits: list[float], status: int, words: str) -> None:
    """A failed proxy was told to be no list of records, and a 304 to be a redirect to nowhere."""
    tiny.server.faults.add(Fault("status", "clients", status=status, body="empty", times=None))
    sentence = tiny.failing_read("clients")
    assert f"answered {status}" in sentence and words in sentence


@pytest.mark.parametrize(("status", "words"), [(403, "check both"), (407, "Check the proxy that HTTPS_PROXY or ALL_PROXY names")])
def test_a_page_of_a_proxy_is_not_taken_for_words_of_the_api(tiny: Rig, waits: list[float], status: int, words: str) -> None:
    """A firewall that lets nothing through was told to be a key that may not read the workspace, or a plan of the API's."""
    tiny.server.faults.add(Fault("status", "clients", status=status, body="html", times=None))
    sentence = tiny.failing_read("clients")
    assert f"answered {status} (a page of HTML, as a proxy or firewall before the API sends it)" in sentence and words in sentence


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("header", "waited"),
    [
        ("7", 7),
        ("1.5", 1.5),
        ("0", None),
        ("-5", None),
        ("3600", 3600),
        ("-inf", None),
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


@pytest.mark.parametrize(("header", "waited"), [("0", [4, 8]), ("-1", [4, 8]), ("0.3", [0.3, 4, 8]), ("7", [7, 7, 8])])
def test_a_wait_that_the_server_asks_for_and_that_was_too_short_is_followed_by_the_usual_ones(
    tiny: Rig, waits: list[float], header: str, waited: list[float]
) -> None:
    """A limit per second that says `Retry-After: 0` used up all attempts in a moment, and the sync was red."""
    tiny.server.faults.add(Fault("status", "clients", status=429, retry_after=header, times=3))
    tiny.assert_reads_the_api("clients")
    assert waits == waited


@pytest.mark.parametrize(
    ("ahead", "low", "high"), [(timedelta(seconds=60), 50, 60), (timedelta(minutes=59), 3530, 3540), (timedelta(days=-1), 0, 0)]
)
def test_retry_after_may_be_a_date(tiny: Rig, waits: list[float], ahead: timedelta, low: float, high: float) -> None:
    tiny.server.faults.add(Fault("status", "clients", status=503, retry_after=http_date(ahead)))
    tiny.assert_reads_the_api("clients")
    assert low <= sum(waits) <= high


@pytest.mark.parametrize(
    ("header", "asked"),
    [
        ("3601", "60 min"),
        ("86400", "24 h"),
        ("inf", "without end"),
        ("1e999", "without end"),
        ("9" * 5000, "without end"),
        ("Fri, 31 Dec 9999 23:59:59 GMT", " h"),
    ],
)
def test_a_server_that_asks_for_more_than_an_hour_ends_the_run_at_once(
    tiny: Rig, waits: list[float], header: str, asked: str
) -> None:
    """It was asked again after two minutes, four times."""
    tiny.server.faults.add(Fault("status", "clients", status=429, retry_after=header, times=None))
    sentence = tiny.failing_read("clients")
    assert "answered 429 (Something went wrong., code 429) and asks to wait" in sentence
    assert f"{asked} (Retry-After), longer than a run waits. Sync again after that." in sentence
    assert "set ANALYTICS_REQUESTS_PER_HOUR or ANALYTICS_REQUESTS_PER_SECOND to what it allows." in sentence
    assert len(tiny.asked("clients")) == 1 and waits == []


def test_the_remedy_for_429_is_not_named_for_a_server_that_is_down(tiny: Rig, waits: list[float]) -> None:
    tiny.server.faults.add(Fault("status", "clients", status=503, retry_after="7200", times=None))
    sentence = tiny.failing_read("clients")
    assert sentence.endswith("and asks to wait 2 h (Retry-After), longer than a run waits. Sync again after that.")


def test_four_refusals_for_the_pace_name_the_settings_of_the_pace(tiny: Rig, waits: list[float]) -> None:
    tiny.server.faults.add(Fault("status", "clients", status=429, times=None))
    assert tiny.failing_read("clients").endswith(
        "after 4 attempts. The server limits how often it may be asked: set ANALYTICS_REQUESTS_PER_HOUR or "
        "ANALYTICS_REQUESTS_PER_SECOND to what it allows."
    )


@pytest.mark.parametrize(
    "header",
    [
        "Fri, 31 Dec 99999 23:59:59 GMT",
        "Fri, 31 Dec 0000 23:59:59 GMT",
        "Sat, 01 Jan 0001 00:00:00 +2359",
        "Fri, 31 Dec 2027 23:59:59 +999999999999",
        "Fri, 31 Dec 2027 23:59:59 -99999999999999999999999999999",
        "Fri, 31 Dec 99999999999999999999 99:99:99 GMT",
        "Fri, 99 Foo 2027",
        "1 2 3 4 5",
        "0x10",
        "-",
    ],
)
def test_an_absurd_retry_after_is_not_followed_and_not_fatal(tiny: Rig, waits: list[float], header: str) -> None:
    """Its year or offset ended the run with a traceback."""
    tiny.server.faults.add(Fault("status", "clients", status=503, retry_after=header))
    tiny.assert_reads_the_api("clients")
    assert waits in ([2], [])


@given(st.one_of(st.text(alphabet="0123456789:+-.,eE GMTJanFriDec", max_size=60), st.text(CHARACTERS, max_size=60)))
def test_no_retry_after_is_fatal(header: str) -> None:
    response = requests.Response()
    response.headers["Retry-After"] = header
    seconds = retry_after_seconds(response)
    assert seconds is None or seconds == seconds


@given(
    st.integers(0, 10**6),
    st.integers(0, 10**40),
    st.sampled_from("+-"),
    st.integers(0, 10**30),
    st.sampled_from(["GMT", "X", ""]),
)
def test_no_date_in_retry_after_is_fatal(day: int, year: int, sign: str, offset: int, zone: str) -> None:
    for text in (f"Fri, {day % 40} Dec {year} 23:59:59 {sign}{offset}", f"Fri, {day} Dec {year} 23:59:59 {zone}"):
        response = requests.Response()
        response.headers["Retry-After"] = text
        retry_after_seconds(response)


def test_a_date_with_an_unknown_zone_is_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    response = requests.Response()
    response.headers["Retry-After"] = http_date(timedelta(hours=1)).replace("GMT", "-0000")
    assert 3590 < (retry_after_seconds(response) or 0) <= 3600


@pytest.mark.parametrize("off", [timedelta(hours=5), timedelta(hours=-5)])
def test_a_date_is_counted_from_the_clock_of_the_server(off: timedelta) -> None:
    """A clock five hours ahead was taken for a server that asks to wait for five hours, and one behind for no wait."""
    response = requests.Response()
    response.headers["Date"] = http_date(off)
    response.headers["Retry-After"] = http_date(off + timedelta(seconds=30))
    assert 29 <= (retry_after_seconds(response) or 0) <= 31


@pytest.mark.parametrize("date", ["", "soon", "Fri, 31 Dec 99999 23:59:59 GMT"])
def test_where_the_server_tells_no_time_a_date_is_counted_from_the_clock_here(date: str) -> None:
    response = requests.Response()
    response.headers["Date"] = date
    response.headers["Retry-After"] = http_date(timedelta(seconds=30))
    assert 25 <= (retry_after_seconds(response) or 0) <= 30


def test_a_plan_of_five_requests_an_hour_is_read_through_its_refusals(tiny: Rig, waits: list[float]) -> None:
    """Each thread asked four times and gave up, though the server had said when to come back."""
    tiny.server.behaviour.rate_limit_per_hour = 5
    tiny.server.behaviour.retry_after = "3600"
    tiny.assert_reads_the_api("time_entries")
    tiny.assert_reads_the_api("clients")
    tiny.assert_reads_the_api("tasks")
    assert 3600 in waits


def test_the_backoff_is_bounded_too(tiny: Rig, waits: list[float]) -> None:
    tiny.limits = HttpLimits(requests_per_second=10_000, backoff_factor=50)
    tiny.server.faults.add(Fault("status", "clients", status=500, times=3))
    tiny.assert_reads_the_api("clients")
    assert waits == [50, 60, 60]
