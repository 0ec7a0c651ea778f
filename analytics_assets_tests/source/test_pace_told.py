"""Under the hourly ceiling a person is told when the next request may go, and a run how long it will take."""

import time
from datetime import date
from functools import partial
from pathlib import Path

import pytest
from pydantic import SecretStr

from analytics_assets.cli.examination.api import pace
from analytics_assets.settings import Settings
from analytics_assets.source.ledger import Ledger
from analytics_assets.source.meter import Meter
from analytics_assets.warehouse.places import ledger_file
from analytics_assets_tests.rig import Rig


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with a plan of two requests an hour."""
    return Settings(
        api_key=SecretStr("key"),
        api_url="http://127.0.0.1:1",
        workspace_id="w",
        duckdb_path=tmp_path / "analytics.duckdb",
        start_date=date(2025, 1, 1),
        requests_per_hour=2,
    )


def test_doctor_says_how_much_of_the_hour_is_left(settings: Settings) -> None:
    def told() -> tuple[str, str]:
        (finding,) = pace(settings)
        return finding.verdict, finding.words

    allowed = "requests that an hour allows (ANALYTICS_REQUESTS_PER_HOUR) were made in the last one"
    assert told() == ("ok", f"0 of 2 {allowed}; the next may go at once")
    assert not ledger_file(settings.duckdb_path).exists(), "a look makes no file"
    began = time.time() - 1000
    for moment in (began, began + 10):
        Ledger(ledger_file(settings.duckdb_path), 2, clock=partial(float, moment)).take()
    verdict, words = told()
    assert verdict == "note"
    assert words.startswith(f"2 of 2 {allowed}; the next may go at ") and words.endswith("UTC (in 43 min)")


def test_doctor_is_silent_about_a_ceiling_that_is_not_set(settings: Settings) -> None:
    assert list(pace(settings.model_copy(update={"requests_per_hour": None}))) == []


def test_the_requests_that_are_left_follow_from_the_lists_that_are_known(tiny: Rig) -> None:
    tiny.sync()
    done, known = tiny.progress.lists()
    assert done == known > 7
    assert tiny.meter.requests_left == 0
    meter = Meter()
    assert meter.requests_left is None
    meter.lists = lambda: (2, 12)
    for _ in range(6):
        meter.answered("clients", size=1, seconds=0.0)
    assert meter.requests_left == 30
