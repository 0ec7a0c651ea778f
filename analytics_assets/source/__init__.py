"""The REST source: seven resources of one workspace as a dlt source, without any orchestration.

It runs under plain dlt::

    import dlt
    from analytics_assets.source import analytics_source

    dlt.secrets["api_key"] = "..."
    dlt.pipeline("analytics", destination="duckdb", dataset_name="raw").run(
        analytics_source(api_url="https://api.example.com", workspace_id="...")
    )

Only the public face of the source belongs here.
"""

import logging
from collections.abc import Iterable, Iterator
from typing import Any

import dlt
import pyarrow as pa
from dlt.extract.resource import DltResource
from dlt.sources.rest_api import rest_api_resources

from analytics_assets.source.bundling import Bundles
from analytics_assets.source.columns import PARENTS, TABLES, ResourceName
from analytics_assets.source.page import Page
from analytics_assets.source.reading import ReadingRecorder
from analytics_assets.source.rest_config import ReadingOptions, rest_config

__all__ = ["ReadingOptions", "analytics_source"]


@dlt.source(name="analytics", max_table_nesting=0)
def analytics_source(
    api_key: str = dlt.secrets.value,
    api_url: str = dlt.config.value,
    workspace_id: str = dlt.config.value,
    options: ReadingOptions | None = None,
) -> Iterable[DltResource]:
    """The workspace's users, projects, clients, tags, user groups, time entries and tasks.

    Args:
        api_key: the key, sent in the header `X-Api-Key`; by default `dlt.secrets["api_key"]`.
        api_url: root of the API, `/v1/...` follows; by default `dlt.config["api_url"]`.
        workspace_id: the workspace; by default `dlt.config["workspace_id"]`.
        options: what to cover and how; everything, gently, where it is left out.

    Returns:
        Seven resources, `time_entries` fed by `users` and `tasks` by `projects`, merged by `id`.

    Raises:
        SourceError: while extracting, when the API can't be read exactly.
    """
    options = options or ReadingOptions()
    logging.getLogger("dlt").addFilter(_is_not_about_json_hints)
    resources = {resource.name: resource for resource in rest_api_resources(rest_config(api_key, api_url, workspace_id, options))}
    for name in options.resources:
        is_bundled = options.bundles_pages and name not in PARENTS
        resources[name].add_step(Bundles(name, options.recorder) if is_bundled else _tables_of_pages)
        if TABLES[name].parent is not None:
            resources[name].add_step(_ParentRows(name, options.recorder), insert_at=0)
    return list(resources.values())


def _tables_of_pages(pages: list[Page], meta: object = None) -> list[pa.Table]:
    return [page.rows for page in pages if not page.is_refused]


def _is_not_about_json_hints(record: logging.LogRecord) -> bool:
    """dlt warns for each page that a JSON column arrives as text, which is how Arrow carries JSON."""
    return "several column hints were different" not in record.getMessage()


class _ParentRows:
    """The rows that a child's lists are asked for: each parent once, however often its page was read."""

    def __init__(self, child: ResourceName, recorder: ReadingRecorder) -> None:
        self._child = child
        self._recorder = recorder
        self._asked: set[str] = set()

    def __call__(self, tables: list[pa.Table], meta: object = None) -> list[dict[str, Any]]:
        fresh = [row for row in self._ids(tables) if row not in self._asked]
        self._asked.update(fresh)
        self._recorder.parents_found(self._child, len(fresh))
        return [{"id": row} for row in dict.fromkeys(fresh)]

    @staticmethod
    def _ids(tables: list[pa.Table]) -> Iterator[str]:
        for table in tables:
            yield from table.column("id").to_pylist()
