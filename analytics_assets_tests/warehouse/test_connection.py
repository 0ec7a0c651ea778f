"""What lies in the place of the warehouse and is none is refused in a sentence, without a look at the internet."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from analytics_assets.warehouse.connection import NO_DOWNLOADS, connection
from analytics_assets.warehouse.errors import WarehouseError


def write_sqlite(path: Path) -> None:
    with closing(sqlite3.connect(path)) as con:
        con.execute("CREATE TABLE t (x)")


@pytest.mark.parametrize(
    "write", [write_sqlite, lambda path: path.write_text("my thesis"), lambda path: path.write_bytes(b"x" * 5000)]
)
@pytest.mark.parametrize("read_only", [True, False])
def test_a_file_that_is_no_database_of_duckdb_is_named_with_the_way_out(
    write: Callable[[Path], object], read_only: bool, tmp_path: Path
) -> None:
    """DuckDB wanted to fetch an extension for a file of SQLite, and no sentence said what to do."""
    path = tmp_path / "analytics.duckdb"
    write(path)
    before = path.read_bytes()
    with pytest.raises(WarehouseError) as refused, connection(path, read_only=read_only):
        pass
    assert str(refused.value) == (
        f"{path} is not a DuckDB file and stays as it is; set ANALYTICS_DUCKDB_PATH to another file, or move this one away if it "
        "was the warehouse."
    )
    assert path.read_bytes() == before


@pytest.mark.parametrize("read_only", [True, False])
def test_a_folder_in_the_place_of_the_file_is_named_with_the_way_out(read_only: bool, tmp_path: Path) -> None:
    """It was `IO Error: Could not read from file ...: Is a directory`, which names no setting."""
    with pytest.raises(WarehouseError) as refused, connection(tmp_path, read_only=read_only):
        pass
    assert str(refused.value) == (
        f"{tmp_path} is a folder; set ANALYTICS_DUCKDB_PATH to a file, such as {tmp_path}/analytics.duckdb."
    )


def test_a_file_that_is_not_there_is_named_with_the_way_out(tmp_path: Path) -> None:
    """Report or check, started alone in the UI before the first sync, ended with an error of DuckDB's that says no way out."""
    path = tmp_path / "analytics.duckdb"
    with pytest.raises(WarehouseError) as refused, connection(path, read_only=True):
        pass
    assert str(refused.value) == (
        f"{path} does not exist; a sync of everything makes it, or set ANALYTICS_DUCKDB_PATH to where the warehouse is."
    )
    assert not path.exists()


def test_no_connection_fetches_extensions(tmp_path: Path) -> None:
    with connection(tmp_path / "analytics.duckdb") as con:
        for name in NO_DOWNLOADS:
            assert con.execute("SELECT current_setting(?)", [name]).fetchone() == (False,)
        assert con.execute("SELECT current_setting('TimeZone'), '[1]'::JSON->>0").fetchone() == ("UTC", "1")
