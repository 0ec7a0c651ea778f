"""How a model or check ended, as Dagster's event about it."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import duckdb
from dagster import AssetCheckResult, AssetCheckSeverity, MetadataValue, Output, TableMetadataValue, TableRecord

from analytics_assets.orchestration.dbt_nodes import DbtNodes
from analytics_assets.warehouse.built import Built

UNCHANGED_SINCE: Final = "unchanged since"
"""Name of the figure in the metadata of a model or check that was left as it was."""
ROW_COUNT: Final = "dagster/row_count"
FAILED_ROWS: Final = "rows found"
SAMPLE: Final = "some of the rows"
QUERY: Final = "query for all of them"
SAMPLED_ROWS: Final = 5
PREVIEW: Final = "some rows"
SECONDS: Final = "seconds"


def event_of(nodes: DbtNodes, node: str, report: Mapping[str, Any], rows: int | None, unchanged: Built | None = None) -> Any:
    """The event; None about a model that was not built.

    Args:
        nodes: the models and tests.
        node: which of them.
        report: how it ended: `status`, `seconds`, of a model its `figures` (see `model_figures.py`) and `preview`, and of
            a check that found rows `failures`, `query` and `sample`.
        rows: how many rows a model has.
        unchanged: the note that this is told from, where nothing was built.
    """
    if unchanged is None:
        when: dict[str, Any] = {SECONDS: round(float(report["seconds"]), 3)}
    else:
        when = {UNCHANGED_SINCE: unchanged.built_at.isoformat(timespec="seconds")}
    if node in nodes.tests:
        return _check_result(nodes, node, report, when)
    if report["status"] != "success":
        return None
    metadata = {ROW_COUNT: rows, **report.get("figures", {}), **when}
    if preview := report.get("preview"):
        metadata[PREVIEW] = as_table(preview)
    return Output(None, output_name=nodes.asset_key(node).to_python_identifier(), metadata=metadata)


def _check_result(nodes: DbtNodes, node: str, report: Mapping[str, Any], when: Mapping[str, Any]) -> AssetCheckResult:
    key, status = nodes.check_key(node), report["status"]
    found = found_rows(report["failures"] or 0, report.get("query"), report.get("sample"))
    return AssetCheckResult(
        passed=status == "pass",
        asset_key=key.asset_key,
        check_name=key.name,
        severity=AssetCheckSeverity.WARN if status == "warn" else AssetCheckSeverity.ERROR,
        description=None if status == "pass" else nodes.tests[node]["description"],
        metadata={**when, **found},
    )


def found_rows(count: int, query: str | None, sample: Sequence[Mapping[str, str]] | None) -> dict[str, Any]:
    """What the metadata of a check says about the rows that it has found: how many, some of them, and the query."""
    metadata: dict[str, Any] = {FAILED_ROWS: count}
    if sample:
        metadata[SAMPLE] = as_table(sample)
    if query:
        metadata[QUERY] = MetadataValue.md(f"```sql\n{query.strip()}\n```")
    return metadata


def as_table(rows: Sequence[Mapping[str, str]]) -> TableMetadataValue:
    """Rows as a table of the UI."""
    return MetadataValue.table([TableRecord(dict(row)) for row in rows])


def sample_of(con: duckdb.DuckDBPyConnection, query: str, rows: int = SAMPLED_ROWS) -> list[dict[str, str]]:
    """Some of the rows of a query, as text, such as those that a check has found."""
    found = con.execute(f"SELECT columns(*)::VARCHAR FROM (\n{query}\n) LIMIT {rows}")
    names = [column[0] for column in found.description]
    return [{name: "" if value is None else value for name, value in zip(names, row, strict=True)} for row in found.fetchall()]
