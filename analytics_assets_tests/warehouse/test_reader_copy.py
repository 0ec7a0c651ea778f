"""The copy for BI tools is the warehouse as it is, whole at any moment, whoever has which file open."""

import errno
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from analytics_assets.warehouse.errors import WarehouseError
from analytics_assets.warehouse.reader_copy import copy_for_readers

COPY_AND_DIE = """
import os, signal, sys
from pathlib import Path
from analytics_assets.warehouse.reader_copy import copy_for_readers
os.fsync = lambda descriptor: os.kill(os.getpid(), signal.SIGKILL)
copy_for_readers(Path(sys.argv[1]), Path(sys.argv[2]))
"""
WRITE_AND_DIE = """
import duckdb, os, signal, sys
con = duckdb.connect(sys.argv[1])
con.execute("update raw.tags set name = 'newer'")
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    path = tmp_path / "own.duckdb"
    with duckdb.connect(str(path)) as con:
        con.execute("create schema raw; create schema staging; create table raw.tags as select 'one' as name")
        con.execute("comment on column raw.tags.name is 'What it is called.'")
        con.execute("create view staging.stg_tags as select upper(name) as name from raw.tags")
        con.execute("comment on view staging.stg_tags is 'One row per tag.'")
    return path


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return tmp_path / "bi" / "own_reader.duckdb"


def rename(warehouse: Path, name: str) -> None:
    with duckdb.connect(str(warehouse)) as con:
        con.execute("update raw.tags set name = ?", [name])


def asked(database: Path, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(database), read_only=True) as con:
        return con.execute(query).fetchall()


def test_the_copy_has_tables_views_and_comments_and_works_under_its_own_name(warehouse: Path, copy: Path) -> None:
    made = copy_for_readers(warehouse, copy)
    assert (made.path, made.size_bytes) == (copy, copy.stat().st_size)
    assert asked(copy, "from raw.tags, staging.stg_tags") == [("one", "ONE")]
    assert asked(copy, "select comment from duckdb_columns() where schema_name = 'raw'") == [("What it is called.",)]
    assert asked(copy, "select comment from duckdb_views() where schema_name = 'staging'") == [("One row per tag.",)]
    assert [path.name for path in copy.parent.iterdir()] == [copy.name]


def test_a_tool_that_has_the_old_copy_open_goes_on_with_it_and_the_next_one_sees_the_new_one(warehouse: Path, copy: Path) -> None:
    copy_for_readers(warehouse, copy)
    with duckdb.connect(str(copy), read_only=True) as tool:
        rename(warehouse, "two")
        copy_for_readers(warehouse, copy)
        assert tool.execute("from raw.tags").fetchall() == [("one",)]
    assert asked(copy, "from raw.tags") == [("two",)]


def test_what_a_killed_program_has_committed_is_in_the_copy(warehouse: Path, copy: Path) -> None:
    """It is in the log beside the file until the next one opens that; a copy of the file alone lacked it."""
    died = subprocess.run([sys.executable, "-c", WRITE_AND_DIE, str(warehouse)], check=False)
    assert died.returncode == -signal.SIGKILL
    assert warehouse.with_name("own.duckdb.wal").exists()
    copy_for_readers(warehouse, copy)
    assert asked(copy, "from raw.tags") == [("newer",)]


def test_what_a_killed_program_has_committed_is_in_the_copy_of_a_link_to_the_warehouse(warehouse: Path, copy: Path) -> None:
    """DuckDB keeps the log beside the file that the link leads to, where nobody looked for it."""
    link = warehouse.with_name("link.duckdb")
    link.symlink_to(warehouse)
    subprocess.run([sys.executable, "-c", WRITE_AND_DIE, str(link)], check=False)
    assert warehouse.with_name("own.duckdb.wal").exists()
    copy_for_readers(link, copy)
    assert asked(copy, "from raw.tags") == [("newer",)]


def test_a_killed_copying_leaves_the_old_copy_and_the_next_one_removes_what_lay_beside_it(warehouse: Path, copy: Path) -> None:
    copy_for_readers(warehouse, copy)
    rename(warehouse, "two")
    died = subprocess.run([sys.executable, "-c", COPY_AND_DIE, str(warehouse), str(copy)], check=False)
    assert died.returncode == -signal.SIGKILL
    assert len(list(copy.parent.iterdir())) == 2
    assert asked(copy, "from raw.tags") == [("one",)]
    copy_for_readers(warehouse, copy)
    assert [path.name for path in copy.parent.iterdir()] == [copy.name]
    assert asked(copy, "from raw.tags") == [("two",)]


def test_a_full_disk_is_one_sentence_and_leaves_the_old_copy(
    warehouse: Path, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy_for_readers(warehouse, copy)
    before = copy.read_bytes()

    def fill(source: Path, target: Path) -> None:
        target.write_bytes(source.read_bytes()[:5000])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(target))

    monkeypatch.setattr(shutil, "copyfile", fill)
    with pytest.raises(WarehouseError) as refused:
        copy_for_readers(warehouse, copy)
    assert str(refused.value) == (
        f"The disk of {copy.parent} is full (No space left on device): free some space, or choose another place "
        "with ANALYTICS_READER_PATH."
    )
    assert copy.read_bytes() == before
    assert [path.name for path in copy.parent.iterdir()] == [copy.name]


def test_the_log_of_somebody_who_wrote_into_the_old_copy_is_not_left_to_the_new_one(warehouse: Path, copy: Path) -> None:
    copy_for_readers(warehouse, copy)
    subprocess.run([sys.executable, "-c", WRITE_AND_DIE, str(copy)], check=False)
    assert copy.with_name("own_reader.duckdb.wal").exists()
    copy_for_readers(warehouse, copy)
    assert [path.name for path in copy.parent.iterdir()] == [copy.name]
    assert asked(copy, "from raw.tags") == [("one",)]


def test_a_warehouse_that_is_not_there_is_said(tmp_path: Path, copy: Path) -> None:
    with pytest.raises(WarehouseError, match="does not exist, so there is nothing to copy; `analytics-assets sync` makes it"):
        copy_for_readers(tmp_path / "no.duckdb", copy)
    assert not copy.parent.exists()


def test_a_file_that_is_no_copy_is_not_overwritten(warehouse: Path, tmp_path: Path) -> None:
    """Whatever the setting named was gone: a text, another program's database."""
    text, other = tmp_path / "thesis.txt", tmp_path / "other.duckdb"
    text.write_text("my thesis")
    with duckdb.connect(str(other)) as con:
        con.execute("create table t as select 1 as x")
    for file in (text, other, tmp_path):
        with pytest.raises(WarehouseError, match="is no copy of a warehouse and stays as it is; set ANALYTICS_READER_PATH"):
            copy_for_readers(warehouse, file)
    assert text.read_text() == "my thesis"
    with duckdb.connect(str(other)) as con:
        assert con.execute("from t").fetchall() == [(1,)]
