"""Single lists read once more, after a whole reading: for rows that may have moved into them while it went on.

The lists, their parameters and what is believed of an answer are those of `rest_config.py`; dlt's client pages.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import pyarrow as pa
from dlt.sources.helpers.rest_client.auth import APIKeyAuth
from dlt.sources.helpers.rest_client.client import RESTClient

from analytics_assets.source.answers import AnswerGate
from analytics_assets.source.columns import Table
from analytics_assets.source.http import API_KEY_HEADER
from analytics_assets.source.page import Page
from analytics_assets.source.paging import SettledPaging
from analytics_assets.source.rest_config import RECORDS, ReadingOptions, base_url, list_params
from analytics_assets.source.sent_pages import SentPages


def read_lists_again(
    api_key: str, api_url: str, workspace_id: str, options: ReadingOptions, table: Table, parents: Sequence[str]
) -> Iterator[pa.Table]:
    """The pages of some lists of a child resource, read anew.

    Args:
        api_key: the key, sent in the header `X-Api-Key`.
        api_url: root of the API.
        workspace_id: the workspace.
        options: those of the reading; its recorder learns of the new readings of the lists.
        table: the child resource.
        parents: the ids of the rows whose lists are read.

    Yields:
        Pages as the source yields them, with the parent's id and the number of the answer.

    Raises:
        SourceError: a list can't be read exactly.
    """
    client = RESTClient(
        base_url=base_url(api_url, workspace_id),
        auth=APIKeyAuth(name=API_KEY_HEADER, api_key=api_key, location="header"),
        session=options.session(api_url),
        data_selector=RECORDS,
    )
    sent_pages = SentPages()
    gate = AnswerGate(
        table,
        options.undeclared,
        options.recorder,
        options.window if table.is_windowed else None,
        options.page_size,
        sent_pages,
    )

    def read(parent_id: str) -> list[pa.Table]:
        pages = client.paginate(
            table.path.format(parent_id=parent_id),
            params=list_params(table, options),
            paginator=SettledPaging(
                table.name,
                options.page_size,
                options.recorder,
                sent_pages,
                first_answer=first_answers[parent_id],
                lists_with_rows=with_rows,
            ),
            hooks={"response": [cast(Any, gate)]},
        )
        tables = []
        for (page,) in cast(Iterator[list[Page]], pages):
            if not page.is_refused:
                page.update({str(table.parent_column): parent_id})
                tables.append(page.rows)
        return tables

    had_rows = {parent_id for parent_id in parents if options.recorder.resources[table.name].rows_of_list.get(parent_id)}
    with_rows = had_rows | options.lists_with_rows.get(table.name, frozenset())
    first_answers = {parent_id: options.recorder.list_opened_again(table.name, parent_id) for parent_id in parents}
    with ThreadPoolExecutor(options.limits.concurrency, thread_name_prefix="second-reading") as pool:
        for tables in pool.map(read, parents):
            yield from tables
