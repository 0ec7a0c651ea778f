"""Builds the package with setuptools, after dbt has compiled its models into the manifest that Dagster loads.

The hooks of PEP 517 and 660 belong here, and what prepares the manifest: whoever installs a wheel has it, and loading
definitions neither runs dbt nor writes. Run as a script, it prepares the manifest of this checkout.
"""

import json
import os
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from setuptools import build_meta

ROOT: Final = Path(__file__).resolve().parent.parent
DBT_PROJECT: Final = ROOT / "analytics_assets" / "dbt_project"
TARGET: Final = DBT_PROJECT / "target"
MANIFEST: Final = TARGET / "manifest.json"
PARSED: Final = TARGET / "parsed.msgpack"
QUERIES: Final = TARGET / "queries.json"
WRITTEN_BY_DBT: Final = ("target", "logs", "dbt_packages")
USUAL_TEST: Final = {"fail_calc": "count(*)", "warn_if": "!= 0", "error_if": "!= 0", "limit": None, "store_failures": None}
DATABASE: Final = "analytics"
"""DuckDB's name for the warehouse at its usual place; the queries name their tables with it."""

ConfigSettings = dict[str, Any] | None

get_requires_for_build_sdist = build_meta.get_requires_for_build_sdist
get_requires_for_build_wheel = build_meta.get_requires_for_build_wheel
get_requires_for_build_editable = build_meta.get_requires_for_build_editable
prepare_metadata_for_build_wheel = build_meta.prepare_metadata_for_build_wheel
prepare_metadata_for_build_editable = build_meta.prepare_metadata_for_build_editable
build_sdist = build_meta.build_sdist  # a wheel is made from it with dbt at hand, so it needs no manifest


def build_wheel(wheel_directory: str, config_settings: ConfigSettings = None, metadata_directory: str | None = None) -> str:
    """The wheel, with a manifest of exactly the models in it."""
    prepare_manifest()
    return str(build_meta.build_wheel(wheel_directory, config_settings, metadata_directory))


def build_editable(wheel_directory: str, config_settings: ConfigSettings = None, metadata_directory: str | None = None) -> str:
    """The link to this checkout; its manifest is prepared in place."""
    if not is_prepared():
        prepare_manifest()
    # setuptools says of every editable install that folders may take precedence over it
    warnings.filterwarnings("ignore", message="\\s*Editable installation")
    return str(build_meta.build_editable(wheel_directory, config_settings, metadata_directory))


def is_prepared() -> bool:
    """Whether the manifest is younger than every file of the dbt project, and than the folders they could have left."""
    if not all(file.exists() for file in (MANIFEST, PARSED, QUERIES)):
        return False
    parsed_at = MANIFEST.stat().st_mtime
    parts = [part for part in DBT_PROJECT.iterdir() if part.name not in WRITTEN_BY_DBT]
    return all(path.stat().st_mtime <= parsed_at for part in parts for path in (part, *part.rglob("*")))


def prepare_manifest() -> None:
    """Let dbt compile the project, without a warehouse, and put what came of it in its place, each file in one step.

    manifest.json is for Dagster. queries.json has the query of each model and test, with the variables as they are by
    default and without the name of a database: a sync runs those. parsed.msgpack is the manifest in the form that dbt itself
    reads, so that compiling for other variables does not begin with parsing; what dbt keeps there about the files of this
    machine is left out.

    Raises:
        SystemExit: dbt refused the project, and has said why, or the project asks for what no sync does.
    """
    from dbt.contracts.graph.manifest import Manifest  # two seconds, which most builds never need

    TARGET.mkdir(exist_ok=True)
    # variables of dbt would end up in the manifest, or parse another target
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DBT_")}
    with tempfile.TemporaryDirectory(dir=TARGET, prefix=".parse-") as folder:
        command = [
            *(sys.executable, "-c", "from dbt.cli.main import cli; cli()"),
            *("--quiet", "--log-level-file", "none", "--log-path", folder, "--no-send-anonymous-usage-stats"),
            *("compile", "--project-dir", str(DBT_PROJECT), "--profiles-dir", str(DBT_PROJECT), "--target-path", folder),
            *("--select", "resource_type:model", "resource_type:test"),
            *("--vars", json.dumps({"warehouse_path": f"{folder}/{DATABASE}.duckdb"})),
        ]
        if subprocess.run(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, check=False).returncode != 0:
            sys.exit("dbt could not compile analytics_assets/dbt_project, see above.")
        parsed = Manifest.from_msgpack((Path(folder) / "partial_parse.msgpack").read_bytes())
        parsed.files = {}
        (Path(folder) / PARSED.name).write_bytes(parsed.to_msgpack())
        manifest = json.loads((Path(folder) / MANIFEST.name).read_text())
        if refused := "\n".join(what_no_sync_does(manifest["nodes"].values())):
            sys.exit(refused)
        queries = {}
        for name, node in manifest["nodes"].items():
            if node["resource_type"] in ("model", "test"):
                queries[name] = node["compiled_code"].replace(f'"{DATABASE}".', "")
            for of_this_run in ("compiled", "compiled_code", "compiled_path"):
                node.pop(of_this_run, None)
        (Path(folder) / MANIFEST.name).write_text(json.dumps(manifest))
        (Path(folder) / QUERIES.name).write_text(json.dumps(queries, indent=1, sort_keys=True))
        (Path(folder) / QUERIES.name).replace(QUERIES)
        (Path(folder) / PARSED.name).replace(PARSED)
        (Path(folder) / MANIFEST.name).replace(MANIFEST)


def what_no_sync_does(nodes: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """What models and tests ask for that only dbt itself does, in a sentence each: a sync runs their queries without dbt.

    Args:
        nodes: models and tests of dbt's manifest.
    """
    for node in nodes:
        config, name = node["config"], f"{node['original_file_path']}: {node['name']}"
        if node["resource_type"] == "model":
            if config["materialized"] not in ("table", "view"):
                yield f"{name} is materialized as {config['materialized']}; a sync makes tables and views."
            if config["pre-hook"] or config["post-hook"]:
                yield f"{name} has hooks, which no sync runs; write what they do into the query."
            if node["constraints"] or any(column["constraints"] for column in node["columns"].values()):
                yield f"{name} has constraints, which no sync makes; say the same with a test."
        elif node["resource_type"] == "test":
            if unusual := [key for key, usual in USUAL_TEST.items() if config[key] != usual]:
                yield f"{name} sets {' and '.join(unusual)}; a sync counts the rows that the test finds, and takes none for good."
        elif node["resource_type"] not in ("operation", "analysis"):
            yield f"{name} is a {node['resource_type']}, which no sync makes."


if __name__ == "__main__":
    prepare_manifest()
