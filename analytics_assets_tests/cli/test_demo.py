"""The demo stays on this machine, whatever the settings say of a team's warehouse."""

from pathlib import Path

import pytest

from analytics_assets.cli.demo_process import demo_api, say_demo
from analytics_assets.settings import load_settings, settings_of

DELIVERING = {"ANALYTICS_DESTINATION": "postgres", "ANALYTICS_DESTINATION_URL": "postgresql://me@db.example.com/team"}


def test_invented_rows_are_not_delivered_and_it_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with demo_api() as demo:
        assert settings_of({**DELIVERING, **demo.variables}).delivers_to is None
    say_demo(settings_of(DELIVERING))
    assert capsys.readouterr().err.endswith("ANALYTICS_DESTINATION is ignored.\n")


def test_what_the_file_of_settings_says_holds_for_the_demo_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the environment was asked, so a first day of history in `.env` was overridden."""
    (tmp_path / ".env").write_text("ANALYTICS_START_DATE=2026-01-01\nANALYTICS_PAGE_SIZE=100\n")
    monkeypatch.chdir(tmp_path)
    with demo_api() as demo:
        settings = load_settings(demo.variables)
    assert (settings.start_date.isoformat(), settings.page_size) == ("2026-01-01", 100)
    assert settings.requests_per_second == 10_000
