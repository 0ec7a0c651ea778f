"""What is written twice outside the code stays the same: settings, dependencies, lock, packed files, commands."""

import ast
import os
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from analytics_assets.setting_errors import PREFIX
from analytics_assets.settings import Settings, settings_of

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "analytics_assets"
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
DEPENDENCIES = [Requirement(line) for line in PYPROJECT["project"]["dependencies"]]
DEV_DEPENDENCIES = [Requirement(line) for line in PYPROJECT["project"]["optional-dependencies"]["dev"]]
NEVER_IMPORTED = {
    "dagster-k8s": "named by the values of Dagster's Helm chart",
    "dagster-webserver": "a program, run by `analytics-assets dev`",
    "dbt-duckdb": "dbt finds it by the type in profiles.yml",
    "httptools": "imported by uvicorn, which leaves it out by itself",
}
WRITTEN_BY_DBT = ("target", "logs", "dbt_packages")
FIXED_COMMANDS = ("setup", "run", "dev", "test", "check")


def env_example() -> dict[str, str]:
    """The variables of `.env.example` with the values that stand there behind the comment sign."""
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    pairs = re.findall(r"^# (\w+)=(.*)$", text, re.MULTILINE)
    assert len(pairs) == len(dict(pairs)), "a variable stands there twice"
    return dict(pairs)


def locked() -> Iterator[tuple[Requirement, int]]:
    """Every requirement of the lock, and the number of its hashes."""
    for block in re.split(r"\n(?=\S)", re.sub(r"^ *#.*\n", "", LOCK, flags=re.MULTILINE).strip()):
        requirement, *hashes = [line.strip() for line in block.split("\\\n")]
        assert all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", line) for line in hashes), block
        yield Requirement(requirement), len(hashes)


def imported() -> set[str]:
    """Top-level modules that the package imports, its own and Python's left out."""
    names: set[str] = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names.update(alias.name.split(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module.split(".")[0])
    return names - set(sys.stdlib_module_names) - {PACKAGE.name}


def makefile() -> str:
    """The Makefile's text."""
    return (ROOT / "Makefile").read_text(encoding="utf-8")


def test_env_example_names_every_setting_and_no_other() -> None:
    assert set(env_example()) == {f"{PREFIX}{field.upper()}" for field in Settings.model_fields}


def test_env_example_shows_the_defaults() -> None:
    assert settings_of(env_example()) == Settings()


def test_every_requirement_of_the_lock_is_pinned_and_has_hashes() -> None:
    requirements = list(locked())
    assert len(requirements) > 100
    for requirement, hashes in requirements:
        assert [spec.operator for spec in requirement.specifier] == ["=="], requirement
        assert hashes > 0, requirement


def test_the_lock_names_no_address_and_no_path() -> None:
    assert not re.findall(r"\S*(?:://|--index|--find-links|@ |^-[a-z] )\S*", LOCK, re.MULTILINE)
    assert not re.findall(r"(?:^|\s)(?:/|~/|\.\.?/)\S*", LOCK)


@pytest.mark.parametrize("requirement", [*DEPENDENCIES, *DEV_DEPENDENCIES], ids=str)
def test_the_lock_holds_what_pyproject_asks_for(requirement: Requirement) -> None:
    versions = [
        Version(next(iter(entry.specifier)).version)
        for entry, _ in locked()
        if canonicalize_name(entry.name) == canonicalize_name(requirement.name)
    ]
    assert versions, "not in requirements.lock; run `make lock`"
    assert all(version in requirement.specifier for version in versions), "run `make lock`"


def test_what_builds_the_project_is_what_runs_it() -> None:
    asked = {requirement.name: str(requirement.specifier) for requirement in [*DEPENDENCIES, *DEV_DEPENDENCIES]}
    for requirement in map(Requirement, PYPROJECT["build-system"]["requires"]):
        assert asked[requirement.name] == str(requirement.specifier)


def test_every_import_is_of_a_direct_dependency_and_every_dependency_is_used() -> None:
    """A module that only comes along with another package goes when that one changes its mind."""
    providers = packages_distributions()
    # what an extra brings is imported where its setting is
    extras = PYPROJECT["project"]["optional-dependencies"]
    brought = [Requirement(line) for name, lines in extras.items() if name != "dev" for line in lines]
    direct = {canonicalize_name(requirement.name) for requirement in (*DEPENDENCIES, *brought)}
    used = {module: {canonicalize_name(name) for name in providers[module]} for module in imported()}
    assert {module: names for module, names in used.items() if not names & direct} == {}
    assert direct - set().union(*used.values()) <= set(NEVER_IMPORTED)


def test_every_file_of_the_dbt_project_goes_into_the_wheel() -> None:
    project = PACKAGE / "dbt_project"
    there = {
        path
        for path in project.rglob("*")
        if path.is_file() and path.relative_to(project).parts[0] not in WRITTEN_BY_DBT and not path.name.startswith(".")
    }
    packed = {path for glob in PYPROJECT["tool"]["setuptools"]["package-data"][PACKAGE.name] for path in PACKAGE.glob(glob)}
    assert there
    assert there - packed == set()


def test_the_wheel_holds_the_parsed_dbt_project_and_the_dagster_configuration() -> None:
    packed = PYPROJECT["tool"]["setuptools"]["package-data"][PACKAGE.name]
    prepared = {f"dbt_project/target/{name}" for name in ("manifest.json", "parsed.msgpack", "queries.json")}
    assert prepared | {"dagster.yaml", "py.typed"} <= set(packed)
    assert all((ROOT / "analytics_assets" / file).exists() for file in prepared), "run `make setup`"


@pytest.mark.parametrize("command", FIXED_COMMANDS)
def test_the_makefile_has_the_command_and_explains_it(command: str) -> None:
    assert re.search(rf"^{command}:.*## \w+", makefile(), re.MULTILINE)


def test_every_command_of_the_makefile_is_phony() -> None:
    """`make test` would do nothing where a folder of that name lies."""
    text = makefile()
    commands = set(re.findall(r"^([a-z-]+):.*##", text, re.MULTILINE))
    phony = re.findall(r"^\.PHONY: (.*)$", text, re.MULTILINE)
    assert commands == set(" ".join(phony).split())


def test_ci_runs_what_the_makefile_offers() -> None:
    run = ROOT / ".ci" / "run"
    assert os.access(run, os.X_OK)
    assert set(re.findall(r"^make ([a-z-]+)", run.read_text(encoding="utf-8"), re.MULTILINE)) == {"check"}


def test_dagster_and_dbt_report_to_nobody() -> None:
    dagster, dbt = (
        yaml.safe_load((ROOT / "analytics_assets" / name).read_text()) for name in ("dagster.yaml", "dbt_project/dbt_project.yml")
    )
    assert dagster["telemetry"] == {"enabled": False}
    assert dbt["flags"] == {"send_anonymous_usage_stats": False}
