"""What README and docs/guarantees.md say is so: commands, variables, assets, and the tests that are referred to."""

import re
from pathlib import Path

import pytest

from analytics_assets.cli import COMMANDS, build_parser
from analytics_assets.definitions import build_definitions
from analytics_assets.settings import Settings

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
GUARANTEES = ROOT / "docs" / "guarantees.md"


def test_every_make_target_of_the_readme_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:`|[$] )make ([a-z-]+)", README)) <= targets


def test_every_command_of_the_readme_is_understood() -> None:
    mentioned = re.findall(r"analytics-assets ([a-z-]+)((?: --[a-z]+ [\w/-]+)*)", README)
    assert {command for command, _ in mentioned} == set(COMMANDS) - {"run", "dev"}
    for command, options in mentioned:
        build_parser().parse_args([command, *options.split()])


def test_the_readme_lists_every_variable_with_its_default() -> None:
    shown = dict(re.findall(r"^\| `ANALYTICS_(\w+)` \| ([^|]+) \|", README, re.MULTILINE))
    assert {name.lower() for name in shown} == set(Settings.model_fields)
    for name, text in shown.items():
        field = Settings.model_fields[name.lower()]
        if name in ("API_KEY", "API_URL", "WORKSPACE_ID"):
            continue
        default = field.get_default(call_default_factory=True)
        assert text.strip() == ("none" if default is None else f"{default:g}" if isinstance(default, float) else str(default)), (
            name
        )


def test_every_asset_that_the_readme_names_exists() -> None:
    definitions = build_definitions(Settings())
    keys = {key.to_user_string() for key in definitions.resolve_asset_graph().get_all_asset_keys()}
    named = set(re.findall(r"`((?:raw|marts|staging|api|report)/\w+)`", README))
    assert named
    assert named <= keys
    jobs = {schedule.name for schedule in definitions.schedules or []} | {"sync"}
    assert {"sync", "sync_hourly", "reconcile_weekly"} <= jobs


@pytest.mark.parametrize("document", ["README.md", "docs/guarantees.md"])
def test_every_file_that_a_document_points_at_is_there(document: str) -> None:
    text = (ROOT / document).read_text()
    links = re.findall(r"\]\((?!http)([^)#]+)", text) + re.findall(r"`((?:analytics_assets|docs)[\w./]*\.(?:py|md|sql))`", text)
    missing = [link for link in links if not ((ROOT / document).parent / link).exists() and not (ROOT / link).exists()]
    assert missing == []


def test_every_test_that_the_guarantees_name_exists() -> None:
    named = re.findall(r"`(analytics_assets_tests/[\w/]+\.py)::(\w+)`", GUARANTEES.read_text())
    assert named
    missing = [f"{file}::{test}" for file, test in named if f"def {test}(" not in (ROOT / file).read_text()]
    assert missing == []
