"""What lies in the place of the warehouse and is none is refused in a sentence, without a look at the internet."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from analytics_assets.settings import settings_of
from analytics_assets.warehouse.connection import NO_DOWNLOADS, connection
from analytics_assets.warehouse.errors import WarehouseError
from analytics_assets.warehouse.writer_lock import writing


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


def test_an_empty_file_and_a_damaged_one_are_named_with_the_way_out(tmp_path: Path) -> None:
    """The words of DuckDB's did not say what to do."""
    empty, short, zeroed = (tmp_path / f"{name}.duckdb" for name in ("empty", "short", "zeroed"))
    empty.touch()
    for path in (short, zeroed):
        with connection(path) as con:
            con.execute("CREATE TABLE t AS SELECT range::VARCHAR AS text FROM range(200000)")
    with short.open("r+b") as opened:
        opened.truncate(short.stat().st_size // 2)
    with zeroed.open("r+b") as opened:
        opened.seek(3 * 4096)
        opened.write(bytes(zeroed.stat().st_size - 3 * 4096))
    way_out = "and the next sync reads all history anew."
    for path in (empty, short, zeroed):
        before = path.read_bytes()
        with (
            pytest.raises(WarehouseError, match=f"^{path} .*put a backup in its place.*{way_out}$"),
            connection(path, read_only=True),
        ):
            pass
        assert path.read_bytes() == before


def test_damage_that_shows_when_rows_are_read_is_named_with_the_way_out(tmp_path: Path) -> None:
    """The file can be opened; `verify`, `report` and `export` ended in a traceback."""
    path = tmp_path / "w.duckdb"
    with connection(path) as con:
        con.execute("CREATE TABLE t AS SELECT md5(range::VARCHAR) AS text FROM range(200000)")
    with path.open("r+b") as opened:
        opened.seek(3 * 4096 + 4 * 2**18)
        opened.write(bytes(2**18))
    words = f"^{path} is damaged: IO Error: .*; put a backup in its place"
    with pytest.raises(WarehouseError, match=words), connection(path, read_only=True) as con:
        con.execute("SELECT max(text) FROM t").fetchall()


@pytest.mark.parametrize("target", ["unplugged/w.duckdb", "w.duckdb"])
def test_a_link_that_leads_to_no_folder_or_to_itself_is_named_with_the_way_out(target: str, tmp_path: Path) -> None:
    """The sentence was of DuckDB, did not say where the link leads, and a link to itself was a traceback of `Path.resolve`."""
    link = tmp_path / "w.duckdb"
    link.symlink_to(tmp_path / target)
    assert settings_of({"ANALYTICS_DUCKDB_PATH": str(link)}).duckdb_path == link
    leads = f"{link} is a link to {tmp_path / target}, where no file can be"
    sentence = f"{leads}; let it lead to one, as by mounting a disk, or remove it."
    for opening in (connection(link), connection(link, read_only=True), writing(link, "a sync")):
        with pytest.raises(WarehouseError) as refused, opening:
            pass
        assert str(refused.value) == sentence
    assert list(tmp_path.iterdir()) == [link], "a folder would lie where the disk belongs"


def test_a_link_to_a_file_that_is_not_there_yet_is_where_it_is_made(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    link = tmp_path / "w.duckdb"
    link.symlink_to(tmp_path / "disk" / "w.duckdb")
    with writing(link, "a sync"), connection(link) as con:
        con.execute("CREATE TABLE t (x INTEGER)")
    assert (tmp_path / "disk" / "w.duckdb").exists()
    assert link.is_symlink()


def test_no_connection_fetches_extensions(tmp_path: Path) -> None:
    with connection(tmp_path / "analytics.duckdb") as con:
        for name in NO_DOWNLOADS:
            assert con.execute("SELECT current_setting(?)", [name]).fetchone() == (False,)
        assert con.execute("SELECT current_setting('TimeZone'), '[1]'::JSON->>0").fetchone() == ("UTC", "1")
