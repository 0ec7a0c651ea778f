"""The checks of the raw tables: what a load may have brought that nobody would want to bill from.

What the models make of it is checked by dbt tests, which stand beside the models. Whether the API says the same is the
check `raw_matches_api` in `checks.py`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final, cast

from dagster import (
    AssetCheckExecutionContext,
    AssetCheckKey,
    AssetCheckResult,
    AssetChecksDefinition,
    AssetCheckSeverity,
    AssetCheckSpec,
    AssetKey,
    DagsterInstance,
    TableSchemaMetadataValue,
    multi_asset_check,
)

from analytics_assets.orchestration.dbt_events import found_rows, sample_of
from analytics_assets.orchestration.failures import failures_in_a_sentence
from analytics_assets.orchestration.keys import Keys
from analytics_assets.orchestration.raw_metadata import COLUMN_SCHEMA
from analytics_assets.orchestration.resources import Warehouse
from analytics_assets.source.columns import TABLES, ResourceName, Table
from analytics_assets.warehouse.connection import connection
from analytics_assets.warehouse.counting import counts
from analytics_assets.warehouse.tables import HISTORY, PUBLICATIONS, RAW, literal

DROP_SHARE: Final = 0.2
DROP_ROWS: Final = 20
COLUMNS_CHECK: Final = "columns_did_not_change"
COLUMNS_DESCRIPTION: Final = (
    "The API sends the same fields as at the load before. New ones get a column of their own, which no model reads."
)
MATERIALIZATIONS_LOOKED_AT: Final = 500
"""Those of two loads of all history, with one for each of twenty years of months."""
MATERIALIZATIONS_AT_A_TIME: Final = 10


@dataclass(frozen=True)
class RawCheck:
    """A check of one raw table: what holds, how much it matters, and the query that finds what breaks it."""

    name: str
    resource: ResourceName
    description: str
    severity: AssetCheckSeverity
    query: str

    def key(self, keys: Keys) -> AssetCheckKey:
        """The check as Dagster names it."""
        return AssetCheckKey(keys.raw(self.resource), self.name)


def raw_checks() -> list[RawCheck]:
    """All of them, table by table."""
    return [check for table in TABLES.values() for check in _checks_of(table)]


def _checks_of(table: Table) -> Iterator[RawCheck]:
    place = f"{RAW}.{table.name}"
    yield RawCheck(
        "ids_are_unique",
        table.name,
        "Each id stands once in the table. No sync writes one twice; rows here were written by somebody with SQL, and the next "
        "sync of the table leaves one of each.",
        AssetCheckSeverity.ERROR,
        f"SELECT id, count(*) AS times FROM {place} GROUP BY id HAVING count(*) > 1",
    )
    if table.name == "users":
        yield RawCheck(
            "members_are_there",
            table.name,
            "The API shows at least one member, because the owner of the key should be one. Without members there are no time "
            "entries either: ask whether the key may see them, and check ANALYTICS_WORKSPACE_ID, ANALYTICS_API_URL and "
            "ANALYTICS_EXTRA_PARAMS.",
            AssetCheckSeverity.WARN,
            f"SELECT 'no member' AS found WHERE NOT EXISTS (FROM {place})",
        )
    if table.parent is not None:
        yield RawCheck(
            "parents_are_known",
            table.name,
            f"Each row stands in the list of a row of {RAW}.{table.parent}, or of one that has been there. Rows here were loaded "
            f"without {table.parent}; load both together.",
            AssetCheckSeverity.WARN,
            f"SELECT id, {table.parent_column} FROM {place} WHERE {table.parent_column} NOT IN "
            f"(SELECT id FROM {RAW}.{table.parent} UNION ALL SELECT id FROM {HISTORY}.{table.parent})",
        )
    yield RawCheck(
        "rows_did_not_drop",
        table.name,
        f"The last load deleted less than {DROP_SHARE:.0%} of the rows that it covered, or fewer than {DROP_ROWS} of them. If "
        "nobody deleted so many on purpose, ask who may see them: a key with fewer rights gets shorter lists. What is gone is "
        f"in {HISTORY}.",
        AssetCheckSeverity.WARN,
        f"SELECT published_at, rows_read, rows_deleted FROM {PUBLICATIONS} WHERE resource = {literal(table.name)} "
        f"AND published_at = (SELECT max(published_at) FROM {PUBLICATIONS} WHERE resource = {literal(table.name)}) "
        f"AND rows_deleted >= {DROP_ROWS} AND rows_deleted >= {DROP_SHARE} * (rows_read + rows_deleted)",
    )


def build_raw_checks(keys: Keys) -> AssetChecksDefinition:
    """The checks in one step, right after the load; one of severity ERROR keeps back the models.

    Args:
        keys: what the assets are called.
    """
    checks = {check.key(keys): check for check in raw_checks()}
    of_columns = {AssetCheckKey(keys.raw(name), COLUMNS_CHECK) for name in TABLES}

    @multi_asset_check(
        name="raw_checks",
        specs=[
            *(
                AssetCheckSpec(
                    key.name,
                    asset=key.asset_key,
                    description=check.description,
                    blocking=check.severity is AssetCheckSeverity.ERROR,
                )
                for key, check in checks.items()
            ),
            *(AssetCheckSpec(key.name, asset=key.asset_key, description=COLUMNS_DESCRIPTION) for key in sorted(of_columns)),
        ],
        can_subset=True,
    )
    def run_raw_checks(context: AssetCheckExecutionContext, warehouse: Warehouse) -> Iterator[AssetCheckResult]:
        asked = sorted(context.selected_asset_check_keys)
        with failures_in_a_sentence(), connection(warehouse.path, read_only=True) as con:
            of_rows = [key for key in asked if key in checks]
            found = counts(con, *(f"({checks[key].query})" for key in of_rows))
            for key, rows in zip(of_rows, found, strict=True):
                yield _result(key, checks[key], rows, sample_of(con, checks[key].query) if rows else [])
            for key in (key for key in asked if key in of_columns):
                yield _columns_result(context.instance, key)

    return run_raw_checks


def _result(key: AssetCheckKey, check: RawCheck, found: int, sample: list[dict[str, str]]) -> AssetCheckResult:
    return AssetCheckResult(
        passed=not found,
        asset_key=key.asset_key,
        check_name=check.name,
        severity=check.severity,
        description=check.description if found else None,
        metadata=found_rows(found, check.query if found else None, sample),
    )


def _columns_result(instance: DagsterInstance, key: AssetCheckKey) -> AssetCheckResult:
    """The columns of the last load against those of the one before.

    Dagster's `build_column_schema_change_checks` compares the last two materializations, and a load of time entries
    leaves one for each month.
    """
    schemas = [*islice(_column_schemas(instance, key.asset_key), 2)]
    now, *earlier = [{(column.name, column.type) for column in each.schema.columns} for each in schemas] or [set()]
    before = earlier[0] if earlier else now
    came = [f"new: {name} ({kind})" for name, kind in sorted(now - before)]
    went = [f"gone: {name} ({kind})" for name, kind in sorted(before - now)]
    return AssetCheckResult(
        passed=not came and not went,
        asset_key=key.asset_key,
        check_name=key.name,
        severity=AssetCheckSeverity.WARN,
        description=f"{COLUMNS_DESCRIPTION} {'; '.join(came + went)}." if came or went else None,
        metadata={"columns": len(now)},
    )


def _column_schemas(instance: DagsterInstance, asset: AssetKey) -> Iterator[TableSchemaMetadataValue]:
    """The columns that an asset had, the last load first; a few events at a time, for each of them costs a millisecond."""
    cursor = None
    for _ in range(0, MATERIALIZATIONS_LOOKED_AT, MATERIALIZATIONS_AT_A_TIME):
        found = instance.fetch_materializations(asset, limit=MATERIALIZATIONS_AT_A_TIME, cursor=cursor)
        for record in found.records:
            made = record.asset_materialization
            if made is not None and COLUMN_SCHEMA in made.metadata:
                yield cast(TableSchemaMetadataValue, made.metadata[COLUMN_SCHEMA])
        if not found.has_more:
            return
        cursor = found.cursor
