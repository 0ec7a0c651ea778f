"""The result of one check of `analytics-assets doctor`, in words."""

from collections.abc import Iterator
from typing import Literal, NamedTuple

from analytics_assets.setting_errors import DEMO, SettingsError

Verdict = Literal["ok", "wrong", "note"]


class Finding(NamedTuple):
    """The result of one check."""

    subject: str
    verdict: Verdict
    words: str
    was_checked: bool = True
    """False where the check has to wait."""


def wrong_settings(error: SettingsError) -> Iterator[Finding]:
    """A finding for each setting that is missing or wrong."""
    for problem in error.problems:
        yield Finding("settings", "wrong", f"{problem}; set it in the environment or in .env, see .env.example")
    if error.wants_demo:
        yield Finding("settings", "note", DEMO)
