"""The instance's history stays bounded: old runs go with all their files, and the latest state of everything stays."""

import os
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest
from dagster import (
    AssetCheckResult,
    AssetKey,
    DagsterInstance,
    DagsterRunStatus,
    Definitions,
    SensorDefinition,
    SensorEvaluationContext,
    StaticPartitionsDefinition,
    asset,
    asset_check,
    materialize,
)
from dagster._core.remote_origin import GrpcServerCodeLocationOrigin
from dagster._core.storage.tags import REPOSITORY_LABEL_TAG
from dagster._core.test_utils import create_run_for_test

from analytics_assets.orchestration.run_history import build_forget_old_runs, forget_old_runs
from analytics_assets.settings import settings_of

LABEL = "__repository__@here"
MONTHS = StaticPartitionsDefinition(["may", "june"])


@asset(partitions_def=MONTHS)
def entries() -> None:
    """An asset by month."""


@asset
def members() -> None:
    """A snapshot."""


@asset_check(asset=members)
def members_are_known() -> AssetCheckResult:
    """A check."""
    return AssetCheckResult(passed=True)


DEFINITIONS = Definitions(assets=[entries, members], asset_checks=[members_are_known])
CHECKS = [members_are_known.check_key]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def instance(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DagsterInstance]:
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    (home / "dagster.yaml").write_text((files("analytics_assets") / "dagster.yaml").read_text())
    with DagsterInstance.from_config(str(home)) as instance:
        yield instance


def run(instance: DagsterInstance, *assets: object, month: str | None = None, label: str = LABEL) -> str:
    result = materialize(list(assets), instance=instance, partition_key=month, tags={REPOSITORY_LABEL_TAG: label})  # type: ignore[arg-type]
    return result.run_id


def forget(instance: DagsterInstance, keep: int, at_most: int = 50) -> list[str]:
    return forget_old_runs(instance, label=LABEL, keep=keep, checks=CHECKS, at_most=at_most)


def files_of(home: Path, run_id: str) -> list[Path]:
    return [path for path in home.rglob("*") if run_id in str(path)]


def test_old_runs_go_with_all_their_files_and_the_newest_stay(instance: DagsterInstance, home: Path) -> None:
    runs = [run(instance, members) for _ in range(5)]
    assert all(files_of(home, run_id) for run_id in runs)
    assert forget(instance, keep=2) == runs[:3]
    assert instance.get_run_ids() == [runs[4], runs[3]]
    assert [run_id for run_id in runs if files_of(home, run_id)] == runs[3:]
    assert instance.get_latest_materialization_event(AssetKey("members")).run_id == runs[4]  # type: ignore[union-attr]
    assert forget(instance, keep=2) == []


@pytest.mark.parametrize("kind", [".db", "compute_logs"])
def test_a_run_whose_files_are_another_users_is_left_to_that_user(
    instance: DagsterInstance, home: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A green sync ended in a traceback once root had synced too, and each one after it; the run was half deleted."""
    roots, own, newest = (run(instance, members) for _ in range(3))
    theirs = [path for path in files_of(home, roots) if path.name.endswith(kind)]
    may = os.access
    monkeypatch.setattr(os, "access", lambda place, mode: place not in theirs and may(place, mode))
    assert forget(instance, keep=1) == [own]
    assert instance.get_run_ids() == [newest, roots]
    assert theirs and all(path.exists() for path in theirs)


def test_an_old_run_stays_while_it_holds_the_latest_state_of_a_month_or_a_check(instance: DagsterInstance) -> None:
    may = run(instance, entries, month="may")
    checked = run(instance, members, members_are_known)
    later = [run(instance, entries, month="june") for _ in range(3)] + [run(instance, members) for _ in range(2)]
    assert set(forget(instance, keep=1)) == set(later[:2]) | {later[3]}
    assert set(instance.get_run_ids()) == {may, checked, later[2], later[4]}
    assert instance.get_materialized_partitions(AssetKey("entries")) == {"may", "june"}
    latest = instance.event_log_storage.get_latest_asset_check_execution_by_key(CHECKS)
    assert [execution.run_id for execution in latest.values()] == [checked]
    # what they held is shown by newer runs now
    run(instance, entries, month="may")
    run(instance, members, members_are_known)
    assert {may, checked} <= set(forget(instance, keep=1))
    executions = instance.event_log_storage.get_asset_check_execution_history(CHECKS[0], limit=10)
    assert checked not in {execution.run_id for execution in executions}


def test_runs_of_others_and_unfinished_ones_are_left_alone_and_one_call_deletes_only_so_many(instance: DagsterInstance) -> None:
    other = run(instance, members, label="__repository__@elsewhere")
    waiting = create_run_for_test(instance, tags={REPOSITORY_LABEL_TAG: LABEL}, status=DagsterRunStatus.STARTED).run_id
    runs = [run(instance, members) for _ in range(5)]
    assert forget(instance, keep=1, at_most=2) == runs[:2]
    assert forget(instance, keep=1, at_most=2) == runs[2:4]
    assert set(instance.get_run_ids()) == {other, waiting, runs[4]}


def test_the_sensor_deletes_what_is_old_of_its_own_code_location_and_says_so(instance: DagsterInstance) -> None:
    evaluate = build_forget_old_runs(settings_of({"ANALYTICS_KEEP_RUNS": "2"}))
    runs = [run(instance, members) for _ in range(4)]
    origin = GrpcServerCodeLocationOrigin(host="localhost", port=1, location_name="here")
    context = SensorEvaluationContext(
        instance_ref=None,
        last_tick_completion_time=None,
        last_run_key=None,
        cursor=None,
        repository_name="__repository__",
        instance=instance,
        definitions=DEFINITIONS,
        code_location_origin=origin,
    )
    assert reason_of(evaluate, context) == "2 old runs deleted."
    assert instance.get_run_ids() == [runs[3], runs[2]]
    assert reason_of(evaluate, context) == "No run is older than the newest 2 and needless."


def reason_of(evaluate: SensorDefinition, context: SensorEvaluationContext) -> str | None:
    return evaluate.evaluate_tick(context).skip_message
