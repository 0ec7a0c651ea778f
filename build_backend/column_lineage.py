"""Computes which columns each column of a model is made of, and writes `column_lineage.json` of the dbt project.

How the SQL of models is read belongs here, and the fingerprint of all that they depend on, by which a test
sees that the file is out of date. What Dagster is told of it belongs to `orchestration/column_lineage.py` of the package.
Run as a script (`make lineage`) it takes half a minute, which is why the file is committed.

The models are compiled with the variables as they are by default. A condition or a join says which rows there are and not
what stands in them, so columns that are used for nothing else are no parents: `dim_users.time_zone` has none, because it is
looked up in DuckDB's own list of zones.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any, Final

from sqlglot import exp, parse_one
from sqlglot.lineage import lineage
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import build_scope

from analytics_assets.orchestration.column_lineage import COLUMN_LINEAGE_FILE
from analytics_assets.orchestration.dbt_nodes import MANIFEST, QUERIES, DbtNodes, Properties

PACKAGE: Final = "analytics_assets"
DIALECT: Final = "duckdb"
Parents = list[tuple[str, str]]
"""Asset and column of each parent."""


def fingerprint(manifest: Mapping[str, Any]) -> str:
    """What the lineage depends on, in short: the code of models and macros, the names and types of columns.

    Args:
        manifest: dbt's manifest of the project.
    """
    models = [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]
    macros = [macro for macro in manifest["macros"].values() if macro["package_name"] == PACKAGE]
    facts = [
        sorted([model["unique_id"], model["raw_code"]] for model in models),
        sorted([macro["unique_id"], macro["macro_sql"]] for macro in macros),
        sorted([each["unique_id"], sorted(_types(each).items())] for each in (*models, *manifest["sources"].values())),
    ]
    return sha256(json.dumps(facts).encode()).hexdigest()


class LineageReader:
    """Finds the parents of the columns of compiled models.

    Args:
        manifest: dbt's manifest of the project.
    """

    def __init__(self, manifest: Mapping[str, Any]) -> None:
        self._nodes = DbtNodes(manifest)
        self._schema: dict[str, dict[str, dict[str, str]]] = defaultdict(dict)
        self._assets: dict[tuple[str, str], str] = {}
        """Which asset has made the table of a schema."""
        for node, properties in (self._nodes.models | manifest["sources"]).items():
            schema, table = properties["schema"], properties.get("identifier") or properties["name"]
            self._schema[schema][table] = _types(properties)
            self._assets[schema, table] = self._nodes.asset_key(node).to_user_string()

    def read(self, compiled: Mapping[str, str]) -> dict[str, dict[str, Parents]]:
        """The parents of each column of each asset.

        Args:
            compiled: the SQL of models, by dbt's id of the model.
        """
        found = {self._nodes.asset_key(model).to_user_string(): self._parents(model, sql) for model, sql in compiled.items()}
        return dict(sorted(found.items()))

    def _parents(self, model: str, sql: str) -> dict[str, Parents]:
        schema: dict[str, object] = {**self._schema}
        parsed = parse_one(sql, dialect=DIALECT)
        query = qualify(parsed, schema=schema, dialect=DIALECT, validate_qualify_columns=False, identify=False)
        scope = build_scope(query)
        columns: Iterable[str] = self._nodes.models[model]["columns"]
        parents = {}
        for column in columns:
            root = lineage(column, query, scope=scope, dialect=DIALECT, copy=False, trim_selects=False)
            ends = [(node.expression, node.name.rpartition(".")[2]) for node in root.walk()]
            parents[column] = sorted(
                {(self._assets[end.db, end.name], name) for end, name in ends if isinstance(end, exp.Table) and end.db}
            )  # a table without a schema is a function of DuckDB
        return parents


def compiled_models() -> dict[str, str]:
    """The SQL of the models as a sync runs it, by dbt's id of the model."""
    queries = json.loads(QUERIES.read_text(encoding="utf-8"))
    return {node: query for node, query in queries.items() if node.startswith("model.")}


def rendered(fingerprint: str, assets: Mapping[str, Mapping[str, Parents]]) -> str:
    """The text of the file, a line per asset."""
    lines = ",\n".join(f"{json.dumps(asset)}: {json.dumps(columns)}" for asset, columns in assets.items())
    return f'{{"fingerprint": {json.dumps(fingerprint)},\n"assets": {{\n{lines}\n}}}}\n'


def _types(properties: Properties) -> dict[str, str]:
    return {name: column.get("data_type") or "varchar" for name, column in properties["columns"].items()}


def main() -> None:
    """Write the file, unless it is as it should be: dbt would have to parse the project again."""
    manifest = json.loads(MANIFEST.read_text(encoding="utf-8"))
    text = rendered(fingerprint(manifest), LineageReader(manifest).read(compiled_models()))
    if not COLUMN_LINEAGE_FILE.exists() or COLUMN_LINEAGE_FILE.read_text(encoding="utf-8") != text:
        COLUMN_LINEAGE_FILE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
