"""The demo stays on this machine, whatever the settings say of a team's warehouse."""

import pytest

from analytics_assets.cli.demo_process import demo_api, say_demo
from analytics_assets.settings import settings_of

DELIVERING = {"ANALYTICS_DESTINATION": "postgres", "ANALYTICS_DESTINATION_URL": "postgresql://me@db.example.com/team"}


def test_invented_rows_are_not_delivered_and_it_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with demo_api() as demo:
        assert settings_of({**DELIVERING, **demo.variables}).delivers_to is None
    say_demo(settings_of(DELIVERING))
    assert capsys.readouterr().err.endswith("ANALYTICS_DESTINATION is ignored.\n")
