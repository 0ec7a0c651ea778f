"""Loads the settings that a command needs, or ends it with one sentence.

Nothing here imports Dagster or dlt, so that wrong settings are reported at once.
"""

from collections.abc import Mapping

from analytics_assets.cli.errors import CommandError, say
from analytics_assets.setting_errors import SettingsError
from analytics_assets.settings import Settings, load_settings, variables_without_meaning


def loaded_settings(variables: Mapping[str, str] | None = None) -> Settings:
    """The settings of this process, with or without a key.

    Args:
        variables: variables that go before those of the process.

    Raises:
        CommandError: names every variable that is wrong.
    """
    try:
        return load_settings(variables)
    except SettingsError as error:
        raise CommandError(str(error)) from None


def what_is_not_used() -> str:
    """The variables that begin like those of settings and are none, in words; an empty text where there are none."""
    unknown = variables_without_meaning()
    return f"not used, because there are no such settings: {', '.join(unknown)}; see .env.example" if unknown else ""


def say_what_is_not_used() -> None:
    """Tell of it in a command that goes on; the settings were found right before."""
    if words := what_is_not_used():
        say(f"Variables {words}.")


def checked_settings(variables: Mapping[str, str] | None = None) -> Settings:
    """The settings of this process, with key, address and workspace present.

    Args:
        variables: variables that go before those of the process.

    Raises:
        CommandError: names every variable that is missing or wrong.
    """
    settings = loaded_settings(variables)
    try:
        for of_one in settings.of_each_workspace():
            of_one.access()
    except SettingsError as error:
        raise CommandError(str(error)) from None
    return settings
