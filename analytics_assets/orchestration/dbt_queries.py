"""The queries of models and checks as a sync runs them: compiled by dbt when the project was set up, or for other variables.

A sync imports dbt only when a variable differs from its default and no sync has compiled for that before. With dbt in the
run, half of a small sync was dbt: four seconds until it has started, and 45 milliseconds of Python for each node.
"""

import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Final

from analytics_assets.orchestration.dbt_nodes import PARSED, QUERIES
from analytics_assets.orchestration.dbt_variables import DbtValue
from analytics_assets.warehouse.places import compiled_file
from analytics_assets.warehouse.replacing import replacing

MADE_FOR: Final = "made for"
COMPILED: Final = "queries"


def queries_for(variables: Mapping[str, DbtValue], warehouse: Path) -> Mapping[str, str]:
    """The queries of all models and tests, by dbt's id of the node; they name tables by schema and name alone.

    Args:
        variables: variables of the dbt project that differ from its defaults.
        warehouse: path of the warehouse file; what was compiled is kept beside it.

    Raises:
        Failure: dbt does not take a variable, or can't compile a model with it; says why in a sentence.
        DagsterExecutionInterruptedError: the run was told to end while dbt compiled.
    """
    if not variables:
        by_default: Mapping[str, str] = json.loads(QUERIES.read_text())
        return by_default
    made_for = sha256(PARSED.read_bytes() + json.dumps(variables, sort_keys=True).encode()).hexdigest()
    kept = compiled_file(warehouse)
    return _kept(kept, made_for) or _compiled(kept, made_for, variables)


def _kept(file: Path, made_for: str) -> Mapping[str, str] | None:
    try:
        found = json.loads(file.read_text())
    except (OSError, ValueError):  # not there, or cut off: it is made again
        return None
    if not isinstance(found, dict) or found.get(MADE_FOR) != made_for:
        return None
    queries: Mapping[str, str] = found[COMPILED]
    return queries


def _compiled(file: Path, made_for: str, variables: Mapping[str, DbtValue]) -> Mapping[str, str]:
    from analytics_assets.orchestration.dbt_compiler import compile_project  # two seconds

    queries = compile_project(variables)
    with replacing(file) as new:
        new.write_text(json.dumps({MADE_FOR: made_for, COMPILED: queries}))
    return queries
