"""CSV files that the owner of the workspace writes: how they are read, and how a wrong line is named.

What a line means is said in `member_capacities.py` and `rounding_rules.py`. In each file a column `workspace_id` may say for
which of several workspaces a line holds; without one it holds for all.
"""

import csv
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Final, Protocol, TypeVar

from analytics_assets.setting_errors import SettingsError, variable
from analytics_assets.settings import Settings

WORKSPACE: Final = "workspace_id"


class OwnerLine(Protocol):
    """A line of such a file."""

    @property
    def workspace_id(self) -> str | None:
        """The workspace that it holds for; None for all."""


Line = TypeVar("Line", bound=OwnerLine)


def read_owner_file(
    setting: str,
    path: Path | None,
    *,
    workspaces: Collection[str],
    columns: Sequence[str],
    optional: Collection[str] = (),
    line_of: Callable[[str, dict[str, str]], Line],
    key_of: Callable[[Line], object],
) -> list[Line]:
    """The lines of a CSV file; none where no file is set.

    Args:
        setting: the name of the setting that names the file.
        path: the file.
        workspaces: those that lines may be for.
        columns: the columns, in any order.
        optional: those of them that may be missing.
        line_of: makes a line from its place, like "line 2", and its values; raises ValueError, beginning with the place.
        key_of: what no two lines for one workspace may have in common.

    Raises:
        SettingsError: the file can't be read, or names the first line that is wrong, and what it should be.
    """
    if path is None:
        return []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            records = _records(csv.DictReader(file, skipinitialspace=True), columns, {*optional, WORKSPACE}, workspaces)
            return list(_lines(records, line_of, key_of))
    except OSError as error:
        problem = f"names {path}, which can't be read ({error.strerror or error})"
    except (ValueError, csv.Error) as error:
        problem = f"names {path}, where {error}"
    raise SettingsError([(variable(setting), problem)])


def workspaces_of(settings: Settings) -> Collection[str]:
    """The workspaces that are loaded beside each other, for the settings of all of them or of one."""
    if (one := settings.one_of_several) is not None:
        return one.warehouses.keys()
    return [each.workspace_id for each in settings.of_each_workspace() if each.workspace_id is not None]


def lines_of_workspace(lines: Sequence[Line], workspace_id: str | None, key_of: Callable[[Line], object]) -> list[Line]:
    """The lines that hold for a workspace; one that names it counts before one for all of them."""
    own = {key_of(line) for line in lines if line.workspace_id == workspace_id}
    return [line for line in lines if line.workspace_id == (workspace_id if key_of(line) in own else None)]


def _records(
    reader: "csv.DictReader[str]", columns: Sequence[str], optional: Collection[str], workspaces: Collection[str]
) -> Iterator[tuple[str, dict[str, str]]]:
    """Each line as its place and its values."""
    names = [name.strip() for name in reader.fieldnames or []]
    if not set(columns) - set(optional) <= set(names) <= {*columns, WORKSPACE}:
        may_be_missing = [name for name in (*columns, WORKSPACE) if name in optional]
        raise ValueError(
            f"the first line must name the columns {', '.join((*columns, WORKSPACE))}, of which {' and '.join(may_be_missing)} "
            "may be missing"
        )
    reader.fieldnames = names
    for record in reader:
        where = f"line {reader.line_num}"
        if any(value is None for name, value in record.items() if name in names) or None in record:
            raise ValueError(f"{where} has not as many values as there are columns")
        values = {name: value.strip() for name, value in record.items()}
        if values.get(WORKSPACE) and values[WORKSPACE] not in workspaces:
            raise ValueError(f"{where} is for workspace {values[WORKSPACE]!r}, which {variable(WORKSPACE)} does not name")
        yield where, values


def _lines(
    records: Iterator[tuple[str, dict[str, str]]],
    line_of: Callable[[str, dict[str, str]], Line],
    key_of: Callable[[Line], object],
) -> Iterator[Line]:
    seen: set[tuple[str | None, object]] = set()
    for where, record in records:
        line = line_of(where, record)
        if (line.workspace_id, key_of(line)) in seen:
            raise ValueError(f"{where} says a second time what another line says already: {', '.join(record.values())}")
        seen.add((line.workspace_id, key_of(line)))
        yield line
