"""Writes marts as files, Parquet or CSV: one file per mart, each replaced in one step, its rows in a fixed order.

Which marts there are and how their values are written belongs here; the arguments are read in `cli/commands/export.py`.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import duckdb

from analytics_assets.warehouse.connection import connection
from analytics_assets.warehouse.disk import full_disk_as_one_sentence
from analytics_assets.warehouse.errors import WarehouseError
from analytics_assets.warehouse.replacing import replacing
from analytics_assets.warehouse.tables import literal, quoted

MARTS: Final = "marts"
Format = Literal["parquet", "csv"]
FORMATS: Final[tuple[Format, ...]] = ("parquet", "csv")
_OPTIONS: Final[dict[Format, str]] = {"parquet": "FORMAT parquet, COMPRESSION zstd", "csv": "FORMAT csv, HEADER"}
_NO_TEXT: Final = re.compile(
    r"(BOOLEAN|U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|FLOAT|DOUBLE|DECIMAL\(\d+,\d+\)|DATE|TIME|TIMESTAMP)( WITH TIME ZONE|_\w+)?"
)
"""Types whose values stay as they are: no spreadsheet takes one of them for a formula that does something."""
FORMULA_BEGINS_WITH: Final = (
    "=+-@\t\r\n\N{FULLWIDTH EQUALS SIGN}\N{FULLWIDTH PLUS SIGN}\N{FULLWIDTH HYPHEN-MINUS}\N{FULLWIDTH COMMERCIAL AT}"
)
"""What makes a spreadsheet take a cell for a formula; the wide forms and the line break are those of OWASP's list."""
HARMLESS: Final = "'"
"""Before such a text, it is text to a spreadsheet."""


@dataclass(frozen=True)
class ExportedMart:
    """A mart that was written: its name, the file, and its rows."""

    name: str
    path: Path
    rows: int


@dataclass(frozen=True)
class OpenMarts:
    """The marts of a warehouse that is open for reading, so that all files are of one moment."""

    con: duckdb.DuckDBPyConnection
    names: Sequence[str]

    def export(self, names: Sequence[str], folder: Path, file_format: Format) -> Iterator[ExportedMart]:
        """Write marts as files, one after the other.

        Args:
            names: the marts.
            folder: where the files go, each called like its mart; it is made if it does not exist.
            file_format: of all files.

        Yields:
            Each mart when its file is whole.

        Raises:
            WarehouseError: the disk of the folder is full, or the folder can't be written.
            KeyboardInterrupt: the process was told to end; the file that was being written is gone.
        """
        for name in names:
            path = folder / f"{name}.{file_format}"
            with (
                _in_one_sentence(path),
                full_disk_as_one_sentence(folder, chosen_with="--to"),
                replacing(path) as place,
            ):
                copied = self.con.execute(
                    f"COPY ({self._query(name, file_format)}) TO {literal(str(place))} "
                    f"({_OPTIONS[file_format]}, USE_TMP_FILE false)"
                ).fetchone()
            yield ExportedMart(name, path, copied[0] if copied else 0)

    def _query(self, name: str, file_format: Format) -> str:
        """The rows of a mart, ordered by all columns, because no mart has a column that all others share."""
        table = f"{MARTS}.{quoted(name)}"
        if file_format == "parquet":
            return f"SELECT * FROM {table} ORDER BY ALL"
        columns = [(column, str(data_type)) for column, data_type, *_ in self.con.execute(f"DESCRIBE {table}").fetchall()]
        written = ", ".join(
            quoted(column) if _NO_TEXT.fullmatch(data_type) else _as_text(column) for column, data_type in columns
        )
        return f"SELECT {written} FROM (SELECT * FROM {table} ORDER BY ALL)"


@contextmanager
def open_marts(warehouse: Path) -> Iterator[OpenMarts]:
    """The marts of a warehouse; waits while another program writes it, and logs that. Other readers do not disturb.

    Args:
        warehouse: the file.

    Raises:
        WarehouseError: there is no such file or no mart in it, or the file can't be opened.
    """
    if not warehouse.exists():
        raise WarehouseError(f"{warehouse} does not exist, so there is nothing to export; `analytics-assets run` makes it.")
    with connection(warehouse, read_only=True) as con:
        found = con.execute(
            "SELECT table_name FROM duckdb_tables() WHERE database_name = current_database() AND schema_name = ? ORDER BY ALL",
            [MARTS],
        ).fetchall()
        if not found:
            raise WarehouseError(f"{warehouse} has no marts yet; `analytics-assets sync` builds them.")
        # for the order of the rows in the file; connections of this project do without, because it costs memory
        con.execute("SET preserve_insertion_order = true")
        yield OpenMarts(con, [name for (name,) in found])


def _as_text(column: str) -> str:
    """A column of text as SQL that puts an apostrophe before what a spreadsheet would take for a formula."""
    text = f"CAST({quoted(column)} AS VARCHAR)"
    first = f"contains({literal(FORMULA_BEGINS_WITH)}, {text}[1])"
    return f"CASE WHEN {text} <> '' AND {first} THEN {literal(HARMLESS)} || {text} ELSE {text} END AS {quoted(column)}"


@contextmanager
def _in_one_sentence(path: Path) -> Iterator[None]:
    """Turn the error of a file that can't be written into one sentence, and DuckDB's word for Ctrl-C into Python's.

    Raises:
        WarehouseError: its folder is a file, may not be written, or its disk has failed; or the file is a folder.
        KeyboardInterrupt: the query was interrupted.
    """
    try:
        yield
    except RuntimeError as error:
        if str(error) != "Query interrupted":
            raise
        raise KeyboardInterrupt from None
    except IsADirectoryError as error:
        raise WarehouseError(f"{path} can't be written (it is a folder); choose another place with --to.") from error
    except OSError as error:
        reason = "it is a file" if isinstance(error, FileExistsError | NotADirectoryError) else error.strerror
        raise WarehouseError(f"{path.parent} can't be written ({reason}); choose another place with --to.") from error
