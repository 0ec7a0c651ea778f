"""What is configured for other pipelines of dlt changes nothing in a sync, and the other way round."""

import sys
from collections.abc import Iterator
from pathlib import Path
from subprocess import run

import dlt
import pytest
from dlt.common.configuration.container import Container
from dlt.common.configuration.specs import RuntimeConfiguration
from dlt.common.configuration.specs.pluggable_run_context import PluggableRunContext
from dlt.common.configuration.utils import get_resolved_traces
from dlt.common.runtime import anon_tracker
from dlt.pipeline import trace

from analytics_assets.pipeline.look import why_a_sync_would_fail
from analytics_assets.source.configured import dlt_configured
from analytics_assets_tests.rig import Rig


def test_variables_and_files_of_another_pipeline_do_not_reach_a_sync(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A value in the `.dlt/config.toml` of the folder, for whatever pipeline, made each sync from there fail."""
    monkeypatch.setenv("SCHEMA__NAMING", "sql_cs_v1")
    monkeypatch.setenv("NORMALIZE__PARQUET_NORMALIZER__ADD_DLT_ID", "true")
    (tmp_path / ".dlt").mkdir()
    (tmp_path / ".dlt" / "config.toml").write_text(
        '[normalize.parquet_normalizer]\nadd_dlt_load_id = true\n[load]\nworkers = "many"\n'
    )
    monkeypatch.chdir(tmp_path)
    places = Container()[PluggableRunContext]
    places.reload_providers()
    dlt.config["of_another_pipeline"] = 7
    try:
        assert dlt.config["normalize.parquet_normalizer.add_dlt_load_id"] is True, "dlt reads the file"
        rig.sync()
        assert dlt.config["of_another_pipeline"] == 7
    finally:
        monkeypatch.undo()
        places.reload_providers()
    rig.assert_equals_api()
    assert rig.query("SELECT column_name FROM duckdb_columns() WHERE column_name LIKE '\\_dlt%' ESCAPE '\\'") == []


def test_two_syncs_that_overlap_in_one_process_leave_the_configuration_as_it_was() -> None:
    """Of two warehouses, in two threads; the second one ended by putting back what the first had configured."""
    places = Container()[PluggableRunContext].providers
    usual, told = places.providers, trace.TRACKING_MODULES
    assert told
    for first_ends_first in (True, False):
        first, second = dlt_configured(1), dlt_configured(2)
        first.__enter__()
        second.__enter__()
        assert dlt.config["extract.workers"] == 2
        for ending in (first, second) if first_ends_first else (second, first):
            ending.__exit__(None, None, None)
        assert (places.providers, trace.TRACKING_MODULES) == (usual, told)


def test_a_look_at_the_api_leaves_nothing_behind_in_dlt(tiny: Rig) -> None:
    """Schedules and sensors look in a process that lives for weeks; dlt kept a note of each value that it had looked up."""
    assert why_a_sync_would_fail(tiny.api, tiny.path) is None
    assert get_resolved_traces().all_traces == []


@pytest.fixture
def reports(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What dlt would send to its makers from now on, because another pipeline of this process has let it."""
    sent: list[str] = []
    anon_tracker.init_anon_tracker(RuntimeConfiguration(dlthub_telemetry_endpoint="http://127.0.0.1:9"))
    monkeypatch.setattr(anon_tracker, "requests", _Postbox(sent))
    yield sent
    anon_tracker.disable_anon_tracker()


class _Postbox:
    def __init__(self, sent: list[str]) -> None:
        self._sent = sent

    def post(self, endpoint: str, **of_request: object) -> None:
        self._sent.append(endpoint)


def test_a_sync_is_reported_to_nobody_whatever_another_pipeline_has_started(rig: Rig, reports: list[str]) -> None:
    """Four reports of each sync went to dlt's makers, though the sync had configured that none is sent."""
    rig.sync()
    anon_tracker.disable_anon_tracker()  # waits for those that are on their way
    assert reports == []


def test_a_sync_writes_nothing_into_dlts_home(rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """dlt wrote the number there that its reports are sent under, also where none was sent."""
    home = tmp_path / "home"
    context = Container()[PluggableRunContext].context
    monkeypatch.setattr(context, "_global_dir", str(home))
    assert context.global_dir == str(home)
    rig.sync()
    assert not home.exists()


def test_in_a_new_process_dlt_does_not_begin_to_report() -> None:
    """It decides that with the first question to its configuration, and what a sync said came after that."""
    program = (
        "from analytics_assets.source.configured import dlt_configured\n"
        "from dlt.common.runtime import anon_tracker, telemetry\n"
        "telemetry.init_anon_tracker = lambda config: exit('it begins to report')\n"
        "with dlt_configured(1):\n"
        "    print(telemetry.is_telemetry_started(), anon_tracker._ANON_TRACKER_ENDPOINT)"
    )
    ended = run([sys.executable, "-c", program], capture_output=True, text=True, timeout=150)
    assert (ended.stderr, ended.stdout.split()) == ("", ["True", "None"])
