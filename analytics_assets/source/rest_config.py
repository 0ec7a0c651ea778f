"""The seven resources as dlt's declarative REST API configuration.

Addresses, parameters and defaults belong here; what an answer must be stands in `answers.py`, when a list ends in
`paging.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from dlt.common.schema.typing import TColumnSchema
from dlt.sources.rest_api.typing import EndpointResource, RESTAPIConfig

from analytics_assets.source.answers import AnswerGate
from analytics_assets.source.arrow import RecordReader, UndeclaredColumns
from analytics_assets.source.columns import READ_AT, TABLES, Table
from analytics_assets.source.http import API_KEY_HEADER, ApiSession, HttpLimits
from analytics_assets.source.journal import Journal
from analytics_assets.source.paging import SettledPaging
from analytics_assets.source.routes import PATHS
from analytics_assets.source.window import Window

DEFAULT_PAGE_SIZE: Final = 50

ExtraParams = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Reading:
    """What one read of the API is to cover, and how.

    Args:
        page_size: rows asked per page.
        window: span of the time entries; None reads all of them.
        limits: how hard the API may be asked.
        extra_params: resource → further query parameters, for example `{"users": {"account-statuses": "LIMITED"}}`.
        journal: filled while the API is read.
        undeclared: columns that the destination has for fields that nobody declared.
        column_hints: whether dlt is told the declared columns, so that JSON becomes JSON where it loads. It checks
            them anew for each page (17 ms), which a landing, whose tables are typed when they are published, can spare.
    """

    page_size: int = DEFAULT_PAGE_SIZE
    window: Window | None = None
    limits: HttpLimits = field(default_factory=HttpLimits)
    extra_params: ExtraParams = field(default_factory=dict)
    journal: Journal = field(default_factory=Journal)
    undeclared: UndeclaredColumns = field(default_factory=UndeclaredColumns)
    column_hints: bool = True


def rest_config(api_key: str, api_url: str, workspace_id: str, reading: Reading) -> RESTAPIConfig:
    """The configuration of `dlt.sources.rest_api` for one workspace."""
    root = api_url.rstrip("/")
    return {
        "client": {
            "base_url": f"{root}/v1/workspaces/{workspace_id}/",
            "auth": {"type": "api_key", "name": API_KEY_HEADER, "api_key": api_key, "location": "header"},
            "session": ApiSession(root, reading.limits, reading.journal),
        },
        "resource_defaults": {
            "primary_key": "id",
            "write_disposition": "merge",
            "endpoint": {"data_selector": "data", "params": {"page-size": reading.page_size}},
        },
        "resources": [_resource(table, reading) for table in TABLES.values()],
    }


def _resource(table: Table, reading: Reading) -> EndpointResource:
    window = reading.window if table.name == "time_entries" else None
    params: dict[str, Any] = {**(window.params if window else {}), **reading.extra_params.get(table.name, {})}
    resource: EndpointResource = {
        "name": table.name,
        "columns": column_hints(table) if reading.column_hints else {},
        "endpoint": {
            "path": PATHS[table.name],
            "params": params,
            "paginator": SettledPaging(table.name, reading.page_size, reading.journal),
            "response_actions": [AnswerGate(table, RecordReader(table, reading.undeclared), reading.journal, window)],
        },
    }
    if table.parent is not None:
        resource["include_from_parent"] = ["id"]
        resource["parallelized"] = True
    return resource


def column_hints(table: Table) -> dict[str, TColumnSchema]:
    """The declared columns as dlt's column schemas, and which reading of a row dlt keeps where a list was read twice."""
    latest: TColumnSchema = {"name": READ_AT, "data_type": "timestamp", "dedup_sort": "desc"}
    declared: dict[str, TColumnSchema] = {
        column.name: {
            "name": column.name,
            "data_type": column.data_type,
            "nullable": column.nullable,
            "description": column.description,
        }
        for column in table.columns
    }
    return {**declared, READ_AT: latest}
