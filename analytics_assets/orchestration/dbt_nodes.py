"""The models and tests of the dbt project as Dagster's assets and checks, made of the manifest that dbt has prepared.

dagster-dbt would make them too, and imports dbt for it: 2.7 seconds of every process that loads the definitions, none of
which needs dbt. Nor would it pass on what a test says about itself.
"""

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from graphlib import TopologicalSorter
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from dagster import (
    AssetCheckKey,
    AssetCheckSpec,
    AssetDep,
    AssetKey,
    AssetSpec,
    CodeReferencesMetadataValue,
    LocalFileCodeReference,
    MetadataValue,
    TableColumn,
    TableSchema,
)

from analytics_assets.orchestration.automation import follows_raw
from analytics_assets.orchestration.column_lineage import lineage_of_model
from analytics_assets.orchestration.keys import Keys, layer
from analytics_assets.warehouse.building import Check, Model
from analytics_assets.warehouse.built import Relation

PROJECT_DIR: Final = Path(__file__).parents[1] / "dbt_project"
MANIFEST: Final = PROJECT_DIR / "target" / "manifest.json"
PARSED: Final = MANIFEST.with_name("parsed.msgpack")
"""The same in the form that dbt works with; see `dbt_compiler.py`."""
QUERIES: Final = MANIFEST.with_name("queries.json")
"""What dbt has compiled each model and test to, with the variables as they are by default; see `dbt_queries.py`. The manifest
would have it too, but whoever runs dbt by hand in the folder of the project writes that anew."""
WRITTEN_BY_DBT: Final = ("target", "logs", "dbt_packages")
Properties = Mapping[str, Any]


class DbtNodes:
    """What the manifest says; every node by the id that dbt gives it.

    Args:
        manifest: dbt's manifest of the project.
        keys: what the assets are called.
    """

    def __init__(self, manifest: Mapping[str, Any], keys: Keys | None = None) -> None:
        self._keys = keys or Keys()
        self._sources: Mapping[str, Properties] = manifest["sources"]
        nodes: Mapping[str, Properties] = manifest["nodes"]
        self.models = {node: each for node, each in nodes.items() if each["resource_type"] == "model"}
        self.tests = {node: each for node, each in nodes.items() if each["resource_type"] == "test"}

    @cached_property
    def in_order(self) -> list[str]:
        """Models and tests, each after those that it depends on; Dagster wants to hear of them in that order."""
        graph = {node: self.parents(node) for node in (*self.models, *self.tests)}
        return [node for node in TopologicalSorter(graph).static_order() if node in graph]

    def parents(self, node: str) -> list[str]:
        """The models that a node reads directly."""
        return [parent for parent in self._upstream(node) if parent in self.models]

    def raw_tables(self, node: str) -> set[str]:
        """The raw tables that a node reads, itself or through others; with the history of each."""
        own = {self._sources[parent]["name"] for parent in self._upstream(node) if parent in self._sources}
        return own.union(*(self.raw_tables(parent) for parent in self.parents(node)))

    def _upstream(self, node: str) -> Sequence[str]:
        upstream: Sequence[str] = (self.models | self.tests)[node]["depends_on"].get("nodes", [])
        return upstream

    def waits_for(self, node: str) -> set[str]:
        """What has to be good before a node is built, as in `dbt build`: what it reads and, of a model, the checks of that.

        A check of severity WARN keeps nothing back.
        """
        if node in self.tests:
            return {*self.parents(node)}
        upstream = self._ancestors[node]
        return {*self.parents(node), *(test for test in self._that_block if upstream.issuperset(self.parents(test)))}

    @cached_property
    def _that_block(self) -> list[str]:
        return [test for test in self.tests if self.blocks(test)]

    def blocks(self, test: str) -> bool:
        """Whether a test that fails keeps back what is downstream of its models."""
        severity: str = self.tests[test]["config"]["severity"]
        return severity.lower() == "error"

    @cached_property
    def _ancestors(self) -> dict[str, set[str]]:
        """Of each model, all models that it is made from."""
        found: dict[str, set[str]] = {}
        for model in self.in_order:
            if model in self.models:
                found[model] = {*self.parents(model)}.union(*(found[parent] for parent in self.parents(model)))
        return found

    def to_build(self, node: str, query: str) -> Model | Check:
        """A node as the warehouse builds it.

        Args:
            node: which one.
            query: what dbt has compiled it to.
        """
        if node in self.tests:
            return Check(query, only_warns=not self.blocks(node))
        properties = self.models[node]
        columns: Mapping[str, Properties] = properties["columns"]
        enforced = properties["config"]["contract"]["enforced"]
        return Model(
            self.relation(node),
            properties["config"]["materialized"],
            query,
            {name: column["data_type"] for name, column in columns.items()} if enforced else {},
            properties["description"],
            {name: column["description"] for name, column in columns.items()},
        )

    def relation(self, model: str) -> Relation:
        """Where a model lies."""
        return self.models[model]["schema"], self.models[model]["name"]

    def meta(self, model: str) -> Properties:
        """What the `.yml` of a model says under `meta`."""
        meta: Properties = self.models[model]["config"].get("meta", {})
        return meta

    def asset_key(self, node: str) -> AssetKey:
        """The asset of a model, or the one that fills a source; `raw` and `raw_history` are filled by the same."""
        if node in self._sources:
            return self._keys.key(*self._sources[node]["config"]["meta"]["dagster"]["asset_key"])
        return self._keys.key(*self.relation(node))

    def check_key(self, test: str) -> AssetCheckKey:
        """The check of a test: of the model that it names or, if it names none, the only one that it reads."""
        named = self.tests[test]["config"].get("meta", {}).get("dagster", {}).get("ref", {}).get("name")
        attached = self.tests[test].get("attached_node")
        candidates = [model for model in self.parents(test) if self.models[model]["name"] == named] if named else []
        (model,) = candidates or ([attached] if attached else self.parents(test))
        return AssetCheckKey(self.asset_key(model), self.tests[test]["name"])

    def name(self, node: str) -> str:
        """What dbt's command line takes for it."""
        name: str = (self.models | self.tests)[node]["name"]
        return name

    def asset_specs(self, database: str) -> list[AssetSpec]:
        """All models as assets; what one says first in the catalogue is its own description.

        Args:
            database: DuckDB's name for the warehouse file.
        """
        return [self._asset_spec(model, database) for model in self.models]

    def _asset_spec(self, model: str, database: str) -> AssetSpec:
        properties, key = self.models[model], self.asset_key(model)
        upstream = dict.fromkeys(self.asset_key(parent) for parent in self._upstream(model))
        materialized = properties["config"]["materialized"]
        file = PROJECT_DIR / properties["original_file_path"]
        return AssetSpec(
            key=key,
            deps=[AssetDep(parent) for parent in upstream],
            description=properties["description"],
            group_name=self._keys.group(layer(key)),
            automation_condition=follows_raw(self._keys),
            kinds={"dbt", "duckdb", materialized},
            code_version=sha256(properties["raw_code"].encode()).hexdigest(),
            skippable=True,
            metadata={
                "dagster/column_schema": MetadataValue.table_schema(_schema(properties["columns"])),
                "dagster/table_name": ".".join([database, *self.relation(model)]),
                "dbt/materialization": materialized,
                "dagster/code_references": CodeReferencesMetadataValue(
                    code_references=[LocalFileCodeReference(file_path=str(file))]
                ),
                **lineage_of_model(key, self._keys),
            },
        )

    def check_specs(self) -> list[AssetCheckSpec]:
        """All tests as checks. One of severity ERROR keeps back what is downstream of its model."""
        specs = []
        for test, properties in self.tests.items():
            key = self.check_key(test)
            others = {self.asset_key(parent) for parent in self.parents(test)} - {key.asset_key}
            specs.append(
                AssetCheckSpec(
                    name=key.name,
                    asset=key.asset_key,
                    description=properties["description"],
                    additional_deps=sorted(others),
                    blocking=self.blocks(test),
                    metadata={"dbt/test": properties["original_file_path"]},
                )
            )
        return specs


def _schema(columns: Mapping[str, Properties]) -> TableSchema:
    return TableSchema(
        [TableColumn(name, type=each.get("data_type") or "?", description=each["description"]) for name, each in columns.items()]
    )


def load_nodes(keys: Keys | None = None) -> DbtNodes:
    """The nodes of the prepared manifest.

    Args:
        keys: what the assets are called.

    Raises:
        FileNotFoundError: the manifest has not been prepared.
    """
    for file in (MANIFEST, PARSED, QUERIES):
        if not file.exists():
            raise FileNotFoundError(f"{file.name} of the dbt project is missing: run `make setup`.")
    return DbtNodes(json.loads(MANIFEST.read_text()), keys)


def changed_since_parsed(project: Path = PROJECT_DIR) -> Path | None:
    """A file or folder of the dbt project that was changed after it was parsed, in a checkout; None where nothing was.

    The times of the files of an installed wheel are those of its unpacking and say nothing.

    Args:
        project: the folder of the dbt project.
    """
    if not (project.parents[1] / "build_backend").exists():
        return None
    parsed_at = (project / "target" / PARSED.name).stat().st_mtime
    parts = [part for part in project.iterdir() if part.name not in WRITTEN_BY_DBT]
    paths = [path for part in parts for path in (part, *part.rglob("*"))]
    return next((path for path in sorted(paths) if path.stat().st_mtime > parsed_at), None)
