"""The one message about variables that are missing or wrong.

Which they are is found in `settings.py`; here each is named with what it should be and where to get it.
"""

from collections.abc import Sequence
from typing import Final

from pydantic import ValidationError

PREFIX: Final = "ANALYTICS_"
_WHERE_TO_GET: Final[dict[str, str]] = {
    "ANALYTICS_API_KEY": "make one in the API's user settings",
    "ANALYTICS_API_URL": "the API's root, the part before /v1, for example https://api.example.com",
    "ANALYTICS_WORKSPACE_ID": "the id in the address of the workspace's settings page",
    "ANALYTICS_START_DATE": "a date like 2024-01-01, not in the future",
    "ANALYTICS_NOTIFY_URLS": "Apprise URLs like mailto://user:password@example.com, https://github.com/caronc/apprise lists them",
    "ANALYTICS_EXTRA_PARAMS": 'JSON like {"users": {"account-statuses": "LIMITED"}}',
}


NOT_SET: Final = "is not set"
DEMO: Final = "To look around first, `analytics-assets run` loads a demo."
_WHAT_A_DEMO_SPARES: Final = {(f"{PREFIX}{name}", NOT_SET) for name in ("API_KEY", "API_URL", "WORKSPACE_ID")}


class SettingsError(Exception):
    """One or more variables are missing or wrong; the message names each, what it should be and where to get it.

    Attributes:
        named: each of them with what is wrong about it.
        problems: a part of the message for each of them.
        wants_demo: whether nothing that names a workspace is set, so that the person may not have one yet.
    """

    def __init__(self, problems: Sequence[tuple[str, str]]) -> None:
        self.named = tuple(problems)
        self.problems = tuple(
            f"{name} {problem}" + (f" ({_WHERE_TO_GET[name]})" if name in _WHERE_TO_GET else "") for name, problem in problems
        )
        self.wants_demo = set(self.named) >= _WHAT_A_DEMO_SPARES
        said = [f"{'; '.join(self.problems)}.", "Set it in the environment or in .env, see .env.example."]
        super().__init__(" ".join([*said, DEMO] if self.wants_demo else said))


def variable(field: str) -> str:
    """The variable that sets a field."""
    return f"{PREFIX}{field.upper()}"


def problems_of(error: ValidationError) -> list[tuple[str, str]]:
    """Each wrong variable with what is wrong about it."""
    return [
        (variable(str(item["loc"][0])), item["msg"].removeprefix("Value error, ").removeprefix("Input "))
        for item in error.errors(include_input=False)
    ]
