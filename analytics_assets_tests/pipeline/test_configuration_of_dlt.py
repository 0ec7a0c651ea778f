"""What is configured for other pipelines of dlt changes nothing in a sync, and the other way round."""

from pathlib import Path

import dlt
import pytest
from dlt.common.configuration.container import Container
from dlt.common.configuration.specs.pluggable_run_context import PluggableRunContext

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
    usual = places.providers
    for first_ends_first in (True, False):
        first, second = dlt_configured(1), dlt_configured(2)
        first.__enter__()
        second.__enter__()
        assert dlt.config["extract.workers"] == 2
        for ending in (first, second) if first_ends_first else (second, first):
            ending.__exit__(None, None, None)
        assert places.providers is usual
