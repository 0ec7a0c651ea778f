"""What each model and check was built from, so that a sync builds again only what would come out differently.

Only the notes belong here; which models and checks there are, and what they depend on, is known where dbt is run. The
dbt project itself forgets a note before it builds what the note is about (`macros/built.sql`), whoever runs it.
"""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import duckdb
import pyarrow as pa

from analytics_assets.source.columns import TABLES
from analytics_assets.warehouse.counting import counts
from analytics_assets.warehouse.given import keep_columns, keep_values
from analytics_assets.warehouse.tables import BUILT, HISTORY, PUBLICATIONS, RAW, quoted

Relation = tuple[str, str]
"""Schema and name."""


@dataclass(frozen=True)
class Built:
    """A model or check as it was built last.

    `built_from` is the fingerprint of all that it depends on, `rows` what a model had then (None for a check), and
    `report` what dbt said about it.
    """

    built_from: str
    rows: int | None
    report: Mapping[str, Any]
    built_at: datetime


def states_of_raw(con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """The state of each raw table with its history, as a text that is another one when their rows are others.

    It is made of the last publication that changed a row, and of how many rows there are, which finds most of what was
    done to a table by hand. The daily build and `verify` find the rest.
    """
    published = {
        name: (changed_at, voided)
        for name, changed_at, voided in con.execute(
            "SELECT resource, max(published_at) FILTER (rows_new > 0 OR rows_changed > 0 OR rows_deleted > 0), count(voided_at) "
            f"FROM {PUBLICATIONS} GROUP BY resource"
        ).fetchall()
    }
    rows = counts(con, *(f"{schema}.{name}" for name in TABLES for schema in (RAW, HISTORY)))
    return {
        str(name): repr((*published.get(name, ()), now, earlier))
        for name, now, earlier in zip(TABLES, rows[::2], rows[1::2], strict=True)
    }


def fingerprint(parts: Iterable[str]) -> str:
    """One short text that is another one when a part is."""
    return sha256("\n".join(parts).encode()).hexdigest()


def built_nodes(con: duckdb.DuckDBPyConnection, relations: Mapping[str, Relation]) -> dict[str, Built]:
    """What was built and is there still, by the node's id.

    Args:
        con: a connection to the warehouse.
        relations: where each model lies. One that is gone, or has another number of rows than it was built with, is
            not there still; of a view only its presence is looked at, because counting it means computing it.
    """
    kinds = kinds_of_relations(con)
    tables = {relation for relation in relations.values() if kinds.get(relation) == "table"}
    counted = dict(zip(tables, counts(con, *map(place, tables)), strict=True))
    found = {}
    for node, built_from, rows, report, built_at in con.execute(
        f"SELECT node, built_from, row_count, report, built_at FROM {BUILT}"
    ).fetchall():
        if node in relations:
            relation = relations[node]
            if relation not in kinds or (relation in counted and counted[relation] != rows):
                continue
        found[node] = Built(built_from, rows, json.loads(report), built_at)
    return found


def kinds_of_relations(con: duckdb.DuckDBPyConnection) -> dict[Relation, str]:
    """All tables and views of the warehouse: `table` or `view`."""
    return {
        (schema, name): "view" if kind == "VIEW" else "table"
        for schema, name, kind in con.execute(
            "SELECT table_schema, table_name, table_type FROM information_schema.tables WHERE table_catalog = current_database()"
        ).fetchall()
    }


def place(relation: Relation) -> str:
    """The relation as SQL names it."""
    return ".".join(quoted(part) for part in relation)


def note_built(con: duckdb.DuckDBPyConnection, nodes: Mapping[str, Built]) -> None:
    """Note what was built, in the place of earlier notes about the same nodes; nothing where every node failed."""
    if not nodes:
        return
    con.execute("BEGIN TRANSACTION")
    forget_built(con, nodes)
    built = nodes.values()
    keep_columns(  # one statement for all of them; for DuckDB a hundred would be a hundred times the work
        con,
        "built_now",
        node=pa.array(list(nodes), pa.string()),
        built_from=pa.array([each.built_from for each in built], pa.string()),
        row_count=pa.array([each.rows for each in built], pa.int64()),
        report=pa.array([json.dumps(each.report) for each in built], pa.string()),
        built_at=pa.array([each.built_at for each in built], pa.timestamp("us", "UTC")),
    )
    con.execute(f"INSERT INTO {BUILT} BY NAME FROM built_now")
    con.execute("COMMIT")


def forget_built(con: duckdb.DuckDBPyConnection, nodes: Collection[str]) -> None:
    """Forget what some nodes were built from, so that they are built again."""
    keep_values(con, "forgotten", nodes)
    con.execute(f"DELETE FROM {BUILT} WHERE node IN (SELECT value FROM forgotten)")


def this_day() -> str:
    """The date that counts as today in the models."""
    return datetime.now(UTC).date().isoformat()
