"""The seven resources as dlt's declarative REST API configuration.

Addresses, parameters and defaults belong here; what an answer must be stands in `answers.py`, when a list ends in
`paging.py`.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from dlt.common.jsonpath import compile_path
from dlt.common.schema.typing import TColumnSchema
from dlt.sources.rest_api.typing import EndpointResource, RESTAPIConfig

from analytics_assets.source.answers import AnswerGate
from analytics_assets.source.arrow import UndeclaredColumns
from analytics_assets.source.columns import READ_AT, RESOURCE_NAMES, TABLES, ResourceName, Table
from analytics_assets.source.http import API_KEY_HEADER, HttpLimits, HttpSession
from analytics_assets.source.kept_answers import KeptAnswers
from analytics_assets.source.meter import Meter
from analytics_assets.source.page_size import PageSize
from analytics_assets.source.paging import SettledPaging
from analytics_assets.source.reading import ReadingRecorder
from analytics_assets.source.sent_pages import SentPages
from analytics_assets.source.window import Window

DEFAULT_PAGE_SIZE: Final = 50

RECORDS: Final = compile_path("data")
"""Where dlt finds what an `AnswerGate` has made of an answer. Given as a text, dlt would parse it for each request: 1.7 ms."""

ExtraParams = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class ReadingOptions:
    """What one reading of the API is to cover, and how.

    Args:
        page_size: rows asked per page.
        resources: those that the source has, the parents of each among them.
        window: span of the time entries; None reads all of them.
        limits: how hard the API may be asked.
        extra_params: resource → further query parameters, for example `{"users": {"account-statuses": "LIMITED"}}`.
        recorder: learns what is read.
        meter: counts what it costs.
        undeclared: columns that the destination has for fields that nobody declared.
        lists_with_rows: resource → parents of whose lists the destination has rows ('' where there is no parent); an
            empty answer for one of those is asked for a second time before it is believed.
        column_hints: whether dlt is told the declared columns, so that JSON becomes JSON where it loads. It checks
            them anew for each page (17 ms), which a landing, whose tables are typed when they are published, can spare.
        bundles_pages: whether pages are handed to dlt as few tables, which takes every list read to its end; a limit that dlt is
            given (`add_limit`) would lose what is held back.
        kept_answers: those of a reading that did not come to its end; None where each reading starts anew.
    """

    page_size: PageSize = field(default_factory=lambda: PageSize(DEFAULT_PAGE_SIZE))
    resources: Collection[ResourceName] = RESOURCE_NAMES
    window: Window | None = None
    limits: HttpLimits = field(default_factory=HttpLimits)
    extra_params: ExtraParams = field(default_factory=dict)
    recorder: ReadingRecorder = field(default_factory=ReadingRecorder)
    meter: Meter = field(default_factory=Meter)
    undeclared: UndeclaredColumns = field(default_factory=UndeclaredColumns)
    lists_with_rows: Mapping[ResourceName, frozenset[str]] = field(default_factory=dict)
    column_hints: bool = True
    bundles_pages: bool = False
    kept_answers: KeptAnswers | None = None

    def session(self, api_url: str) -> HttpSession:
        """A session for this reading.

        Args:
            api_url: root of the API.
        """
        return HttpSession(api_url.rstrip("/"), self.limits, self.meter, self.page_size, self.kept_answers)


def rest_config(api_key: str, api_url: str, workspace_id: str, options: ReadingOptions) -> RESTAPIConfig:
    """The configuration of `dlt.sources.rest_api` for one workspace."""
    return {
        "client": {
            "base_url": base_url(api_url, workspace_id),
            "auth": {"type": "api_key", "name": API_KEY_HEADER, "api_key": api_key, "location": "header"},
            "session": options.session(api_url),
        },
        "resource_defaults": {
            "primary_key": "id",
            "write_disposition": "merge",
            "endpoint": {"data_selector": RECORDS},
        },
        "resources": [_resource(TABLES[name], options) for name in options.resources],
    }


def base_url(api_url: str, workspace_id: str) -> str:
    """The address below which all lists of a workspace lie."""
    return f"{api_url.rstrip('/')}/v1/workspaces/{workspace_id}/"


def list_params(table: Table, options: ReadingOptions) -> dict[str, Any]:
    """The query parameters of a resource's lists, beside page and page size."""
    window = options.window if table.is_windowed else None
    return {**(window.params if window else {}), **options.extra_params.get(table.name, {})}


def _resource(table: Table, options: ReadingOptions) -> EndpointResource:
    window = options.window if table.is_windowed else None
    sent_pages = SentPages()
    resource: EndpointResource = {
        "name": table.name,
        "columns": column_hints(table) if options.column_hints else {},
        "endpoint": {
            "path": table.path.format(parent_id=f"{{resources.{table.parent}.id}}"),
            "params": list_params(table, options),
            "paginator": SettledPaging(
                table.name,
                options.page_size,
                options.recorder,
                sent_pages,
                lists_with_rows=options.lists_with_rows.get(table.name, frozenset()),
            ),
            "response_actions": [AnswerGate(table, options.undeclared, options.recorder, window, options.page_size, sent_pages)],
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
