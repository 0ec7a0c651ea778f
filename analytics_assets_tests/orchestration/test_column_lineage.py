"""Where each column comes from: the committed file is that of these models, it is right, and Dagster is told of it."""

import json
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from typing import Any

import pytest
from column_lineage import LineageReader, compiled_models, fingerprint, rendered
from dagster import AssetKey, AssetSpec, TableColumnLineage, TableSchema

from analytics_assets.definitions import build_definitions
from analytics_assets.orchestration.column_lineage import (
    COLUMN_LINEAGE,
    COLUMN_LINEAGE_FILE,
    IN_WORDS,
    lineage_of_model,
    lineage_of_raw_table,
)
from analytics_assets.orchestration.dbt_nodes import MANIFEST, DbtNodes
from analytics_assets.settings import Settings
from analytics_assets.source.columns import TABLES

Column = tuple[str, str]
"""An asset and one of its columns."""

CHAINS: dict[Column, set[Column]] = {
    ("marts/fct_time_entries", "amount_minor"): {("staging/stg_time_entries", "amount_minor")},
    ("staging/stg_time_entries", "amount_minor"): {("staging/stg_time_entry_versions", "amount_minor")},
    # the rate times the time between start and end, where it is billable
    ("staging/stg_time_entry_versions", "amount_minor"): {
        ("raw/time_entries", "billable"),
        ("raw/time_entries", "hourly_rate__amount"),
        ("raw/time_entries", "time_interval__start"),
        ("raw/time_entries", "time_interval__end"),
    },
    # the history of the table is filled by the same asset
    ("staging/stg_time_entry_versions", "superseded_at"): {("raw/time_entries", "_valid_to")},
    ("marts/dim_clients", "currency"): {("staging/stg_clients", "currency")},
    ("staging/stg_clients", "currency"): {("raw/clients", "currency_code")},
    ("marts/billing_monthly", "client_name"): {("marts/dim_projects", "client_name")},
    # a client who was never listed has the name that stands with the project, and a project without one has none
    ("marts/dim_projects", "client_name"): {
        ("marts/dim_clients", "client_name"),
        ("staging/stg_projects", "client_id"),
        ("staging/stg_projects", "client_name"),
    },
    ("marts/billing_monthly", "amount_minor"): {("marts/fct_time_entries", "amount_minor")},
    # through the elements of a JSON array
    ("marts/user_group_members", "user_id"): {("staging/stg_user_groups", "user_ids")},
    ("marts/timesheet_daily", "entry_count"): set(),
}


@cache
def manifest() -> dict[str, Any]:
    """The manifest of the prepared project."""
    read: dict[str, Any] = json.loads(MANIFEST.read_text(encoding="utf-8"))
    return read


@cache
def committed() -> dict[str, Any]:
    """The committed file."""
    read: dict[str, Any] = json.loads(COLUMN_LINEAGE_FILE.read_text(encoding="utf-8"))
    return read


def parents(column: Column) -> set[Column]:
    """The parents of a column of a model."""
    asset, name = column
    return {(parent, of) for parent, of in committed()["assets"][asset][name]}


def columns_of_models() -> set[Column]:
    """All columns of the contracts and descriptions of the models."""
    nodes = DbtNodes(manifest())
    return {
        (nodes.asset_key(model).to_user_string(), column)
        for model, properties in nodes.models.items()
        for column in properties["columns"]
    }


def columns_of_sources() -> set[Column]:
    """All columns of the raw tables and their history, by the asset that fills them."""
    nodes = DbtNodes(manifest())
    return {
        (nodes.asset_key(source).to_user_string(), column)
        for source, properties in manifest()["sources"].items()
        for column in properties["columns"]
    }


def specs() -> Iterator[AssetSpec]:
    """Raw tables and models as Dagster has them."""
    graph = build_definitions(Settings()).resolve_asset_graph()
    for key in graph.materializable_asset_keys:
        if key.path[0] in ("raw", "staging", "marts"):
            yield AssetSpec(key, metadata=graph.get(key).metadata)


def lineage_in(metadata: dict[str, Any]) -> TableColumnLineage:
    """What a program finds in the metadata of an asset."""
    found = metadata[COLUMN_LINEAGE].column_lineage
    assert isinstance(found, TableColumnLineage)
    return found


def words_in(metadata: dict[str, Any]) -> dict[str, str]:
    """What a person finds there."""
    return {str(record.data["column"]): str(record.data["from"]) for record in metadata[IN_WORDS].records}


def test_the_committed_lineage_is_that_of_these_models() -> None:
    assert committed()["fingerprint"] == fingerprint(manifest()), "models, macros or sources have changed: run `make lineage`"


def test_the_lineage_names_every_column_of_every_model_and_no_other() -> None:
    named = {(asset, column) for asset, columns in committed()["assets"].items() for column in columns}
    assert named == columns_of_models()


def test_every_parent_is_a_column_of_a_model_or_a_source() -> None:
    there = columns_of_models() | columns_of_sources()
    assert {parent for column in columns_of_models() for parent in parents(column)} - there == set()


@pytest.mark.parametrize("column", CHAINS, ids=".".join)
def test_the_parents_of_a_column_are_those_that_its_sql_reads(column: Column) -> None:
    assert parents(column) == CHAINS[column]


def test_the_way_up_from_every_column_ends_at_raw_tables_or_where_it_is_computed() -> None:
    direct = {column: parents(column) for column in columns_of_models()}
    computed = {column for column, of in direct.items() if not of}
    assert len(computed) < len(direct) / 20, "most columns are made of others"
    ends: dict[Column, set[Column]] = {}
    for column in TopologicalSorter(direct).static_order():  # refuses a column that is made of itself
        ends[column] = {end for parent in direct.get(column, ()) for end in ends[parent]} or {column}
    for column in direct:
        assert ends[column] - computed <= columns_of_sources(), column
    assert ends["marts/dim_clients", "currency"] == {("raw/clients", "currency_code")}
    assert ("raw/time_entries", "hourly_rate__amount") in ends["marts/billing_monthly", "amount_minor"]


def test_a_change_of_code_or_columns_changes_the_fingerprint_and_one_of_words_does_not() -> None:
    def changed(kind: str, node: str, **properties: Any) -> bool:
        nodes = manifest()[kind]
        return fingerprint({**manifest(), kind: {**nodes, node: {**nodes[node], **properties}}}) != fingerprint(manifest())

    model, source = "model.analytics_assets.dim_tags", "source.analytics_assets.raw.tags"
    assert not changed("nodes", model, description="Other words.", created_at=0, config={})
    assert changed("nodes", model, raw_code="select 1")
    assert changed("nodes", model, columns={})
    assert changed("sources", source, columns={})
    assert changed("macros", "macro.analytics_assets.blank_to_null", macro_sql="{% macro blank_to_null(x) %}{% endmacro %}")


def test_what_computes_the_lineage_gives_for_a_model_what_is_committed() -> None:
    model = "model.analytics_assets.stg_tags"
    computed = LineageReader(manifest()).read({model: compiled_models()[model]})
    assert computed["staging/stg_tags"]["tag_name"] == [("raw/tags", "name")]
    text = rendered("of today", computed)
    assert json.loads(text) == {
        "fingerprint": "of today",
        "assets": {"staging/stg_tags": committed()["assets"]["staging/stg_tags"]},
    }
    assert text.count("\n") == len(computed) + 3, "a line per asset"


def test_every_raw_table_and_model_tells_programs_and_people_the_same() -> None:
    seen = 0
    for spec in specs():
        deps = lineage_in(dict(spec.metadata)).deps_by_column
        words = words_in(dict(spec.metadata))
        schema = spec.metadata["dagster/column_schema"]
        schema = schema if isinstance(schema, TableSchema) else schema.schema
        assert [*deps] == [*words] == [column.name for column in schema.columns], spec.key
        for column, parents_of_it in deps.items():
            told = ", ".join(f"{each.asset_key.to_user_string()}.{each.column_name}" for each in parents_of_it)
            assert words[column] == (told or "computed")
        assert {each.asset_key for parents_of_it in deps.values() for each in parents_of_it} <= {
            AssetKey(["api", "workspace"]),
            *(AssetKey.from_user_string(asset) for asset, _ in columns_of_models() | columns_of_sources()),
        }
        seen += 1
    assert seen == len(TABLES) + len(committed()["assets"])


def test_a_person_reads_the_parents_of_a_mart_as_asset_and_column() -> None:
    words = words_in(lineage_of_model(AssetKey(["marts", "billing_monthly"])))
    assert words["client_name"] == "marts/dim_projects.client_name"
    assert words["margin_minor"] == (
        "marts/fct_time_entries.amount_minor, marts/fct_time_entries.cost_currency, "
        "marts/fct_time_entries.cost_minor, marts/fct_time_entries.currency"
    )


def test_a_raw_table_names_the_fields_of_the_api_as_the_api_writes_them() -> None:
    words = words_in(lineage_of_raw_table("users"))
    assert words["email"] == "api/workspace.users.email"
    assert words["profile_picture"] == "api/workspace.users.profilePicture"
    assert words["_loaded_at"] == "computed"
    of_entries = words_in(lineage_of_raw_table("time_entries"))
    assert of_entries["time_interval__start"] == "api/workspace.time_entries.timeInterval.start"
    assert of_entries["_users_id"] == "api/workspace.users.id", "under whose list the entry stood"


def test_a_model_that_is_younger_than_the_file_has_no_lineage_and_loads() -> None:
    assert lineage_of_model(AssetKey(["marts", "of_tomorrow"])) == {}
