"""What the tests of the pipeline share."""

from dataclasses import replace

import pytest

from analytics_assets.source.ceiling import Ceiling
from analytics_assets.warehouse.places import ledger_file
from analytics_assets_tests.rig import Rig


@pytest.fixture
def metered(tiny: Rig, monkeypatch: pytest.MonkeyPatch) -> Rig:
    """An API of which only so many requests an hour may be asked, and none is left; lists are read one after the other."""
    monkeypatch.setattr(Ceiling, "left_in_hour", lambda _: 0)
    tiny.limits = replace(tiny.limits, requests_per_hour=10_000, ledger=ledger_file(tiny.path), concurrency=1)
    return tiny
