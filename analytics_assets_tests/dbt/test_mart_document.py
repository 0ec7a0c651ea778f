"""docs/marts.md names every mart with its key and a query that works, and every variable with a value that is taken."""

import re
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]

from analytics_assets.settings import Settings, settings_of
from analytics_assets_tests.dbt.conftest import DBT_PROJECT, Build

DOCUMENT = (Path(__file__).parents[2] / "docs" / "marts.md").read_text(encoding="utf-8")
SECTIONS = {
    text.split("\n")[0].strip(): text for text in re.split(r"^### ", DOCUMENT.split("\n## The variables\n")[0], flags=re.M)[1:]
}
QUERY = r"^```sql\n(.*?)^```$"
QUERIES = {mart: re.findall(QUERY, text, re.M | re.S) for mart, text in SECTIONS.items()}


def _keys_of_marts(build: Build) -> dict[str, set[str]]:
    """The marts with the columns of their test `one_row_per`; none for a mart without that test."""
    nodes = build.manifest["nodes"].values()
    keys = {node["name"]: set[str]() for node in nodes if node["resource_type"] == "model" and node["schema"] == "marts"}
    for node in nodes:
        test = node.get("test_metadata") or {}
        mart = (node.get("attached_node") or "").split(".")[-1]
        if test.get("name") == "one_row_per" and mart in keys:
            keys[mart] = set(test["kwargs"]["columns"])
    return keys


def test_every_mart_has_a_section_with_a_query_of_it(empty: Build) -> None:
    marts = _keys_of_marts(empty)
    assert SECTIONS.keys() - marts.keys() == set(), "docs/marts.md has sections about marts that do not exist"
    without = [mart for mart in marts if not any(f"marts.{mart}" in query for query in QUERIES.get(mart, []))]
    assert without == [], f"docs/marts.md lacks a section `### <name>` with a query that reads `marts.<name>` for {without}"


def test_every_key_is_the_one_that_is_tested(empty: Build) -> None:
    marts = _keys_of_marts(empty)
    named = {mart: re.search(r"^Key: (.*)\.$", text, re.M) for mart, text in SECTIONS.items()}
    assert {mart: found and set(re.findall(r"`(\w+)`", found[1])) for mart, found in named.items()} == {
        mart: marts[mart] for mart in SECTIONS
    }


@pytest.mark.parametrize("mart", SECTIONS)
def test_every_query_gives_rows_that_a_person_can_read(mixed: Build, lived_in: Build, mart: str) -> None:
    for query in QUERIES[mart]:
        rows = mixed.records(query) or lived_in.records(query)
        assert rows, f"{mart}: the query gives no rows"
        unreadable = [column for column in rows[0] if re.search(r"_(id|minor|seconds)$|_minor_", column)]
        assert unreadable == [], f"{mart}: the query shows {unreadable}; show names, units of the currency and hours"


def test_every_variable_stands_there_with_a_value_that_is_taken_and_changes_something() -> None:
    declared = yaml.safe_load((DBT_PROJECT / "dbt_project.yml").read_text(encoding="utf-8"))["vars"]
    examples = dict(re.findall(r"^\| `ANALYTICS_(\w+)=([^`]+)` \|", DOCUMENT, re.M))
    assert {name.lower() for name in examples} == set(declared)
    for name, value in examples.items():
        assert settings_of({f"ANALYTICS_{name}": value}) != Settings(), name
