"""When a list has been read to its end, and when what was read can be believed.

One answer shows a list at one moment. Several answers do not: a row that is deleted while pages are read moves the
rows behind it one page forward, and the first of the next page is never seen. So a list of more than one answer is
read again until two passes in a row hold the same ids. A row that a pass missed has moved because another one that
the pass had read was deleted; the next pass lacks that one, so the two passes differ. Of a page that comes again as it
was, the rows stay those of the earlier answer; answers are numbered, and a list that is settled says which of them hold
its rows. A page that says it is the last, followed by an empty one, counts as two answers: the header may have been wrong,
and a deletion in between may have moved the row behind that page into it.

An id that a pass meets twice is a row that has moved while it was read, and the list is read again. Where two passes in a
row are the same byte for byte nothing has moved. Either the list holds that row twice, and of equal ones the first counts. Or
the server sorts anew for each page, by a moment that many rows share, and the row has taken the place of another one, which is
on no page. Pages of another size tell one from the other: they part the list elsewhere.
"""

import time
from collections import Counter
from collections.abc import Set
from itertools import chain
from typing import Any, Final, Self, cast

import pyarrow as pa
import pyarrow.compute as pc
from dlt.sources.helpers.rest_client.paginators import BasePaginator
from requests import Request, Response

from analytics_assets.source.columns import ANSWER, READ_AT, TABLES, ResourceName
from analytics_assets.source.errors import SourceError
from analytics_assets.source.kept_answers import seconds_since, seconds_since_asked
from analytics_assets.source.page import Page
from analytics_assets.source.page_size import SIZES, PageSize, size_in
from analytics_assets.source.reading import ReadingRecorder
from analytics_assets.source.routes import place_of
from analytics_assets.source.sent_pages import SentPages

FIRST_PAGE: Final = 1
MAX_PASSES: Final = 8
USUAL_LIMIT: Final = 50
"""Servers limit pages to 50, 100, 200 or 1000 rows: to a multiple of this."""
PAGES_WITHOUT_NEWS_ALLOWED: Final = 1
EMPTY_PAGES_ALLOWED: Final = 1
"""In a row, of those that say they are not the last; some servers never say that a page is the last."""


class SettledPaging(BasePaginator):
    """Pages from 1 with `page`, to `Last-Page: true` or an empty page, until two passes agree.

    Args:
        resource: whose lists are read.
        page_size: rows asked per page; the same for all pages of a pass. A server may send fewer and have more, so a short
            page alone ends no list.
        recorder: learns of every page and of every list that was finished.
        sent_pages: what the pages held the last time.
        first_answer: number of the first answer; a list that is read anew goes on counting.
        lists_with_rows: parents of whose lists the warehouse has rows; for those an empty answer is asked for twice.
    """

    def __init__(
        self,
        resource: ResourceName,
        page_size: PageSize,
        recorder: ReadingRecorder,
        sent_pages: SentPages,
        *,
        first_answer: int = 1,
        lists_with_rows: Set[str] = frozenset(),
    ) -> None:
        super().__init__()
        self._resource = resource
        self._page_size = page_size
        self._recorder = recorder
        self._sent_pages = sent_pages
        self._first_answer = first_answer
        self._lists_with_rows = lists_with_rows
        self._start_list()

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """dlt copies the paginator for each parent; the recorder is shared by all of them."""
        return type(self)(
            self._resource,
            self._page_size,
            self._recorder,
            self._sent_pages,
            first_answer=self._first_answer,
            lists_with_rows=self._lists_with_rows,
        )

    def _start_list(self) -> None:
        self._has_next_page = True
        self._passes_left = MAX_PASSES
        self._next_answer = self._first_answer
        self._previous_ids: set[str] | None = None
        self._previous_answers = 0
        self._previous_began = 0.0
        self._previous_digests: list[bytes] = []
        self._previous_repeats: set[str] = set()
        self._other_size: int | None = None
        self._is_capped = False
        self._at_first_size: tuple[Counter[str], bytes] = (Counter(), b"")
        self._start_pass()

    def _start_pass(self) -> None:
        self._page = FIRST_PAGE
        self._asked = self._other_size or self._page_size.size
        self._sent: list[list[str]] = []
        self._answers: set[int] = set()
        self._ids: set[str] = set()
        self._digests: list[bytes] = []
        self._repeats: set[str] = set()
        self._first_rows: dict[str, dict[str, Any] | None] = {}
        self._unequal: str | None = None
        self._pages_without_news = 0
        self._empty_pages = 0
        self._pass_began = time.monotonic()

    def init_request(self, request: Request) -> None:
        """Ask for the first page."""
        self._sent_pages.forget(str(request.url))  # of a reading that failed, whose rows were loaded nowhere
        self._start_list()
        self.update_request(request)

    def update_request(self, request: Request) -> None:
        """Ask for the page that is next."""
        if self._page == FIRST_PAGE:
            self._pass_began = time.monotonic()
            self._asked = self._other_size or self._page_size.size
        request.params = {**cast(dict[str, Any], request.params or {}), "page": self._page, "page-size": self._asked}

    def update_state(self, response: Response, data: list[Any] | None = None) -> None:
        """Take note of one answer.

        Raises:
            SourceError: the server repeats itself, or the list never stands still.
        """
        page = _page_in(data)
        if page.is_refused:
            self._has_next_page = False
            self._sent_pages.forget(response.url)
            return
        if page.content.answer is None:
            page.content.answer, self._next_answer = self._next_answer, self._next_answer + 1
            self._sent_pages.keep(response.url, page.content)  # now, for an attempt that fails after all brings no rows
        page.update({ANSWER: page.content.answer})
        known = len(self._ids)
        self._leave_out_repeats(page)
        answered = time.monotonic() - seconds_since(response)
        if not self._answers:
            self._asked = size_in(response.url) or self._asked  # the session may have had to ask for fewer
            self._pass_began = min(self._pass_began, time.monotonic() - seconds_since_asked(response))
        self._repeats.update(self._ids.intersection(page.ids))
        self._ids.update(page.ids)
        self._digests.append(page.content.digest)
        self._sent.append(page.content.sent_ids)
        self._answers.add(page.content.answer)
        parent_id = place_of(response.url).parent_id
        self._recorder.page_read(self._resource, parent_id, page.content.rows, answer=page.content.answer)
        if self._is_last(page):
            shows_its_end = not page.ids or (bool(page.last) and not self._may_be_cut(page))
            began = self._pass_began if shows_its_end else self._previous_began
            self._end_pass(response, parent_id, began=began, ended=answered)
            page.ends_list = not self._has_next_page
            return
        self._pages_without_news = self._pages_without_news + 1 if len(self._ids) == known else 0
        if self._is_stuck():
            raise SourceError(
                f"GET {response.url.split('?', 1)[0]}: page {self._page} holds no row that the pages before it did not hold; "
                "the server seems to ignore the parameter `page`, so its list can't be read completely."
            )
        self._page += 1

    def _is_stuck(self) -> bool:
        """Whether the server seems to send the same pages for ever.

        Rows that are added while pages are read, or a limit of the server's that becomes smaller, bring pages again that the
        pass had already, but no more than it had, and hardly the same one twice; the next pass shows what has come.
        """
        if self._pages_without_news <= PAGES_WITHOUT_NEWS_ALLOWED:
            return False
        return self._sent[-1] == self._sent[-2] or 2 * self._pages_without_news > len(self._sent)

    def _leave_out_repeats(self, page: Page) -> None:
        """Compare the rows that the pass before met twice, and leave out those that an earlier page has brought just so."""
        if self._previous_repeats.isdisjoint(page.ids):
            return
        rows = {row["id"]: row for row in page.rows.to_pylist()}
        taken = []
        for record_id in self._previous_repeats.intersection(page.ids):
            row = rows.get(record_id)
            values = row and {name: value for name, value in row.items() if value is not None and name not in (READ_AT, ANSWER)}
            if record_id not in self._first_rows:
                self._first_rows[record_id] = values
            elif self._first_rows[record_id] == values:
                taken.append(record_id)
            else:
                self._unequal = record_id
        page.rows = page.rows.filter(pc.invert(pc.is_in(page.rows.column("id"), pa.array(taken, pa.string()))))
        page.content.rows = len(page.rows)

    def _is_last(self, page: Page) -> bool:
        """Whether the pass is over.

        `Last-Page: true` is believed of a page that is not full, nor as long as a server's own limit might be: some count
        wrongly, and the next page shows it. Without the header only an empty page ends a list, whatever other lists have shown.
        An empty page that says it is not the last may be one whose rows the key may not see: the page behind it is asked for,
        and where that is empty too it is the end. A later pass has seen enough once it holds the same ids as the one before,
        which had to ask for an empty page.
        """
        if not page.ids:
            self._empty_pages += 1
            return page.last is not False or self._empty_pages > EMPTY_PAGES_ALLOWED
        self._empty_pages = 0
        is_seen_before = len(self._answers) + 1 == self._previous_answers and self._ids == self._previous_ids
        if page.last is None:
            return is_seen_before
        return page.last and (not self._may_be_cut(page) or is_seen_before)

    def _may_be_cut(self, page: Page) -> bool:
        """Whether a page is full, or as long as a server's own limit would be that its header knows nothing of."""
        sent = len(page.content.sent_ids)
        return sent >= self._asked or (sent > 0 and sent % USUAL_LIMIT == 0)

    def _end_pass(self, response: Response, parent_id: str, *, began: float, ended: float) -> None:
        # `began` is that of the pass before where only that one looked behind the last page: a row may have come there since
        is_one_answer = len(self._answers) == 1
        if self._other_size is None:
            self._is_capped = max(map(len, self._sent)) < self._asked
        if not self._ids and parent_id in self._lists_with_rows:
            is_one_answer = False  # an empty list would delete them all, and some servers answer one when they are ill
        is_same = self._digests == self._previous_digests[: len(self._digests)]
        is_settled = is_one_answer or (self._ids == self._previous_ids and (is_same or not self._repeats))
        if is_settled and self._repeats and self._unequal is not None:
            raise SourceError(
                f"GET {response.url.split('?', 1)[0]}: two different records of {self._resource} have the id {self._unequal} in "
                "one list, which was the same each time it was read; nothing was loaded, for nobody can say which one is right."
            )
        if is_settled and (not self._repeats or self._is_whole(response)):
            self._has_next_page = False
            self._sent_pages.forget(response.url)
            self._recorder.list_finished(self._resource, parent_id, self._answers, self._ids, began=began, ended=ended)
            return
        self._passes_left -= 1
        if not self._passes_left:
            raise SourceError(
                f"GET {response.url.split('?', 1)[0]}: the list changed each of the {MAX_PASSES} times it was read, so that "
                f"no reading is sure to be complete; sync again {', or '.join(['at a quieter time', *self._fewer_pages()])}."
            )
        if self._repeats:
            self._sent_pages.forget(response.url)  # a row that stands on two pages may be newer on either
        self._recorder.list_started_over(self._resource, parent_id)
        self._previous_ids = self._ids
        self._previous_began = self._pass_began
        self._previous_answers = len(self._answers)
        self._previous_digests = self._digests
        self._previous_repeats = self._repeats
        self._start_pass()

    def _is_whole(self, response: Response) -> bool:
        """Whether a list that stands still lacks nothing although rows are on two of its pages; asks for pages of another size.

        Raises:
            SourceError: pages of another size hold other rows, or the server does not know of another size.
        """
        shown = Counter(chain.from_iterable(self._sent)), self._digests[0]
        if self._other_size is None:
            self._other_size = max(map(len, self._sent)) * 2 // 3 or 2
            self._at_first_size = shown
            return False
        is_other_page = shown[1] != self._at_first_size[1]
        if is_other_page and shown[0] == self._at_first_size[0]:
            return True
        ways = self._fewer_pages()
        way_out = f"Sync again {', or '.join(ways)}" if ways else "Ask whoever runs the API for lists in a fixed order"
        raise SourceError(
            f"GET {response.url.split('?', 1)[0]}: the record {min(self._repeats)} of {self._resource} is on two pages, and with "
            f"{self._other_size} rows per page {'other rows come' if is_other_page else 'the same pages come'}: the server seems "
            "to sort anew for each page, so that another record may be on none; nothing was loaded. "
            f"{way_out}."
        )

    def _fewer_pages(self) -> list[str]:
        """How this list may be had on fewer pages; larger ones are no way where the server caps them."""
        larger = [] if self._is_capped or self._page_size.size >= SIZES[0] else ["with a larger ANALYTICS_PAGE_SIZE"]
        return [*larger, *(["with fewer months at a time"] if TABLES[self._resource].is_windowed else [])]


def _page_in(data: list[Any] | None) -> Page:
    """The page that `answers.py` made of the answer, as dlt found it there."""
    assert data is not None and len(data) == 1
    return cast(Page, data[0])
