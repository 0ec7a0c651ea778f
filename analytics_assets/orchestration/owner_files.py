"""CSV files that the owner of the workspace writes: how they are read, and how a wrong line is named.

What a line means is said in `member_capacities.py` and `rounding_rules.py`.
"""

import csv
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from analytics_assets.setting_errors import SettingsError, variable

Line = TypeVar("Line")


def read_owner_file(
    setting: str,
    path: Path | None,
    *,
    columns: Sequence[str],
    optional: str | None = None,
    line_of: Callable[[str, dict[str, str]], Line],
    key_of: Callable[[Line], object],
) -> list[Line]:
    """The lines of a CSV file; none where no file is set.

    Args:
        setting: the name of the setting that names the file.
        path: the file.
        columns: the columns, in any order.
        optional: the one of them that may be missing.
        line_of: makes a line from its place, like "line 2", and its values; raises ValueError, beginning with the place.
        key_of: what no two lines may have in common.

    Raises:
        SettingsError: the file can't be read, or names the first line that is wrong, and what it should be.
    """
    if path is None:
        return []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return list(_lines(csv.DictReader(file, skipinitialspace=True), columns, optional, line_of, key_of))
    except OSError as error:
        problem = f"names {path}, which can't be read ({error.strerror or error})"
    except (ValueError, csv.Error) as error:
        problem = f"names {path}, where {error}"
    raise SettingsError([(variable(setting), problem)])


def _lines(
    reader: "csv.DictReader[str]",
    columns: Sequence[str],
    optional: str | None,
    line_of: Callable[[str, dict[str, str]], Line],
    key_of: Callable[[Line], object],
) -> Iterator[Line]:
    names = [name.strip() for name in reader.fieldnames or []]
    if not set(columns) - {optional} <= set(names) <= set(columns):
        may_be_missing = f", of which {optional} may be missing" if optional else ""
        raise ValueError(f"the first line must name the columns {', '.join(columns)}{may_be_missing}")
    reader.fieldnames = names
    seen: set[object] = set()
    for record in reader:
        where = f"line {reader.line_num}"
        if any(value is None for name, value in record.items() if name in names) or None in record:
            raise ValueError(f"{where} has not as many values as there are columns")
        line = line_of(where, {name: value.strip() for name, value in record.items()})
        if key_of(line) in seen:
            raise ValueError(f"{where} says a second time what another line says already: {', '.join(record.values())}")
        seen.add(key_of(line))
        yield line
