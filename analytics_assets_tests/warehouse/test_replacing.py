"""A file is replaced whole or not at all, and nothing is left beside it for ever."""

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from analytics_assets.warehouse.replacing import replacing

WRITE_AND_DIE = """
import os, signal, sys
from pathlib import Path
from analytics_assets.warehouse.replacing import replacing
with replacing(Path(sys.argv[1])) as place:
    place.write_text("half of")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "file.txt"
    file.write_text("old")
    return file


def test_who_has_the_old_file_open_reads_it_to_its_end(path: Path) -> None:
    with path.open() as reader, replacing(path) as place:
        place.write_text("new")
    with path.open() as reader:
        with replacing(path) as place:
            place.write_text("newer")
        assert reader.read() == "new"
    assert path.read_text() == "newer"
    assert list(path.parent.iterdir()) == [path]


def test_a_writing_that_fails_leaves_the_old_file_and_nothing_else(path: Path) -> None:
    def interrupted() -> None:
        with replacing(path) as place:
            place.write_text("half of")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_text() == "old"
    assert list(path.parent.iterdir()) == [path]


def test_an_error_names_the_folder_or_the_file_and_not_the_place_that_is_gone(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a folder of another user's a sync said that `.w_reader.duckdb.12582.new` can't be written; no such file was there."""

    def refused(place: Path, target: Path) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted", str(place), None, str(target))

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", refused)
        with pytest.raises(PermissionError) as of_file, replacing(path) as place:
            place.write_text("new")
    assert of_file.value.filename == str(path)
    with pytest.raises(PermissionError) as of_folder, replacing(path) as place:
        raise PermissionError(errno.EACCES, "Permission denied", str(place))
    assert of_folder.value.filename == str(path.parent)

    def of_a_disk_that_is_read_only(place: Path, *, missing_ok: bool) -> None:
        raise OSError(errno.EROFS, "Read-only file system", str(place))

    monkeypatch.setattr(Path, "unlink", of_a_disk_that_is_read_only)
    with pytest.raises(OSError, match="Read-only file system") as of_disk, replacing(path) as place:
        place.write_text("new")
    assert of_disk.value.filename == str(path.parent)
    assert path.read_text() == "old"


def test_a_folder_that_may_be_written_and_not_listed_is_written(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a killed process has left can't be found there, and the copy for BI tools failed for it."""

    def hidden(_: Path) -> Iterator[Path]:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", hidden)
    with replacing(path) as place:
        place.write_text("new")
    assert path.read_text() == "new"


def test_a_killed_writing_leaves_the_old_file_and_the_next_one_removes_what_lay_beside_it(path: Path) -> None:
    died = subprocess.run([sys.executable, "-c", WRITE_AND_DIE, str(path)], check=False)
    assert died.returncode == -signal.SIGKILL
    assert path.read_text() == "old"
    assert len(list(path.parent.iterdir())) == 2
    with replacing(path) as place:
        place.write_text("new")
    assert path.read_text() == "new"
    assert list(path.parent.iterdir()) == [path]


def test_what_a_running_process_writes_is_not_removed(path: Path) -> None:
    others = path.with_name(f".{path.name}.{os.getppid()}.new")
    others.write_text("half of")
    with replacing(path) as place:
        place.write_text("new")
    assert others.read_text() == "half of"


def test_a_link_stays_and_what_it_points_at_is_replaced(path: Path, tmp_path: Path) -> None:
    link = tmp_path / "elsewhere" / "link.txt"
    link.parent.mkdir()
    link.symlink_to(path)
    with replacing(link) as place:
        place.write_text("new")
    assert link.is_symlink()
    assert path.read_text() == "new"


def test_what_duckdb_left_beside_a_new_version_goes_with_it(tmp_path: Path) -> None:
    place = tmp_path / "all.duckdb"
    of_a_killed_one = tmp_path / ".all.duckdb.999999999.new"
    of_this_number = tmp_path / f".all.duckdb.{os.getpid()}.new"
    for beside in (of_a_killed_one, of_this_number):
        beside.with_name(f"{beside.name}.wal").write_text("log")
        beside.with_name(f"{beside.name}.tmp").mkdir()
    with replacing(place) as new:
        assert list(tmp_path.iterdir()) == []
        new.write_text("new")
    assert [each.name for each in tmp_path.iterdir()] == ["all.duckdb"]
