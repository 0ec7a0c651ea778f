"""Loads the settings that a command needs, or ends it with one sentence.

Nothing here imports Dagster or dlt, so that wrong settings are reported at once.
"""

from collections.abc import Mapping

from analytics_assets.cli.errors import CommandError
from analytics_assets.setting_errors import SettingsError
from analytics_assets.settings import Settings, load_settings


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
