"""What an answer of the API must be to be believed, and how one becomes a page of rows.

An `AnswerGate` stands on every endpoint as a response action of dlt's REST API source. It lets through lists of
records with ids, in either envelope, and turns everything else into one clear sentence: another attempt, a parent
that is skipped, or the end of the run.
"""

import logging
import math
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Self

import orjson
import pyarrow as pa
import requests

from analytics_assets.source.answer_file import LAST_PAGE
from analytics_assets.source.arrow import Record, RecordReader, UndeclaredColumns
from analytics_assets.source.columns import PARENTS, Table
from analytics_assets.source.envelopes import tells_of_an_error
from analytics_assets.source.errors import ListRefusedError, PageSizeRefusedError, SourceError, TransientAnswerError
from analytics_assets.source.http import RETRY_STATUSES
from analytics_assets.source.in_words import described, message, shown, where
from analytics_assets.source.kept_answers import seconds_since
from analytics_assets.source.page import Page
from analytics_assets.source.page_size import PageSize, is_first_page, size_in
from analytics_assets.source.reading import ReadingRecorder
from analytics_assets.source.retrying import ASK_LESS_OFTEN, CHECK_PROXY, KEEP_NO_ANSWERS, retry_after_seconds
from analytics_assets.source.routes import place_of
from analytics_assets.source.sent_pages import SentPage, SentPages, digest_of
from analytics_assets.source.typed import typed_reader
from analytics_assets.source.values import BYTE_ORDER_MARK, parsed_json, record_with_half_a_sign, to_json
from analytics_assets.source.window import Window

logger = logging.getLogger(__name__)

SERVER_GAVE_UP: Final = frozenset({500, 502, 504})
PARENT_REFUSED_STATUSES: Final = frozenset({400, 403, 404})
LARGE_BODY_BYTES: Final = 16 * 2**20
_PATH_SEGMENT = re.compile(r"(?!\.{1,2}\Z)[^\s\x00-\x1f\x7f/\\?#%;{}\[\]]+")
"""Texts that a part of an address can be: `requests` encodes what must be, and the server reads the same text again."""


Rows = tuple[pa.Table, list[str], list[str]]
"""The rows of an answer, their ids, and the ids of all records that were sent, those included that came twice."""


class AnswerGate:
    """The response action of one resource.

    Args:
        table: what the resource's rows look like.
        undeclared: the columns of fields that nobody declared.
        window: keeps entries whose own start lies in it; None keeps all.
        recorder: learns of lists that were refused.
        page_size: learns at which size lists are answered.
        sent_pages: what the pages held the last time, as the paginator keeps it.
    """

    def __init__(
        self,
        table: Table,
        undeclared: UndeclaredColumns,
        recorder: ReadingRecorder,
        window: Window | None,
        page_size: PageSize,
        sent_pages: SentPages,
    ) -> None:
        self._table = table
        self._page_size = page_size
        self._typed = typed_reader(table.name)
        self._careful = RecordReader(table, undeclared)
        self._recorder = recorder
        self._window = window
        self._sent_pages = sent_pages
        self._no_rows = self._kept(self._careful.read([]))

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """dlt copies a REST configuration to validate it; all copies share this one object."""
        return self

    def __call__(self, response: requests.Response, *args: Any, **kwargs: Any) -> requests.Response:
        """Check one answer and make its `Page` what dlt finds in it as JSON.

        Raises:
            TransientAnswerError: another attempt may bring a proper answer.
            PageSizeRefusedError: a smaller page may be answered.
            ListRefusedError: the list of this one parent can't be read, and is skipped.
            SourceError: the answer can't be believed.
        """
        is_refused = self._is_refused(response)
        page = self._nothing() if is_refused else self._page(response)
        response.json = lambda **_: {"data": [page]}  # type: ignore[method-assign]
        if is_refused:
            raise ListRefusedError(response)
        return response

    def _nothing(self) -> Page:
        """What stands for a list that can't be read."""
        nothing = SentPage(b"", [], [], rows=0)
        return Page(self._no_rows, nothing, read_at=datetime.now(UTC), last=None, is_refused=True)

    def _page(self, response: requests.Response) -> Page:
        if len(response.content) > LARGE_BODY_BYTES:
            logger.warning(
                "%s: a page of %d MiB; a smaller ANALYTICS_PAGE_SIZE would need less memory",
                self._table.name,
                len(response.content) >> 20,
            )
        digest = digest_of(response.content)
        content, rows = self._sent_pages.same(response.url, digest), self._no_rows
        if content is None:
            all_rows, ids, sent_ids = self._typed_rows(response) or self._careful_rows(response)
            rows = self._kept(all_rows)
            content = SentPage(digest, ids, sent_ids, rows=len(rows))
        if (size := size_in(response.url)) is not None:
            self._page_size.answered(self._table.name, size)
        read_at = datetime.now(UTC) - timedelta(seconds=seconds_since(response))
        return Page(rows, content, read_at=read_at, last=_last_page(response))

    def _kept(self, rows: pa.Table) -> pa.Table:
        return rows if self._window is None else self._window.keep(rows)

    def _is_refused(self, response: requests.Response) -> bool:
        """Whether the list of this one parent can't be read, and is skipped; every other answer but a list is raised."""
        status = response.status_code
        if status == 200:
            _assert_not_from_a_cache(response)
            return False
        said = f"{where(response)} answered {status}{message(response)}"
        size = size_in(response.url)
        is_new_size = size is not None and self._page_size.may_be_refused(self._table.name, size)
        if status == 400 and is_new_size and is_first_page(response.url):
            raise PageSizeRefusedError
        if status in RETRY_STATUSES:
            raise TransientAnswerError(
                f"answered {status}{message(response)}",
                retry_after_seconds=retry_after_seconds(response),
                slow_down=status == 429,
                advice=ASK_LESS_OFTEN if status == 429 else "",
                may_be_size=status in SERVER_GAVE_UP,
            )
        if status == 404 and not is_first_page(response.url):
            raise SourceError(
                f"{said} for a page behind pages that it did answer: only an empty page or the header `Last-Page: true` shows "
                "where a list ends, so nobody can say whether this one was read to its end; nothing was loaded. Sync again, or "
                "set a larger ANALYTICS_PAGE_SIZE, which asks for fewer pages."
            )
        if status in PARENT_REFUSED_STATUSES and self._table.parent is not None:
            self._recorder.list_refused(self._table.name, place_of(response.url).parent_id, f"{status}{message(response)}")
            return True
        if status == 407:
            raise SourceError(f"{said}: a proxy between this machine and the API asks for a user and a password. {CHECK_PROXY}")
        if status == 401:
            raise SourceError(f"{said}: the key of ANALYTICS_API_KEY is wrong or has been withdrawn; make a new one.")
        if status == 403:
            raise SourceError(f"{said}: the key of ANALYTICS_API_KEY may not read workspace ANALYTICS_WORKSPACE_ID; check both.")
        if status == 404:
            raise SourceError(f"{said}: check ANALYTICS_API_URL (the part before /v1) and ANALYTICS_WORKSPACE_ID.")
        if status == 400:
            raise SourceError(
                f"{said}: check ANALYTICS_WORKSPACE_ID, ANALYTICS_PAGE_SIZE (it may be too large) and ANALYTICS_EXTRA_PARAMS."
            )
        if 300 <= status < 400 and "Location" in response.headers:
            target = shown(response.headers["Location"], response)
            raise SourceError(
                f"{said} and redirects to {target}: redirects are not followed, so that the key goes to no other host; "
                "set ANALYTICS_API_URL to the API's own address."
            )
        if status >= 500:
            raise SourceError(
                f"{said}: the server, or a proxy before it, has failed; sync again later, or check ANALYTICS_API_URL."
            )
        if 400 <= status < 500:
            raise SourceError(
                f"{said}: the API refuses to answer for a reason of its own; sync again later, or ask who runs it, and check "
                "ANALYTICS_API_URL and the workspace's plan."
            )
        raise SourceError(f"{said}, which is not a list of records; check ANALYTICS_API_URL.")

    def _typed_rows(self, response: requests.Response) -> Rows | None:
        """The rows of an answer in which all is as declared, every id is one and none comes twice; None otherwise."""
        rows = self._typed.read(response.content)
        if rows is None:
            return None
        ids: list[str] = rows.column("id").to_pylist()
        if len(set(ids)) < len(ids) or not all(map(self._is_id, ids)):
            return None
        return rows, ids, ids

    def _is_id(self, text: str) -> bool:
        """Whether a text can be an id here; those of members and projects become part of an address."""
        return bool(text) and (self._table.name not in PARENTS or _PATH_SEGMENT.fullmatch(text) is not None)

    def _careful_rows(self, response: requests.Response) -> Rows:
        records = self._records(response)
        sent_ids = [self._id(record, response) for record in records]
        records, ids = self._without_repeats(records, sent_ids, response)
        try:
            return self._careful.read(records), ids, sent_ids
        except (TypeError, RecursionError) as error:
            if (too_deep := _nested_too_deep(records)) is None:
                raise
            raise SourceError(
                f"{where(response)}: the record {too_deep} of {self._table.name} holds lists or objects that are nested some "
                "hundred deep, which can't be written as JSON; nothing was loaded. Correct the record in the workspace."
            ) from error

    def _records(self, response: requests.Response) -> list[Any]:
        body = response.content
        if not body.strip():
            raise TransientAnswerError("answered an empty body instead of a list; check ANALYTICS_API_URL")
        try:
            answer = parsed_json(body.removeprefix(BYTE_ORDER_MARK))
        except orjson.JSONDecodeError as error:
            if (record_id := record_with_half_a_sign(body)) is not None:
                raise SourceError(
                    f"{where(response)}: a text of the record {record_id} of {self._table.name} holds half a sign (a lone "
                    "surrogate, like a cut emoji), which can't be stored; nothing was loaded. Correct it in the workspace."
                ) from error
            kind = "HTML" if body.lstrip()[:1] == b"<" else "a body that is not valid JSON"
            raise TransientAnswerError(
                f"answered {kind} instead of a list ({error.msg} at byte {error.pos}); check ANALYTICS_API_URL"
            ) from error
        if isinstance(answer, list):
            return answer
        if isinstance(answer, dict) and isinstance(answer.get("data"), list):
            if tells_of_an_error(answer):
                raise TransientAnswerError(f"answered 200 with an error in it{message(response) or ' that has no message'}")
            return list(answer["data"])
        raise SourceError(
            f"{where(response)}: expected a list of records, bare or under `data`, and got {described(answer)}; "
            "check that ANALYTICS_API_URL is the root of the API."
        )

    def _id(self, record: Any, response: requests.Response) -> str:
        if not isinstance(record, dict):
            raise SourceError(f"{where(response)}: expected records and found {described(record)}; nothing was loaded.")
        record_id = record.get("id")
        if isinstance(record_id, int) and not isinstance(record_id, bool):
            record["id"] = record_id = str(record_id)
        if not isinstance(record_id, str) or not record_id:
            has = "no `id`" if record_id in (None, "") else "an `id` that is neither a text nor a whole number"
            raise SourceError(
                f"{where(response)}: a record of {self._table.name} has {has} (its fields: {', '.join(sorted(record)[:12])}); "
                "nothing was loaded."
            )
        if not self._is_id(record_id):
            raise SourceError(
                f"{where(response)}: the id {record_id!r} of {self._table.name} can't be part of the address of a list, because "
                "of its spaces, dots or one of / \\ ? # % ; { } [ ]; nothing was loaded."
            )
        return record_id

    def _without_repeats(
        self, records: list[Record], ids: list[str], response: requests.Response
    ) -> tuple[list[Record], list[str]]:
        if len(set(ids)) == len(ids):
            return records, ids
        first: dict[str, Record] = {}
        for record, record_id in zip(records, ids, strict=True):
            if first.setdefault(record_id, record) != record:
                raise SourceError(
                    f"{where(response)}: two different records of {self._table.name} have the id {record_id} in one answer; "
                    "nothing was loaded, for nobody can say which one is right."
                )
        return list(first.values()), list(first)


def _nested_too_deep(records: Sequence[Record]) -> str | None:
    """The id of the first record that can't be written as JSON."""
    for record in records:
        try:
            to_json(record)
        except (TypeError, RecursionError):
            return str(record["id"])
    return None


def _assert_not_from_a_cache(response: requests.Response) -> None:
    """Refuse an answer whose header `Age` says that it is older than its request, which asked for none of a cache."""
    age = response.headers.get("Age", "").strip()
    if age.isascii() and age.isdecimal() and int(age[:9]) > math.ceil(response.elapsed.total_seconds()):
        raise TransientAnswerError(
            f"answered what a cache had kept for {age[:9]} s, as its header Age says", advice=KEEP_NO_ANSWERS
        )


def _last_page(response: requests.Response) -> bool | None:
    header = response.headers.get(LAST_PAGE, "").strip().lower()
    return {"true": True, "false": False}.get(header)
