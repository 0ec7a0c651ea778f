"""The settings that a command needs, or the one sentence with which it ends.

Nothing that imports Dagster or dlt belongs here: what is wrong with the settings is said at once.
"""

from analytics_assets.cli.errors import CommandError
from analytics_assets.settings import Settings, SettingsError, load_settings


def loaded_settings() -> Settings:
    """The settings of this process, with or without a key.

    Raises:
        CommandError: names every variable that is wrong.
    """
    try:
        return load_settings()
    except SettingsError as error:
        raise CommandError(str(error)) from None


def checked_settings() -> Settings:
    """The settings of this process, with all that reaches the API.

    Raises:
        CommandError: names every variable that is missing or wrong.
    """
    settings = loaded_settings()
    try:
        settings.check_api()
    except SettingsError as error:
        raise CommandError(str(error)) from None
    return settings
