import re
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from dagster import AssetKey, DagsterInstance, DagsterRunStatus

from analytics_assets.demo.serving import DemoServer
from analytics_assets.pipeline.months import Month, Span, current_month
from analytics_assets_tests.cli.command import KEY, Ended, run_cli, variables_for

ESCAPE = "\x1b"
RESOURCES = ("users", "projects", "clients", "tags", "user_groups", "time_entries", "tasks")


def figures(out: str) -> dict[str, list[int]]:
    """The table of the summary: resource to read, new, changed, deleted, rows, requests, retries."""
    lines = [line.split() for line in out.splitlines()]
    return {words[0]: [int(word.replace(",", "")) for word in words[1:8]] for words in lines if words and words[0] in RESOURCES}


def test_a_green_sync_ends_0_and_says_what_was_loaded_and_where(synced: Ended, warehouse: Path) -> None:
    assert synced.code == 0, synced.said
    assert list(figures(synced.out)) == list(RESOURCES)
    assert f"Warehouse: {warehouse} (" in synced.out
    assert f"\nFor BI tools: {warehouse.with_stem('analytics_reader')}\n" in synced.out
    assert re.search(r"^Models: (\d+) of \1 built \(", synced.out, re.MULTILINE)
    assert re.search(r"^Checks: \d+ passed, 0 failed(, \d+ warned)?$", synced.out, re.MULTILINE)
    assert re.search(r"^Seconds: \d+\.\d$", synced.out, re.MULTILINE)
    assert "Look at it:  analytics-assets dev" in synced.out


def test_the_summary_counts_what_the_warehouse_holds(synced: Ended, warehouse: Path) -> None:
    with duckdb.connect(str(warehouse), read_only=True) as con:
        held = {name: con.execute(f"SELECT count(*) FROM raw.{name}").fetchall()[0][0] for name in RESOURCES}
    shown = figures(synced.out)
    assert {name: row[4] for name, row in shown.items()} == held
    assert all(row[:4] == [held[name], held[name], 0, 0] for name, row in shown.items())


def test_the_line_that_queries_the_warehouse_works_as_printed(synced: Ended) -> None:
    line = next(line for line in synced.out.splitlines() if line.startswith("Query it:"))
    answer = subprocess.run(line.removeprefix("Query it:"), shell=True, capture_output=True, text=True, check=True)
    assert "time_entry_id" in answer.stdout


def test_plain_output_follows_each_resource_and_holds_no_escape_codes(synced: Ended) -> None:
    assert ESCAPE not in synced.said
    for name in RESOURCES:
        assert re.search(rf"^ +\d+\.\d s  {name}: [\d,]+ rows, .*request", synced.err, re.MULTILINE), synced.err
    assert re.search(r"the raw tables are in the warehouse; \d+ dbt models are built and tested", synced.err)


def test_dagster_and_dlt_and_dbt_keep_their_own_logs_to_themselves(synced: Ended) -> None:
    assert all(re.match(r" +\d+\.\d s  |Warning: ", line) for line in synced.err.splitlines()), synced.err


def test_the_ui_finds_the_run_under_its_job_with_its_months(
    synced: Ended, dagster_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(dagster_home))
    with DagsterInstance.from_config(str(dagster_home)) as instance:
        run = min(instance.get_run_records(), key=lambda record: record.create_timestamp).dagster_run
        months = instance.get_materialized_partitions(AssetKey(["raw", "time_entries"]))
    assert (run.job_name, run.status) == ("sync", DagsterRunStatus.SUCCESS)
    assert min(months) == "2024-01-01"
    assert len(months) == len(Span(Month(2024, 1), current_month()).months)
    # by the tag it stands among the runs of its job; without the origin the timeline, the first page, was empty after it
    assert run.tags[".dagster/repository"] == "__repository__@analytics_assets.definitions"
    assert run.remote_job_origin is not None
    assert run.remote_job_origin.job_name == "sync"
    assert run.remote_job_origin.repository_origin.get_label() == "__repository__@analytics_assets.definitions"


def test_a_routine_sync_reads_the_lookback_and_only_what_was_selected(
    synced: Ended, server: DemoServer, warehouse: Path, dagster_home: Path
) -> None:
    ended = run_cli("sync", "--select", "raw/tags, raw/time_entries", variables=variables_for(server, warehouse, dagster_home))
    assert ended.code == 0, ended.said
    shown = figures(ended.out)
    assert set(shown) == {"tags", "time_entries"}
    assert shown["tags"][1:4] == shown["time_entries"][1:4] == [0, 0, 0]
    assert 0 < shown["time_entries"][0] < shown["time_entries"][4], "two of three months"
    assert re.search(r"^Time entries: \d{4}-\d{2} to \d{4}-\d{2}$", ended.out, re.MULTILINE)


def test_refused_lists_are_said_while_they_happen_and_counted_in_the_end(
    synced: Ended, server: DemoServer, warehouse: Path, dagster_home: Path
) -> None:
    member = server.workspace.records("users")[0]["id"]
    server.behaviour.refused_parents = {member: (400, 501)}
    ended = run_cli("sync", "--select", "raw/time_entries", variables=variables_for(server, warehouse, dagster_home))
    assert ended.code == 0, ended.said
    assert f"time_entries of users {member} can't be read (400 (Not allowed: {member}, code 501)): skipped" in ended.err
    assert "Lists refused by the API: 1; their rows in the warehouse stay as they were." in ended.out


def test_the_key_is_in_nothing_that_was_said(synced: Ended) -> None:
    assert KEY not in synced.said


def test_help_comes_without_importing_dagster_or_dlt() -> None:
    code = (
        "import sys; from analytics_assets.cli import build_parser; build_parser().format_help(); "
        "print(sorted({'dagster', 'dlt', 'dbt', 'pydantic', 'uvicorn'} & set(sys.modules)))"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=_root())
    assert answer.stdout == "[]\n"


def _root() -> Path:
    import analytics_assets

    return Path(analytics_assets.__file__).parents[1]
