"""The benchmark runs and measures what it says; how long anything takes is not asserted here."""

import re

import pytest

from benchmarks import growth
from benchmarks.__main__ import FIRST, compare, phases, serving
from benchmarks.measure import Cost
from benchmarks.report import Machine, Measured, markdown, picture, table


@pytest.mark.timeout(300)
def test_the_floor_and_stock_dlt_load_every_entry_and_stand_in_the_report() -> None:
    names = {name: FIRST[name] for name in ("floor", "stock_dlt")}
    with serving(entries=120, members=3) as api:
        found = compare(api, 120, 1, names)
    assert [each.kind for each in found] == ["floor", "stock_dlt"]
    assert all(each.peak_bytes > 2**20 and each.processor_seconds > 0 and each.requests >= 11 for each in found)
    shown = table(found)
    assert [name for name in names.values() if name not in shown] == []
    assert re.search(r"dlt as documented .* 1\.0 x ", shown), "it is what the others are compared with"
    page = markdown(found, Machine.here(), 120, 3, 1)
    assert page.startswith("# Benchmarks") and "120 time entries of 3 members" in page and "duckdb 1." in page
    assert picture(found, 120).count("<rect") == 2


def test_the_phases_of_a_sync_are_read_from_what_it_says() -> None:
    said = (
        "   2.0 s  users: reading\n   9.0 s  users: 3 rows, 1 request in 0.1 s\n"
        "  10.0 s  the raw tables are in the warehouse; 31 dbt models are built and tested\n"
    )
    cost = Cost(30.0, 1.0, 1)
    assert phases(said, cost) == {"start": 2.0, "reading and loading": 8.0, "models, checks and report": 20.0}
    assert phases("nothing", cost) == {}


def test_the_growth_of_a_sync_is_written_where_its_document_has_room_for_it() -> None:
    def size(entries: int) -> growth.Size:
        runs = {kind: Measured(kind, title, entries / 1000, 1.0, 2**30, 7, {}) for kind, title in growth.KINDS.items()}
        return growth.Size(entries, 3, runs)

    sizes = [size(entries) for entries in (10_000, 40_000)]
    shown = growth.table(sizes, Machine.here())
    assert "| 40,000 | 3 | 40 s | 40 s | 40 s | 1,024 MB | 7, 7 |" in shown
    assert growth.PLACE.search(growth.DOCUMENT.read_text()), "what is measured has a place in the document"
    drawn = growth.picture(sizes)
    assert drawn.count("<polyline") == len(growth.KINDS) and drawn.count("<circle") == 2 * len(growth.KINDS)
