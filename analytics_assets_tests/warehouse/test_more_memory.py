"""What does not fit into the usual bound of memory, and can't go to disk, is tried again with more."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import duckdb
import pytest

from analytics_assets.warehouse import more_memory
from analytics_assets.warehouse.building import Model, build_all
from analytics_assets.warehouse.connection import SETTINGS, connection
from analytics_assets.warehouse.more_memory import with_more_memory
from analytics_assets_tests.rig import Rig

LARGE = "SELECT len(list(repeat('x', 1000) || range)) AS n FROM range(100_000)"
"""A list of 100 MB, which is no value that can go to disk in parts."""


@pytest.fixture
def bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A warehouse is opened with a bound of 40 MB."""
    monkeypatch.setitem(SETTINGS, "memory_limit", "40MB")


@pytest.fixture
def con(tmp_path: Path, bounded: None) -> Iterator[duckdb.DuckDBPyConnection]:
    with connection(tmp_path / "analytics.duckdb") as opened:
        yield opened


def test_a_model_that_needs_more_memory_gets_it(con: duckdb.DuckDBPyConnection) -> None:
    """Of 10,000,000 entries the timesheet and the billing of days ended in an error, and the sync was red for ever."""
    with pytest.raises(duckdb.OutOfMemoryException):
        con.execute(LARGE)
    model = Model(("marts", "large"), "table", LARGE, {}, "A large one.", {})
    assert [ended.status for _, ended in build_all(con, {"large": model}, {"large": set()}, lambda *_: None)] == ["success"]
    assert con.execute("FROM marts.large").fetchall() == [(100_000,)]


def test_the_bound_is_doubled_up_to_what_the_machine_has(con: duckdb.DuckDBPyConnection) -> None:
    bounds: list[int] = []

    def bound() -> int:
        ((value,),) = con.execute("SELECT parse_formatted_bytes(current_setting('memory_limit'))").fetchall()
        return int(value)

    def attempt() -> None:
        bounds.append(bound())
        raise duckdb.OutOfMemoryException("Out of Memory Error: could not allocate a block")

    with pytest.raises(duckdb.OutOfMemoryException):
        with_more_memory(con, attempt)
    con.execute("RESET memory_limit")
    assert bounds[0] == pytest.approx(40e6, rel=0.01)
    assert bounds[-1] == bound()
    # DuckDB names a bound of gigabytes with one decimal
    assert all(1.8 < after / before < 2.1 for before, after in pairwise(bounds[:-1]))
    assert 1 < bounds[-1] / bounds[-2] < 2.1


def test_a_model_that_the_machine_has_no_memory_for_says_what_helps(
    con: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was told to reduce DuckDB's threads, which no setting does."""
    monkeypatch.setattr(more_memory, "_double_bound", lambda con: False)
    model = Model(("marts", "large"), "table", LARGE, {}, "A large one.", {})
    ((_, ended),) = build_all(con, {"large": model}, {"large": set()}, lambda *_: None)
    assert ended.message is not None
    assert ended.message.startswith("Out of Memory Error: ")
    assert ended.message.endswith(
        "used). It got all that this machine has; a machine or container with more memory can build it."
    )


@pytest.mark.usefixtures("bounded")
def test_texts_that_need_more_memory_are_published_and_compared(tiny: Rig) -> None:
    """They ended in a sentence that asked for fewer months at a time."""
    entry = tiny.workspace.records("time_entries")[0]
    tiny.workspace.edit("time_entries", entry["id"], description="x" * 30_000_000)
    tiny.sync()
    assert not tiny.verify().unequal
    assert tiny.query(f"SELECT length(description) FROM raw.time_entries WHERE id = '{entry['id']}'") == [(30_000_000,)]
