"""One page of a list, on its way from an answer of the API to dlt."""

from collections.abc import Mapping
from datetime import datetime

import pyarrow as pa

from analytics_assets.source.columns import READ_AT
from analytics_assets.source.sent_pages import SentPage


class Page:
    """One page of a list: its rows as an Arrow table, without those of a page that was sent before, and what is in it.

    Args:
        rows: the rows that count; none where an earlier answer brought the same ones.
        content: what is in the page, in this answer or in the earlier one.
        read_at: the moment of the answer, UTC.
        last: what the header `Last-Page` says; None where the server does not send it.
        is_refused: whether it stands for a list that can't be read, and holds nothing.

    Attributes:
        ends_list: whether no other page of its list follows, in this pass or another one; the paginator knows that.
    """

    def __init__(
        self, rows: pa.Table, content: SentPage, *, read_at: datetime, last: bool | None, is_refused: bool = False
    ) -> None:
        self.rows = rows
        self.content = content
        self.read_at = read_at
        self.last = last
        self.is_refused = is_refused
        self.ends_list = is_refused
        self.update({READ_AT: read_at})

    @property
    def ids(self) -> list[str]:
        """The ids that the API sent, in their order and each once."""
        return self.content.ids

    def update(self, values: Mapping[str, object]) -> None:
        """Add constant columns; dlt's `include_from_parent` calls this as it would a record's `dict.update`."""
        for name, value in values.items():
            column = pa.repeat(pa.scalar(value), len(self.rows))
            self.rows = self.rows.append_column(name, column)
