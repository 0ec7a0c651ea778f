"""Computes which columns each column of a model is made of, and writes `column_lineage.json` of the dbt project.

How models are compiled and their SQL is read belongs here, and the fingerprint of all that they depend on, by which a test
sees that the file is out of date. What Dagster is told of it belongs to `orchestration/column_lineage.py` of the package.
Run as a script (`make lineage`) it takes half a minute, which is why the file is committed.

The models are compiled with the variables as they are by default. A condition or a join says which rows there are and not
what stands in them, so columns that are used for nothing else are no parents: `dim_users.time_zone` has none, because it is
looked up in DuckDB's own list of zones.
"""

import contextlib
import json
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from dbt.artifacts.schemas.run import RunExecutionResult
from dbt.cli.main import dbtRunner
from sqlglot import exp, parse_one
from sqlglot.lineage import lineage
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import build_scope

from analytics_assets.orchestration.column_lineage import COLUMN_LINEAGE_FILE
from analytics_assets.orchestration.dbt_nodes import MANIFEST, PROJECT_DIR, DbtNodes, Properties
from analytics_assets.orchestration.dbt_run import parsed_project

PACKAGE: Final = "analytics_assets"
DIALECT: Final = "duckdb"
DATABASE: Final = "memory"
"""DuckDB's name for a database that lies in no file."""
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
        schema: dict[str, object] = {DATABASE: self._schema}
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


def compile_models(select: str = "resource_type:model") -> dict[str, str]:
    """The SQL of models as dbt would run it, without a warehouse; by dbt's id of the model.

    Args:
        select: which models, in dbt's syntax.

    Raises:
        SystemExit: dbt can't compile them.
    """
    project = parsed_project(Path(":memory:"))
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(Path.cwd()):
        options = [
            *("--project-dir", str(PROJECT_DIR), "--profiles-dir", str(PROJECT_DIR), "--target-path", folder),
            *("--log-path", folder, "--log-level-file", "none", "--no-send-anonymous-usage-stats"),
            *("--vars", json.dumps({"warehouse_path": ":memory:"}), "--quiet"),
        ]
        done = dbtRunner(manifest=project).invoke(["compile", *options, "--select", select])
    if not done.success or not isinstance(done.result, RunExecutionResult):
        sys.exit(f"dbt could not compile the models: {done.exception or 'see above'}")
    compiled = {result.node.unique_id: getattr(result.node, "compiled_code", None) for result in done.result.results}
    return {node: sql for node, sql in compiled.items() if sql and node.startswith("model.")}


def rendered(fingerprint: str, assets: Mapping[str, Mapping[str, Parents]]) -> str:
    """The text of the file, a line per asset."""
    lines = ",\n".join(f"{json.dumps(asset)}: {json.dumps(columns)}" for asset, columns in assets.items())
    return f'{{"fingerprint": {json.dumps(fingerprint)},\n"assets": {{\n{lines}\n}}}}\n'


def _types(properties: Properties) -> dict[str, str]:
    return {name: column.get("data_type") or "varchar" for name, column in properties["columns"].items()}


def main() -> None:
    """Write the file, unless it is as it should be: dbt would have to parse the project again."""
    manifest = json.loads(MANIFEST.read_text(encoding="utf-8"))
    text = rendered(fingerprint(manifest), LineageReader(manifest).read(compile_models()))
    if not COLUMN_LINEAGE_FILE.exists() or COLUMN_LINEAGE_FILE.read_text(encoding="utf-8") != text:
        COLUMN_LINEAGE_FILE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
