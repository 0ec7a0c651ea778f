"""Looks at the files and folders of a sync: those that the owner has written, and the places that are written to.

What a sync would write is only looked at here.
"""

import os
import shutil
from collections.abc import Callable, Collection, Iterator, Sized
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from analytics_assets.cli.examination.finding import Finding, wrong_settings
from analytics_assets.cli.instance import dagster_home, home_setting, wrong_configuration
from analytics_assets.setting_errors import SettingsError
from analytics_assets.settings import OneOfSeveral, Settings
from analytics_assets.warehouse.contents import warehouse_contents
from analytics_assets.warehouse.errors import WarehouseError
from analytics_assets.warehouse.identity import another_workspace
from analytics_assets.warehouse.places import lost_link
from analytics_assets.warehouse.reader_copy import CHOSEN_WITH, refuse_what_is_no_copy
from analytics_assets.warehouse.together import examine_common_file
from analytics_assets.warehouse.writer_lock import why_it_can_not_be_held

SPACE_WANTED_BYTES: Final = 2**30


def examine_files(settings: Settings) -> Iterator[Finding]:
    """The files that all workspaces share: those that the owner has written, and those that a sync writes."""
    yield from _owner_files(settings)
    if settings.one_of_several is not None:
        yield _common_file(settings.one_of_several)
    yield _reader_copy(settings)
    yield _dagster_home(settings)


def _owner_files(settings: Settings) -> Iterator[Finding]:
    """Whether each line of the files means something; a sync would end at the first one that does not."""
    from analytics_assets.orchestration.member_capacities import read_member_capacities
    from analytics_assets.orchestration.owner_files import workspaces_of
    from analytics_assets.orchestration.rounding_rules import read_rounding_rules

    workspaces = workspaces_of(settings)
    files: dict[str, tuple[Callable[[Path, Collection[str]], Sized], Path | None]] = {
        "capacities": (read_member_capacities, settings.member_capacities),
        "rounding": (read_rounding_rules, settings.rounding_rules),
    }
    for subject, (read, path) in files.items():
        if path is None:
            continue
        try:
            lines = len(read(path, workspaces))
        except SettingsError as error:
            yield from wrong_settings(error)
        else:
            yield Finding(subject, "ok", f"{path} has {lines} line{'' if lines == 1 else 's'} that can be used")


def _obstacle(folder: Path) -> str | None:
    """Why a folder can't be written or made; None where it can."""
    there = _nearest(folder)
    if not there.is_dir():
        return f"{there} is a {'file' if there.exists() else 'link to nothing'}"
    return None if os.access(there, os.W_OK | os.X_OK) else "no permission"


def _nearest(folder: Path) -> Path:
    """The folder, or what it would be made in."""
    return next(place for place in (folder, *folder.parents) if os.path.lexists(place))


def _in_words(folder: Path) -> str:
    return f"{folder} " + ("can be written" if folder.exists() else "does not exist yet and can be made")


def examine_warehouse(settings: Settings) -> Iterator[Finding]:
    """The warehouse of one workspace, and what holds it."""
    path, folder = settings.duckdb_path, settings.data_dir
    if reason := _obstacle(folder):
        yield Finding("folder", "wrong", f"{folder} can't be written ({reason}); choose another place with ANALYTICS_DUCKDB_PATH")
        return
    yield Finding("folder", "ok", _in_words(folder))
    yield _disk_space(_nearest(folder))
    if (lost := lost_link(path)) is not None:
        yield Finding("warehouse", "wrong", lost)
        return
    if (trouble := why_it_can_not_be_held(path)) is not None:
        yield Finding("warehouse", "wrong", trouble)
        return
    if not path.exists():
        yield Finding("warehouse", "ok", f"{path} does not exist yet; the first sync creates it")
        return
    if not os.access(path, os.W_OK):
        yield Finding("warehouse", "wrong", f"{path} can't be written; ask its owner for permission")
        return
    try:
        yield from _contents(settings)
    except WarehouseError as error:
        yield Finding("warehouse", "wrong", str(error))


def _disk_space(folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    words = f"{free / 2**30:.1f} GiB free"
    if free >= SPACE_WANTED_BYTES:
        return Finding("disk space", "ok", words)
    way_out = "make room there, or choose another disk with ANALYTICS_DUCKDB_PATH"
    return Finding("disk space", "wrong", f"{words} in {folder}, 1 GiB is needed; {way_out}")


def _contents(settings: Settings) -> Iterator[Finding]:
    path = settings.duckdb_path
    contents = warehouse_contents(path)
    if contents is None:
        yield Finding("warehouse", "ok", f"{path} can be opened; nothing was loaded yet")
        return
    rows = ", ".join(f"{count:,} {name}" for name, count in contents.rows.items())
    when = f"{contents.published_at:%Y-%m-%d %H:%M} UTC"
    yield Finding("warehouse", "ok", f"{path} can be opened; workspace {contents.workspace_id}, loaded last {when}: {rows}")
    if settings.workspace_id is not None and settings.workspace_id != contents.workspace_id:
        held = (contents.workspace_id, contents.api_host)
        yield Finding("workspace", "wrong", another_workspace(path, held, settings.workspace_id))


def _common_file(one: OneOfSeveral) -> Finding:
    """The file with the tables of all workspaces."""
    try:
        there = examine_common_file(one.together, one.warehouses)
    except WarehouseError as error:
        return Finding("all together", "wrong", str(error))
    of_which = f"has the tables of {', '.join(there)}" if there else "has no tables yet; each sync of everything adds them"
    return Finding("all together", "ok", f"{one.together} {of_which}")


def _reader_copy(settings: Settings) -> Finding:
    """Where BI tools find the copy, and of when it is."""
    subject, path = "for BI tools", settings.reader_copy
    if path is None:
        return Finding(subject, "note", f"no copy is made; {CHOSEN_WITH} switches it off")
    if reason := _obstacle(path.parent):
        return Finding(subject, "wrong", f"{path.parent} can't be written ({reason}); choose another place with {CHOSEN_WITH}")
    try:
        refuse_what_is_no_copy(path)
    except WarehouseError as error:
        return Finding(subject, "wrong", str(error))
    except OSError as error:
        return Finding(subject, "wrong", f"{path} can't be read ({error.strerror or error}); set {CHOSEN_WITH} to another file")
    if not path.exists():
        return Finding(subject, "ok", f"{path} does not exist yet; the next sync of everything makes it")
    made_at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    return Finding(subject, "ok", f"{path} is a copy of {made_at:%Y-%m-%d %H:%M} UTC")


def _dagster_home(settings: Settings) -> Finding:
    """Whether runs can be kept."""
    home = dagster_home(settings)
    if reason := _obstacle(home):
        return Finding("Dagster home", "wrong", f"{home} can't be written ({reason}); choose another place with {home_setting()}")
    if (trouble := wrong_configuration(home)) is not None:
        return Finding("Dagster home", "wrong", trouble)
    return Finding(
        "Dagster home", "ok", f"{home} " + ("can be written" if home.exists() else "does not exist yet and can be made")
    )
