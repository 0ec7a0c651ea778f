"""The folder of the project's Dagster instance, where runs are kept for the command line and the UI alike.

Only the folder and its first configuration belong here; what runs on the instance is decided elsewhere.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Final

import yaml  # type: ignore[import-untyped]

from analytics_assets.cli.errors import CommandError
from analytics_assets.setting_values import place_of
from analytics_assets.settings import Settings
from analytics_assets.warehouse.errors import hindrance

HOME_VARIABLE: Final = "DAGSTER_HOME"
CONFIG_FILE: Final = "dagster.yaml"
"""Shipped in the package and copied into the folder once; the owner may change the copy."""


def dagster_home(settings: Settings) -> Path:
    """The folder of the instance, whether it is there or not: `DAGSTER_HOME`, or `dagster` beside the warehouse.

    Raises:
        CommandError: `DAGSTER_HOME` is no path of this machine.
    """
    asked = os.environ.get(HOME_VARIABLE, "").strip()
    if not asked:
        return settings.named_file.parent / "dagster"
    try:
        return place_of(Path(asked)).absolute()
    except ValueError as error:
        raise CommandError(f"{HOME_VARIABLE} {error}.") from None


def home_setting() -> str:
    """The variable that chooses the folder."""
    return HOME_VARIABLE if os.environ.get(HOME_VARIABLE, "").strip() else "ANALYTICS_DUCKDB_PATH"


def ensure_dagster_home(settings: Settings) -> Path:
    """The folder of the instance, which is created with its configuration if it is missing.

    It is `DAGSTER_HOME` from then on, for this process and those that it starts: the configuration refers to it.

    Raises:
        CommandError: the folder can't be created, its configuration can't be read, or `DAGSTER_HOME` is no path of this machine.
    """
    home = dagster_home(settings)
    try:
        home.mkdir(parents=True, exist_ok=True)
        if not (home / CONFIG_FILE).exists():
            (home / CONFIG_FILE).write_text((files("analytics_assets") / CONFIG_FILE).read_text())
    except OSError as error:
        # as a folder it would not be in the way; so it is a file, or a link whose disk is not there
        is_there = isinstance(error, FileExistsError)
        reason = f"{error.filename} is a file or a link to nothing" if is_there else error.strerror or error
        raise CommandError(f"{home} can't be written ({reason}); choose another place with {home_setting()}.") from error
    if (trouble := wrong_configuration(home)) is not None:
        raise CommandError(f"{trouble}.")
    os.environ[HOME_VARIABLE] = str(home)
    return home


def wrong_configuration(home: Path) -> str | None:
    """Why Dagster could not read its configuration, and what to do; None where it can, or where there is none yet."""
    try:
        told = yaml.safe_load((home / CONFIG_FILE).read_text(encoding="utf-8"))
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        mark = getattr(error, "problem_mark", None)
        return _no_configuration(home, "it is no text in YAML" + (f", see line {mark.line + 1}" if mark is not None else ""))
    except OSError as error:
        return None if isinstance(error, FileNotFoundError | NotADirectoryError) else _no_configuration(home, hindrance(error))
    return None if told is None or isinstance(told, dict) else _no_configuration(home, "it has no names and values")


def _no_configuration(home: Path, reason: str) -> str:
    return f"{home / CONFIG_FILE} is no configuration of Dagster ({reason}); correct it, or move it away, and it is made anew"


@contextmanager
def kept_runs(home: Path) -> Iterator[None]:
    """Say in one sentence that Dagster could not keep a run, as where another user has made the folder or its disk is full.

    Args:
        home: the folder of the instance.

    Raises:
        CommandError: a file of the instance can't be read or written, or its configuration has names that Dagster does not know.
    """
    try:
        yield
    except Exception as error:
        # Dagster is not imported here, because `doctor` must not; this has an error for each wrong name
        if type(error).__name__ == "DagsterInvalidConfigError" and "instance config" in str(error):
            first = str(getattr(error, "errors", [error])[0].message).split(". ")[0]
            raise CommandError(f"{_no_configuration(home, first)}.") from error
        cause = getattr(error, "orig", error)  # SQLAlchemy's errors have that of the database in them
        place = Path(str(cause.filename)) if isinstance(cause, OSError) and cause.filename else None
        if isinstance(error, sqlite3.Error) or not (
            isinstance(cause, sqlite3.Error) or (place is not None and place.is_relative_to(home))
        ):
            raise
        reason = cause.strerror if isinstance(cause, OSError) else cause
        raise CommandError(
            f"{place or home} can't be written ({reason}); look at its owner and its disk, or choose another place for "
            f"Dagster's runs with {HOME_VARIABLE}."
        ) from error
