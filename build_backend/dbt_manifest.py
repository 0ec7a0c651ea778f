"""Builds the package with setuptools, after dbt has parsed its models into the manifest that Dagster loads.

The hooks of PEP 517 and 660 belong here, and what prepares the manifest: whoever installs a wheel has it, and loading
definitions neither runs dbt nor writes. Run as a script, it prepares the manifest of this checkout.
"""

import json
import os
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any, Final

from setuptools import build_meta

ROOT: Final = Path(__file__).resolve().parent.parent
DBT_PROJECT: Final = ROOT / "analytics_assets" / "dbt_project"
TARGET: Final = DBT_PROJECT / "target"
MANIFEST: Final = TARGET / "manifest.json"
PARSED: Final = TARGET / "parsed.msgpack"
WRITTEN_BY_DBT: Final = ("target", "logs", "dbt_packages")
DEFAULT_WAREHOUSE: Final = ROOT / "data" / "analytics.duckdb"

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
    if not (MANIFEST.exists() and PARSED.exists()):
        return False
    parsed_at = MANIFEST.stat().st_mtime
    parts = [part for part in DBT_PROJECT.iterdir() if part.name not in WRITTEN_BY_DBT]
    return all(path.stat().st_mtime <= parsed_at for part in parts for path in (part, *part.rglob("*")))


def prepare_manifest() -> None:
    """Let dbt parse the project, without a warehouse, and put what came of it in its place, each file in one step.

    manifest.json is for Dagster. parsed.msgpack is the same in the form that dbt itself reads, so that no run has to parse;
    what dbt keeps there about the files of this machine is left out, and the half of dbt's macros that no model can call.

    Raises:
        SystemExit: dbt refused the project; it has said why.
    """
    from dbt.contracts.graph.manifest import Manifest  # two seconds, which most builds never need

    TARGET.mkdir(exist_ok=True)
    # variables of dbt would end up in the manifest, or parse another target
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DBT_")}
    with tempfile.TemporaryDirectory(dir=TARGET, prefix=".parse-") as folder:
        command = [
            *(sys.executable, "-c", "from dbt.cli.main import cli; cli()"),
            *("--quiet", "--log-level-file", "none", "--log-path", folder, "--no-send-anonymous-usage-stats"),
            *("parse", "--project-dir", str(DBT_PROJECT), "--profiles-dir", str(DBT_PROJECT), "--target-path", folder),
            *("--vars", json.dumps({"warehouse_path": str(DEFAULT_WAREHOUSE)})),  # only its name gets into the manifest
        ]
        if subprocess.run(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, check=False).returncode != 0:
            sys.exit("dbt could not parse analytics_assets/dbt_project, see above.")
        parsed = Manifest.from_msgpack((Path(folder) / "partial_parse.msgpack").read_bytes())
        parsed.files = {}
        drop_unreachable_macros(parsed)
        (Path(folder) / PARSED.name).write_bytes(parsed.to_msgpack())
        (Path(folder) / PARSED.name).replace(PARSED)
        (Path(folder) / MANIFEST.name).replace(MANIFEST)


def drop_unreachable_macros(parsed: Any) -> None:
    """Leave out of a parsed project dbt's macros for what it does not have: seeds, snapshots, incremental models, other engines.

    dbt makes an object of each macro for each model and test: with all 622 of them that is a tenth of what it takes for them.

    Args:
        parsed: dbt's `Manifest`, which is changed.
    """
    from dbt.adapters.base import impl as any_adapter
    from dbt.adapters.sql import impl as sql_adapter

    called_by_adapters = [
        value for module in (any_adapter, sql_adapter) for name, value in vars(module).items() if name.endswith("_MACRO_NAME")
    ]
    reachable: set[str] = set()
    waiting = [macro for node in parsed.nodes.values() for macro in node.depends_on.macros]
    waiting += [
        macro
        for macro, found in parsed.macros.items()
        if found.package_name == parsed.metadata.project_name or "unit_test" in found.original_file_path
    ]
    waiting += [
        f"macro.dbt.{name}" for name in ("materialization_test_default", "materialization_unit_default", *called_by_adapters)
    ]
    while waiting:
        macro = waiting.pop()
        if macro in parsed.macros and macro not in reachable:
            reachable.add(macro)
            waiting += parsed.macros[macro].depends_on.macros
    parsed.macros = {macro: found for macro, found in parsed.macros.items() if macro in reachable}


if __name__ == "__main__":
    prepare_manifest()
