"""Lets dbt write the queries of models and checks for variables that are not the defaults.

Importing this module takes two seconds, because it imports dbt. When that is needed is decided in `dbt_queries.py`.
"""

import contextlib
import json
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, cast

from dagster import DagsterExecutionInterruptedError
from dagster._utils.interrupts import raise_interrupts_as
from dbt.adapters.duckdb.credentials import DuckDBCredentials
from dbt.artifacts.schemas.run import RunExecutionResult
from dbt.cli.main import dbtRunner, dbtRunnerResult
from dbt.contracts.graph.manifest import Manifest
from dbt.contracts.graph.nodes import CompiledNode

from analytics_assets.orchestration.dbt_nodes import PARSED, PROJECT_DIR
from analytics_assets.orchestration.dbt_variables import DbtValue
from analytics_assets.orchestration.failures import failure_of

DATABASE: Final = "compiled_without_a_warehouse"
"""Name of the empty database that dbt compiles for. It is taken out of the queries, so nothing else in them may be called so:
they hold names of clients and members too, from files of the owner's."""


def compile_project(variables: Mapping[str, DbtValue]) -> dict[str, str]:
    """The queries of all models and tests, by dbt's id of the node, without the name of a database. No warehouse is opened.

    Args:
        variables: variables of the dbt project that differ from its defaults.

    Raises:
        Failure: dbt does not take a variable, or can't compile a model with it; says why in a sentence.
        DagsterExecutionInterruptedError: the run was told to end.
    """
    check_variables(variables)
    with TemporaryDirectory() as folder:
        done = _invoke(folder, variables, "compile", "--select", "resource_type:model", "resource_type:test")
    assert isinstance(done.result, RunExecutionResult)
    compiled = [cast(CompiledNode, result.node) for result in done.result.results]
    return {node.unique_id: str(node.compiled_code).replace(f'"{DATABASE}".', "") for node in compiled}


def check_variables(variables: Mapping[str, DbtValue]) -> None:
    """Let the dbt project look at its variables, as it does before a run of dbt by hand.

    Raises:
        Failure: it does not take one.
        DagsterExecutionInterruptedError: the run was told to end.
    """
    with TemporaryDirectory() as folder:
        _invoke(folder, variables, "run-operation", "check_variables")


def parsed_project(warehouse: Path) -> Manifest:
    """The project as dbt parsed it when it was set up, with its relations in this warehouse.

    dbt would parse it again for each warehouse and each change of a variable, which takes five to nine seconds; this takes
    a tenth of one. All that parsing takes from a warehouse is its name; variables are read when a model is compiled.
    """
    database = DuckDBCredentials.path_derived_database_name(str(warehouse))
    project = Manifest.from_msgpack(PARSED.read_bytes())
    for node in (*project.nodes.values(), *project.sources.values()):
        if node.relation_name is not None:
            node.relation_name = node.relation_name.replace(f'"{node.database}"', f'"{database}"', 1)
        node.database = database
    return project


def _invoke(folder: str, variables: Mapping[str, DbtValue], command: str, *arguments: str) -> dbtRunnerResult:
    nowhere = Path(folder) / f"{DATABASE}.duckdb"
    options = [
        *("--project-dir", str(PROJECT_DIR), "--profiles-dir", str(PROJECT_DIR)),
        # no log file: dbt would leave it open
        *("--target-path", folder, "--log-path", folder, "--log-level-file", "none"),
        *("--vars", json.dumps({"warehouse_path": str(nowhere), **variables})),
        *("--log-level", "none", "--no-send-anonymous-usage-stats", "--no-write-json"),
    ]
    said: list[str] = []
    runner = dbtRunner(manifest=parsed_project(nowhere), callbacks=[lambda event: said.extend(_errors_in(event))])
    try:
        # dbt changes to the folder of its project, and ends on a `KeyboardInterrupt` and on nothing else
        with contextlib.chdir(Path.cwd()), raise_interrupts_as(KeyboardInterrupt):
            done = runner.invoke([command, *arguments, *options])
    except KeyboardInterrupt:
        raise DagsterExecutionInterruptedError from None
    if isinstance(done.exception, KeyboardInterrupt):
        raise DagsterExecutionInterruptedError
    if not done.success:
        reason = " ".join(" ".join(said or [str(done.exception or "it gave no reason")]).split())
        raise failure_of(f"dbt could not compile the models: {reason}")
    return done


def _errors_in(event: Any) -> list[str]:
    return [event.info.msg] if event.info.level == "error" else []
