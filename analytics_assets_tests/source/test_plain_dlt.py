"""The source under dlt alone, as its docstring shows it: no Dagster, no settings, no landing."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dlt
import pytest

from analytics_assets.demo.behaviour import RequestSeen
from analytics_assets.source import ReadingOptions, analytics_source
from analytics_assets.source.columns import RESOURCE_NAMES, TABLES
from analytics_assets.source.http import HttpLimits
from analytics_assets.source.page_size import PageSize
from analytics_assets.warehouse.tables import DUCKDB_TYPES
from analytics_assets_tests.rig import Rig

OUR_OWN = ("_read_at", "_dlt_load_id", "_dlt_id")


@pytest.fixture
def pipeline(tiny: Rig, tmp_path: Path) -> Iterator[dlt.Pipeline]:
    """A pipeline of dlt's into the rig's file, and the API in dlt's own configuration."""
    values = {"api_url": tiny.api_url, "workspace_id": tiny.workspace_id, "runtime.dlthub_telemetry": False}
    for name, value in values.items():
        dlt.config[name] = value
    dlt.secrets["api_key"] = tiny.api_key
    destination = dlt.destinations.duckdb(str(tiny.path))
    yield dlt.pipeline("plain", pipelines_dir=str(tmp_path / "dlt"), destination=destination, dataset_name="raw")
    dlt.secrets["api_key"] = dlt.config["api_url"] = dlt.config["workspace_id"] = ""


def contents(rig: Rig) -> dict[str, list[Any]]:
    return {
        resource: sorted(
            str({column: value for column, value in row.items() if column not in OUR_OWN}) for row in rig.rows(resource).values()
        )
        for resource in RESOURCE_NAMES
    }


def test_the_source_runs_under_dlt_alone_and_a_second_run_changes_nothing(tiny: Rig, pipeline: dlt.Pipeline) -> None:
    """Key, address and workspace come from dlt; every column is there with its type, JSON as JSON."""
    pipeline.run(analytics_source()).raise_on_failed_jobs()
    tiny.assert_equals_api()
    for resource in RESOURCE_NAMES:
        types = {column: kind for column, kind, *_ in tiny.query(f"DESCRIBE raw.{resource}")}
        assert {column.name: DUCKDB_TYPES[column.data_type] for column in TABLES[resource].columns}.items() <= types.items()
    before = contents(tiny)
    pipeline.run(analytics_source()).raise_on_failed_jobs()
    assert contents(tiny) == before
    tables = {name for (name,) in tiny.query("SELECT table_name FROM duckdb_tables() WHERE schema_name = 'raw'")}
    assert {name for name in tables if not name.startswith("_dlt")} == set(RESOURCE_NAMES), "dlt unpacked arrays into tables"


def test_of_a_list_that_is_read_twice_plain_dlt_keeps_each_row_once_and_as_it_was_last(tiny: Rig, pipeline: dlt.Pipeline) -> None:
    """Both readings reach dlt, which would keep whichever it comes upon."""
    oldest = tiny.workspace.clients[-1]["id"]

    def before_answer(request: RequestSeen) -> None:
        if request.resource == "clients" and request.page == 1:
            tiny.workspace.edit("clients", oldest, note=f"reading {len(tiny.asked('clients', page=1))}")

    tiny.server.behaviour.before_answer = before_answer
    options = ReadingOptions(page_size=PageSize(2), limits=HttpLimits(requests_per_second=1000))
    pipeline.run(analytics_source(options=options).with_resources("clients")).raise_on_failed_jobs()
    assert [row["note"] for row in tiny.rows("clients").values() if row["id"] == oldest] == ["reading 2"]


def test_what_ends_a_reading_ends_dlts_run_with_the_same_sentence(tiny: Rig, pipeline: dlt.Pipeline) -> None:
    dlt.secrets["api_key"] = "wrong"
    with pytest.raises(Exception, match="the key of ANALYTICS_API_KEY is wrong or has been withdrawn"):
        pipeline.run(analytics_source())


def test_a_source_whose_reading_was_broken_off_reads_everything_the_next_time(tiny: Rig, pipeline: dlt.Pipeline) -> None:
    """The first page comes again as it was, but its rows have been loaded nowhere."""
    options = ReadingOptions(page_size=PageSize(2), limits=HttpLimits(requests_per_second=1000))
    clients = analytics_source(options=options).clients
    assert next(iter(clients))
    pipeline.run(clients).raise_on_failed_jobs()
    tiny.assert_equals_api(resources=["clients"])
