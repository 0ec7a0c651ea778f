"""Failures are told: once each, in plain words, to every place that the owner names, and without what is secret."""

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from dagster import (
    AssetCheckResult,
    AssetCheckSeverity,
    DagsterInstance,
    DefaultSensorStatus,
    Definitions,
    Failure,
    asset,
    asset_check,
    define_asset_job,
)
from dagster._core.storage.tags import REPOSITORY_LABEL_TAG

from analytics_assets.demo.faults import Fault
from analytics_assets.notifying import NotifyError
from analytics_assets.orchestration.notifications import build_notify_on_failure
from analytics_assets.setting_errors import SettingsError
from analytics_assets.settings import Settings, load_settings, settings_of
from analytics_assets_tests.orchestration.conftest import Project
from analytics_assets_tests.orchestration.postbox import TOKEN, Postbox
from analytics_assets_tests.orchestration.ticks import LABEL, tick


@pytest.fixture
def postbox() -> Iterator[Postbox]:
    with Postbox() as server, ThreadPoolExecutor(1) as pool:
        pool.submit(server.serve_forever, 0.01)
        yield server
        server.shutdown()


@pytest.fixture
def instance(instance_on_disk: DagsterInstance) -> DagsterInstance:
    return instance_on_disk


class World:
    """Assets and a check that go as they are told, and the sensor that watches them."""

    def __init__(self, instance: DagsterInstance, settings: Settings) -> None:
        self.instance = instance
        self.sensor = build_notify_on_failure(settings)
        self.load: Callable[[], None] = lambda: None
        self.check = AssetCheckResult(passed=True)
        self.cursor: str | None = None

        @asset
        def orders() -> None:
            self.load()

        @asset_check(asset=orders)
        def orders_are_paid() -> AssetCheckResult:
            return self.check

        job = define_asset_job("sync")
        self.definitions = Definitions(assets=[orders], asset_checks=[orders_are_paid], jobs=[job], sensors=[self.sensor])

    def run(self, label: str = LABEL) -> str:
        job = self.definitions.resolve_job_def("sync")
        return job.execute_in_process(instance=self.instance, raise_on_error=False, tags={REPOSITORY_LABEL_TAG: label}).run_id

    def tick(self) -> str:
        decision = tick(self.sensor, self.definitions, self.instance, self.cursor)
        self.cursor = decision.cursor
        return str(decision.skip_message)


@pytest.fixture
def world(instance: DagsterInstance, postbox: Postbox) -> World:
    settings = settings_of({"ANALYTICS_NOTIFY_URLS": postbox.url, "ANALYTICS_UI_URL": "https://dagster.example.com/"})
    return World(instance, settings)


def refuse() -> None:
    raise Failure(description="The API answered 403. Ask for more rights there. See the log.")


def break_down() -> None:
    raise ValueError(f"nobody has foreseen {TOKEN}")


def test_a_failed_run_is_told_in_plain_words_with_a_link(world: World, postbox: Postbox) -> None:
    world.run()
    assert world.tick() == "Nothing new has failed."
    world.load = refuse
    run_id = world.run()
    assert world.tick() == "Told: The job sync failed."
    text = f"The job sync failed:\n- orders: The API answered 403.\nhttps://dagster.example.com/runs/{run_id}"
    assert postbox.taken() == [("The job sync failed", text)]
    assert world.tick() == "Nothing new has failed."
    assert postbox.taken() == []


def test_an_error_that_nobody_foresaw_is_named_and_its_text_stays_here(world: World, postbox: Postbox) -> None:
    world.tick()
    world.load = break_down
    world.run()
    world.tick()
    ((_, text),) = postbox.taken()
    assert "- orders: an error that was not foreseen (ValueError); the log of the run shows it." in text
    assert TOKEN not in text


def test_a_failed_check_of_a_green_run_is_told_and_a_warning_is_not(world: World, postbox: Postbox) -> None:
    world.tick()
    world.check = AssetCheckResult(passed=False, severity=AssetCheckSeverity.WARN)
    world.run()
    assert world.tick() == "Nothing new has failed."
    world.check = AssetCheckResult(passed=False, description="Two orders are unpaid.")
    world.run()
    world.tick()
    ((title, text),) = postbox.taken()
    assert title == "The job sync ended, but a check failed"
    assert "- the check orders_are_paid of orders failed: Two orders are unpaid." in text


def test_the_same_trouble_is_told_once_until_it_changes_or_ends(world: World, postbox: Postbox) -> None:
    """An API that was away for a night sent a message with each hourly sync."""
    world.tick()
    for load, told in [(refuse, 1), (refuse, 0), (break_down, 1), (break_down, 0), (lambda: None, 0), (break_down, 1)]:
        world.load = load
        world.run()
        world.tick()
        assert len(postbox.taken()) == told


def test_several_failures_between_two_ticks_are_one_message_and_those_of_others_none(world: World, postbox: Postbox) -> None:
    world.tick()
    world.load = refuse
    world.run("__repository__@elsewhere")
    world.run()
    world.load = break_down
    world.run()
    world.tick()
    ((title, text),) = postbox.taken()
    assert title == "2 runs went wrong"
    assert text.count("/runs/") == 2


def test_what_failed_before_the_sensor_was_switched_on_is_not_told(world: World, postbox: Postbox) -> None:
    world.load = refuse
    world.run()
    world.tick()
    assert postbox.taken() == []


def test_what_nobody_took_is_told_by_the_next_tick_and_the_trouble_shows_no_address(
    world: World, postbox: Postbox, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    world.tick()
    world.load = refuse
    world.run()
    postbox.status = 500
    with pytest.raises(NotifyError, match=r"^No place of ANALYTICS_NOTIFY_URLS took the message \(JSON\)") as refused:
        world.tick()
    postbox.taken()
    postbox.status = 200
    assert world.tick() == "Told: The job sync failed."
    assert len(postbox.taken()) == 1
    events = "".join(repr(world.instance.all_logs(run_id)) for run_id in world.instance.get_run_ids())
    assert TOKEN not in caplog.text + str(refused.getrepr(style="short")) + events + str(world.cursor)


def test_one_place_that_is_away_does_not_make_the_others_hear_it_twice(instance: DagsterInstance, postbox: Postbox) -> None:
    settings = settings_of({"ANALYTICS_NOTIFY_URLS": f"json://127.0.0.1:1, {postbox.url}"})
    world = World(instance, settings)
    world.tick()
    world.load = refuse
    run_id = world.run()
    assert world.tick() == "Told: The job sync failed. JSON did not take it; see ANALYTICS_NOTIFY_URLS."
    world.tick()
    ((_, text),) = postbox.taken()
    assert text.endswith(f"The run in the Dagster UI: {run_id}")


def test_a_sync_that_the_api_refuses_is_told_in_the_words_of_its_failure(
    project: Project, instance: DagsterInstance, postbox: Postbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANALYTICS_NOTIFY_URLS", postbox.url)
    project = Project(project.rig, load_settings(), instance)
    sensor = project.definitions.resolve_sensor_def("notify_on_failure")
    began = tick(sensor, project.definitions, instance)
    project.rig.server.faults.add(Fault("status", "tags", status=403, body=b"{}", times=None))
    project.run("raw/tags", tags={REPOSITORY_LABEL_TAG: LABEL})
    tick(sensor, project.definitions, instance, began.cursor)
    ((title, text),) = postbox.taken()
    assert title == "The job sync failed"
    assert "\n- raw: GET " in text
    assert "answered 403" in text
    assert project.rig.api_key not in text


def test_it_is_on_only_where_somebody_is_to_be_told() -> None:
    off, on = build_notify_on_failure(Settings()), build_notify_on_failure(settings_of({"ANALYTICS_NOTIFY_URLS": "json://x"}))
    assert (off.default_status, on.default_status) == (DefaultSensorStatus.STOPPED, DefaultSensorStatus.RUNNING)
    assert str(off.description).endswith("It is off because ANALYTICS_NOTIFY_URLS names nobody to tell.")
    assert str(on.description).endswith("It is on because ANALYTICS_NOTIFY_URLS is set.")


@pytest.mark.parametrize("url", [TOKEN, f"nonsense://{TOKEN}", f"https//{TOKEN}"])
def test_a_url_that_apprise_does_not_understand_is_refused_by_its_number(url: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(1)
    with pytest.raises(SettingsError) as refused:
        settings_of({"ANALYTICS_NOTIFY_URLS": f"{url} , json://127.0.0.1"})
    message = str(refused.value)
    assert "ANALYTICS_NOTIFY_URLS holds a URL that Apprise does not understand, number 1 of the list" in message
    assert TOKEN not in message + caplog.text


def test_the_urls_are_shown_nowhere(postbox: Postbox) -> None:
    settings = settings_of({"ANALYTICS_NOTIFY_URLS": postbox.url})
    assert TOKEN not in f"{settings!r} {settings} {settings.model_dump_json()} {build_notify_on_failure(settings).description}"
