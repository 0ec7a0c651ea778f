"""The ceilings with a clock that the test moves: who may ask when, what a ledger remembers, what is said meanwhile."""

import logging
import queue
import sqlite3
import threading
from pathlib import Path

import pytest

from analytics_assets.source.ceiling import Ceiling
from analytics_assets.source.errors import SourceError
from analytics_assets.source.ledger import Ledger, LedgerError
from analytics_assets_tests.source.hands import PATIENCE_SECONDS, FlyingHand, Hand

HOUR = 3600.0


def ceiling_of(hand: Hand | FlyingHand, ledger: Path, per_hour: int = 3) -> Ceiling:
    return Ceiling(10_000, per_hour, ledger, ending=hand, clock=hand.clock, requests_left=lambda: 8)


def test_a_reading_leaves_no_thread_behind() -> None:
    """Each had one of the limiter's with an event loop, which lived on for ten seconds: a daemon asks the API at each tick."""
    before = {*threading.enumerate()}
    Ceiling(10_000).enter()
    assert {*threading.enumerate()} - before == set()


def test_a_later_process_waits_for_the_hour_of_an_earlier_one(tmp_path: Path) -> None:
    hand = FlyingHand()
    began = hand.now
    for _ in range(3):
        ceiling_of(hand, tmp_path / "ledger").enter()
    assert hand.waits == []
    ceiling_of(hand, tmp_path / "ledger").enter()
    assert HOUR <= hand.now - began < HOUR + 1


def test_no_hour_sees_more_requests_than_are_allowed(tmp_path: Path) -> None:
    hand, moments = FlyingHand(), []
    for number in range(10):
        hand.now += 60 * number
        ceiling_of(hand, tmp_path / "ledger").enter()
        moments.append(hand.now)
    assert all(later - earlier >= HOUR for earlier, later in zip(moments, moments[3:], strict=False))


def test_who_waits_for_the_hour_is_told_when_the_next_request_may_go_and_how_long_the_run_will_wait(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    hand = FlyingHand()
    for _ in range(4):
        ceiling_of(hand, tmp_path / "ledger").enter()
    assert (
        "3 requests were made in the last hour, of 3 allowed (ANALYTICS_REQUESTS_PER_HOUR); the next may go at 09:00:00 UTC "
        "(in 60 min); the lists known so far need about 8 requests more, for which the run will wait about 3 h" in caplog.text
    )


@pytest.mark.parametrize(
    "content", [b"not a database at all, but long enough to be taken for one" * 40, b"SQLite format 3\0" + b"\xff" * 8000]
)
def test_a_damaged_ledger_is_started_anew_and_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture, content: bytes) -> None:
    """It made every sync red until somebody found and removed the file."""
    ledger, hand = tmp_path / "ledger", FlyingHand()
    ledger.write_bytes(content)
    ceiling_of(hand, ledger).enter()
    assert "can't be read" in caplog.text and str(ledger) in caplog.text
    assert Ledger(ledger, 3, clock=lambda: hand.now).look().requests == 1


def test_a_ledger_with_another_table_is_started_anew(tmp_path: Path) -> None:
    ledger, hand = tmp_path / "ledger", FlyingHand()
    with sqlite3.connect(ledger) as con:
        con.execute("CREATE TABLE rate_bucket (moment TEXT)")
    con.close()
    ceiling_of(hand, ledger).enter()
    assert Ledger(ledger, 3, clock=lambda: hand.now).look().requests == 1


def test_a_ledger_that_can_not_be_used_is_one_sentence(tmp_path: Path) -> None:
    """A sync ended in a traceback of SQLite's, or of the lock's where root had synced once; only `doctor` had a sentence."""
    for name in ("ledger", "other.lock"):
        (tmp_path / name).mkdir()
    (tmp_path / "file").touch()
    for place in (tmp_path / "ledger", tmp_path / "other", tmp_path / "file" / "ledger"):
        with pytest.raises(LedgerError) as refused:
            ceiling_of(FlyingHand(), place).enter()
        assert str(refused.value).startswith(f"{place}, which counts the requests of the last hour, can't be used (")
        assert str(refused.value).endswith("; look at its owner and its disk: whoever syncs must be able to write it.")


def test_requests_of_the_future_are_not_of_the_last_hour(tmp_path: Path) -> None:
    """A clock that was ahead for a day, once, blocked the ceiling for that day."""
    hand = FlyingHand()
    hand.now += 86_400
    for _ in range(3):
        ceiling_of(hand, tmp_path / "ledger").enter()
    hand.now -= 86_400
    for _ in range(3):
        ceiling_of(hand, tmp_path / "ledger").enter()
    assert hand.waits == []
    assert Ledger(tmp_path / "ledger", 3, clock=lambda: hand.now).look().requests == 3


def test_after_a_429_one_thread_asks_and_the_others_wait_for_its_answer() -> None:
    """All eight asked again at once, and each refusal was one more against the plan."""
    hand, asked, outcomes = Hand(), queue.Queue[str](), queue.Queue[str]()
    ceiling = Ceiling(10_000, ending=hand, clock=hand.clock)

    def ask() -> None:
        while True:
            ceiling.enter()
            asked.put("asked")
            is_answered = outcomes.get(timeout=PATIENCE_SECONDS) == "answered"
            if not is_answered:
                ceiling.close_for(600)
            ceiling.leave(is_answered=is_answered)
            if is_answered:
                return

    ceiling.close_for(HOUR)
    threads = [threading.Thread(target=ask, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    hand.wait_for_paused(4)
    hand.move(HOUR)
    asked.get(timeout=PATIENCE_SECONDS)
    hand.wait_for_paused(3)
    hand.move(100)
    hand.wait_for_paused(3)
    assert asked.empty(), "another thread asked before the first had its answer"
    outcomes.put("refused")
    hand.move(1)
    hand.wait_for_paused(4)
    hand.move(700)
    asked.get(timeout=PATIENCE_SECONDS)
    hand.wait_for_paused(3)
    assert asked.empty()
    for _ in threads:
        outcomes.put("answered")
    while alive := [thread for thread in threads if thread.is_alive()]:
        hand.move(1)
        alive[0].join(0.01)
    assert asked.qsize() == 3


def test_whoever_waits_learns_that_the_reading_is_over(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    hand, said = Hand(), queue.Queue[str]()
    ceiling = ceiling_of(hand, tmp_path / "ledger", per_hour=1)
    ceiling.enter()

    def ask() -> None:
        with pytest.raises(SourceError) as raised:
            ceiling.enter()
        said.put(str(raised.value))

    with caplog.at_level(logging.WARNING):
        thread = threading.Thread(target=ask, daemon=True)
        thread.start()
        hand.wait_for_paused(1)
        hand.end(SourceError("The first reason."))
        hand.end(SourceError("A later one."))
        hand.move(0)
        assert said.get(timeout=PATIENCE_SECONDS) == "The first reason."
    with pytest.raises(SourceError, match=r"The first reason\."):
        ceiling.enter()
