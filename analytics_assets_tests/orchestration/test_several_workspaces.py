"""Several workspaces in Dagster: a repository of each, whose assets, jobs and runs are its own."""

import runpy
from pathlib import Path

import pytest
from dagster import (
    AssetCheckEvaluation,
    AssetCheckKey,
    AssetKey,
    DagsterInstance,
    DagsterRun,
    DagsterRunStatus,
    Failure,
    RepositoryDefinition,
)
from dagster._core.definitions.utils import DISALLOWED_NAMES
from dagster._core.storage.tags import REPOSITORY_LABEL_TAG

from analytics_assets.orchestration import assembly
from analytics_assets.orchestration.assembly import build_repositories
from analytics_assets.orchestration.failure_messages import trouble_of
from analytics_assets.orchestration.jobs import SYNC, WORKSPACE_TAG, sync_going_on
from analytics_assets.orchestration.keys import Keys
from analytics_assets.orchestration.latest_checks import refuse_while_checks_fail
from analytics_assets.setting_addresses import NO_NAMES
from analytics_assets.setting_errors import SettingsError
from analytics_assets.settings import Settings, settings_of

IDS = "north=5f5f, se-cond"
LAYERS = ("api", "raw", "staging", "marts", "report")
NAMES = ("north", "se_cond")


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("several")
    return settings_of({"ANALYTICS_WORKSPACE_ID": IDS, "ANALYTICS_DUCKDB_PATH": str(folder / "all.duckdb")})


@pytest.fixture(scope="module")
def repositories(settings: Settings) -> dict[str, RepositoryDefinition]:
    return dict(build_repositories(settings))


def test_each_workspace_has_the_same_assets_under_its_own_name(repositories: dict[str, RepositoryDefinition]) -> None:
    assert tuple(repositories) == NAMES
    paths = []
    for name, repository in repositories.items():
        graph = repository.asset_graph
        assert {key.path[0] for key in graph.get_all_asset_keys()} == {name}
        assert {key.asset_key.path[0] for key in graph.asset_check_keys} == {name}
        paths.append({tuple(key.path[1:]) for key in graph.get_all_asset_keys()})
        assert {node.group_name for node in graph.asset_nodes} == {f"{layer}_{name}" for layer in LAYERS}
        entries = graph.get(AssetKey([name, "raw", "time_entries"]))
        assert entries.parent_keys == {AssetKey([name, "raw", "users"])}
        assert graph.get(AssetKey([name, "raw", "tasks"])).parent_keys == {AssetKey([name, "raw", "projects"])}
        lineage = graph.get(AssetKey([name, "marts", "dim_tags"])).metadata["dagster/column_lineage"].value
        of_columns = {dep.asset_key.path[0] for deps in lineage.deps_by_column.values() for dep in deps}
        assert of_columns == {name}
    assert paths[0] == paths[1]


def test_dagster_loads_a_repository_of_each(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANALYTICS_WORKSPACE_ID", IDS)
    monkeypatch.setenv("ANALYTICS_DUCKDB_PATH", str(settings.duckdb_path))
    loaded = runpy.run_path(str(Path(assembly.__file__).parents[1] / "definitions.py"))
    assert {name for name, value in loaded.items() if isinstance(value, RepositoryDefinition)} == {*NAMES}
    assert "defs" not in loaded


def test_the_jobs_of_a_workspace_cover_its_assets_and_say_whose_they_are(repositories: dict[str, RepositoryDefinition]) -> None:
    for name, repository in repositories.items():
        sync, reconcile = repository.get_job("sync"), repository.get_job("reconcile")
        assert sync.asset_layer.executable_asset_keys == repository.asset_graph.executable_asset_keys
        assert Keys(name).proof in reconcile.asset_layer.asset_graph.asset_check_keys
        assert sync.run_tags[WORKSPACE_TAG] == reconcile.run_tags[WORKSPACE_TAG] == name
        assert {schedule.name for schedule in repository.schedule_defs} == {"sync_hourly", "reconcile_weekly"}
        assert {"marts_follow_raw", "notify_on_failure", "sync_on_new_parents"} <= {each.name for each in repository.sensor_defs}


def test_a_sync_of_one_workspace_holds_up_no_schedule_of_another(instance_on_disk: DagsterInstance, tmp_path: Path) -> None:
    first, second = map(Keys, NAMES)
    instance_on_disk.add_run(DagsterRun(job_name=SYNC, status=DagsterRunStatus.NOT_STARTED, tags={WORKSPACE_TAG: NAMES[0]}))
    assert sync_going_on(instance_on_disk, first, tmp_path / "all.duckdb") is not None
    assert sync_going_on(instance_on_disk, second, tmp_path / "all.duckdb") is None


def test_a_workspace_can_not_be_called_what_dagster_keeps_for_itself_or_what_a_layer_is_called() -> None:
    assert {*DISALLOWED_NAMES, *LAYERS} <= NO_NAMES
    for several in ("type=5f5f,second", "raw=5f5f,second", "5f5f,input"):
        with pytest.raises(SettingsError, match=r"ANALYTICS_WORKSPACE_ID can't call a workspace (type|raw|input), which means"):
            settings_of({"ANALYTICS_WORKSPACE_ID": several})
    assert settings_of({"ANALYTICS_WORKSPACE_ID": "input"}).workspace_id == "input"


def test_of_a_workspace_that_has_got_another_name_nothing_is_copied_before_its_checks_have_run() -> None:
    old, new = (AssetCheckKey(Keys(name).mart("dim_tags"), "once") for name in NAMES)
    with DagsterInstance.ephemeral() as instance:
        instance.report_runless_asset_event(AssetCheckEvaluation(asset_key=old.asset_key, check_name="once", passed=True))
        refuse_while_checks_fail(instance, [old], what_stays="The old rows stay", all_have_run=True)
        refuse_while_checks_fail(instance, [new], what_stays="The old rows stay")
        with pytest.raises(Failure) as refused:
            refuse_while_checks_fail(instance, [old, new], what_stays="The old rows stay", all_have_run=True)
    assert refused.value.description == (
        "The old rows stay, because these checks have not run under these names yet: once of se_cond/marts/dim_tags. "
        "Run a sync of everything."
    )


def test_a_message_about_a_run_names_its_workspace(instance_on_disk: DagsterInstance) -> None:
    for label, words in {
        f"{NAMES[0]}@anywhere": f"The job sync of workspace {NAMES[0]}",
        "__repository__@x": "The job sync",
    }.items():
        run = DagsterRun(job_name=SYNC, status=DagsterRunStatus.FAILURE, tags={REPOSITORY_LABEL_TAG: label})
        instance_on_disk.add_run(run)
        trouble = trouble_of(instance_on_disk, run)
        assert trouble is not None
        assert trouble.title == f"{words} failed"
