"""A disk without room: the sync is red with one sentence that names the place, and nothing else has changed."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from analytics_assets_tests.safety.conftest import Site
from analytics_assets_tests.safety.points import Point, Stop
from analytics_assets_tests.safety.processes import Processes

A_PAGE_BYTES = 4096


def sentence(site: Site, reason: str) -> str:
    return (
        f"WarehouseError: The disk of {site.path.parent} is full ({reason}): free some space, or choose another place "
        "with ANALYTICS_DUCKDB_PATH."
    )


@pytest.mark.parametrize(
    ("point", "passing", "room"),
    [
        ("extracted", 1, A_PAGE_BYTES),
        ("loading", 3, A_PAGE_BYTES),
        ("publishing", 4, 0),
        ("before commit", 1, 0),
    ],
)
def test_a_sync_on_a_full_disk_says_so_and_leaves_the_tables_as_they_were(
    site: Site, processes: Processes, point: Point, passing: int, room: int
) -> None:
    """Writes beyond so many bytes of a file fail from that point on; it needs no rights, and no disk is filled."""
    before = site.contents()
    failed = processes.start(site.order(), stop=Stop(point, passing, fill_disk_at=room)).end()
    assert failed.failure == sentence(site, "File too large")
    assert site.contents() == before
    site.assert_next_sync_heals()


def test_a_disk_that_is_full_once_the_transaction_is_committed_takes_nothing_back(site: Site, processes: Processes) -> None:
    """DuckDB moves what was committed from its log into the file when it closes it, or when the next one opens it."""
    assert processes.start(site.order(), stop=Stop("after commit", fill_disk_at=0)).end().result
    site.assert_equals_api()
    site.assert_next_sync_heals()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 16 MB; the kernel lets only root make one, and what needs no rights is tested above for everybody."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.geteuid() != 0:
        pytest.skip("only root may mount a disk")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(disk)], check=True)
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_a_disk_with_any_amount_of_room_left_leaves_the_old_tables_or_the_new_ones(
    site: Site, processes: Processes, small_disk: Path
) -> None:
    site.path = Path(shutil.move(site.path, small_disk / site.path.name))
    ballast = small_disk / "ballast"
    outcomes = set()
    for room_kilobytes in (0, 4, 16, 40, 80, 120, 200, 300, 400, 600, 900, 1400, 2000, 3000, 6000, 12_000):
        site.change_something()
        before = site.contents()
        ballast.write_bytes(bytes(max(0, shutil.disk_usage(small_disk).free - room_kilobytes * 1024)))
        ended = processes.start(site.order()).end()
        assert ended.answer is not None
        outcomes.add(ended.answer[0])
        if ended.answer[0] == "failed":
            assert ended.failure == sentence(site, "No space left on device")
            assert site.contents() == before
        else:
            site.assert_equals_api()
        ballast.unlink()
    assert outcomes == {"failed", "ended"}
    site.assert_next_sync_heals()
