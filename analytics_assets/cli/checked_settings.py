"""The settings that a command needs, or the one sentence with which it ends.

Nothing that imports Dagster or dlt belongs here: what is wrong with the settings is said at once.
"""

from collections.abc import Mapping

from analytics_assets.cli.errors import CommandError
from analytics_assets.settings import Settings, SettingsError, load_settings


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


def checked_settings(variables: Mapping[str, str] | None = None) -> Settings:
    """The settings of this process, with all that reaches the API.

    Args:
        variables: variables that go before those of the process.

    Raises:
        CommandError: names every variable that is missing or wrong.
    """
    settings = loaded_settings(variables)
    try:
        settings.access()
    except SettingsError as error:
        raise CommandError(str(error)) from None
    return settings
