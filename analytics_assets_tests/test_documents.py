"""What README, CONTRIBUTING, CHANGELOG and docs/ say is so: commands, variables, assets, files, and the tests they name."""

import re
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest

from analytics_assets.cli import COMMANDS, build_parser
from analytics_assets.definitions import build_definitions
from analytics_assets.orchestration.keys import Keys
from analytics_assets.settings import Settings

ROOT = Path(__file__).parent.parent
TESTS = ROOT / "analytics_assets_tests"
README = (ROOT / "README.md").read_text(encoding="utf-8")
GUARANTEES = (ROOT / "docs" / "guarantees.md").read_text(encoding="utf-8")
DOCUMENTS = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for path in [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
}
EACH_DOCUMENT = pytest.mark.parametrize("document", DOCUMENTS)
NAMED_TEST = r"`(analytics_assets_tests/[\w/]+\.py)::(\w+)`"


def commands_in(text: str) -> list[tuple[str, str]]:
    """The commands that a text shows, each with its options."""
    return re.findall(r"analytics-assets ([a-z-]+)((?: --[a-z]+ [\w/-]+)*)", text)


def test_all_documents_are_looked_at() -> None:
    assert {"README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/architecture.md", "docs/guarantees.md"} <= DOCUMENTS.keys()


@EACH_DOCUMENT
def test_every_make_target_that_a_document_names_exists(document: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"(?:`|[$] )make ([a-z-]+)", DOCUMENTS[document])) <= targets


@EACH_DOCUMENT
def test_every_command_that_a_document_names_is_understood(document: str) -> None:
    for command, options in commands_in(DOCUMENTS[document]):
        build_parser().parse_args([command, *options.split()])
    for module in re.findall(r"python -m (analytics_assets[\w.]*)", DOCUMENTS[document]):
        assert find_spec(module) is not None, module


def test_the_readme_shows_every_command() -> None:
    assert {command for command, _ in commands_in(README)} == set(COMMANDS) - {"dev"}


@EACH_DOCUMENT
def test_every_variable_that_a_document_names_is_a_setting(document: str) -> None:
    named = re.findall(r"\bANALYTICS_([A-Z]\w*)", DOCUMENTS[document])
    assert {name.lower() for name in named} <= set(Settings.model_fields)


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


def test_every_asset_that_a_document_names_exists() -> None:
    definitions = build_definitions(Settings())
    keys = {key.to_user_string() for key in definitions.resolve_asset_graph().get_all_asset_keys()}
    keys |= {key.to_user_string() for key in Keys().deliveries}
    pattern = r"`((?:raw|marts|staging|api|report)/\w+)`"
    assert re.findall(pattern, README)
    for document, text in DOCUMENTS.items():
        assert set(re.findall(pattern, text)) <= keys, document
    jobs = {schedule.name for schedule in definitions.schedules or []} | {"sync"}
    assert {"sync", "sync_hourly", "reconcile_weekly"} <= jobs


@EACH_DOCUMENT
def test_every_file_that_a_document_points_at_is_there(document: str) -> None:
    text = DOCUMENTS[document]
    links = re.findall(r"\]\((?!http)([^)#]+)", text)
    paths = re.findall(r"`((?:analytics_assets|analytics_assets_tests|build_backend|docs)/[\w./]*)`", text)
    names = re.findall(r"`([\w.]+\.(?:md|toml|lock|yaml|example))`", text)
    missing = [link for link in links if not ((ROOT / document).parent / link).exists()]
    missing += [path for path in [*paths, *names] if not (ROOT / path).exists()]
    assert missing == []


@EACH_DOCUMENT
def test_every_test_that_a_document_names_exists(document: str) -> None:
    text = DOCUMENTS[document]
    missing = [
        f"{file}::{test}" for file, test in re.findall(NAMED_TEST, text) if f"def {test}(" not in (ROOT / file).read_text()
    ]
    sources = "".join(path.read_text(encoding="utf-8") for path in TESTS.rglob("test_*.py"))
    missing += [test for test in re.findall(r"`(test_\w+)`", text) if f"def {test}(" not in sources]
    assert missing == []


@EACH_DOCUMENT
def test_every_selection_of_tests_that_a_document_shows_selects_some(document: str) -> None:
    there = {path.stem for path in TESTS.rglob("test_*.py")} | {path.name for path in TESTS.iterdir() if path.is_dir()}
    shown = re.findall(r"-k (?:'([^']*)'|(\w+))", DOCUMENTS[document])
    words = {word for quoted, bare in shown for word in (quoted or bare).split()} - {"or", "NAME"}
    assert words <= there


def test_the_law_and_every_promise_name_a_test_that_shows_them() -> None:
    assert re.search(NAMED_TEST, GUARANTEES.split("\n## ")[0])
    promises = GUARANTEES.split("\n## Promises\n")[1].strip().split("\n\n")
    assert len(promises) > 10
    for promise in promises:
        assert promise.startswith("**"), promise
        assert re.search(NAMED_TEST, promise), promise


def test_the_changelog_begins_with_the_version_of_the_package() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    first = re.search(r"^## \[([^\]]+)\]", DOCUMENTS["CHANGELOG.md"], re.MULTILINE)
    assert first is not None
    assert first[1] == version
