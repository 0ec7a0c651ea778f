"""Asks the API what a sync needs of it, through the session and the answer gate of the source.

So a fault is reported in the same words as in a sync. Unlike a sync, this waits for no ceiling and no long pause.
"""

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from analytics_assets.cli.examination.finding import Finding
from analytics_assets.pipeline.api import Api
from analytics_assets.settings import Settings
from analytics_assets.source.answers import AnswerGate
from analytics_assets.source.arrow import UndeclaredColumns
from analytics_assets.source.ceiling import LONGEST_LOOK_AWAY_SECONDS, in_words, next_may_go
from analytics_assets.source.columns import TABLES, ResourceName
from analytics_assets.source.ending import Ending
from analytics_assets.source.errors import SourceError
from analytics_assets.source.http import API_KEY_HEADER, HttpSession
from analytics_assets.source.ledger import LastHour, Ledger, LedgerError
from analytics_assets.source.meter import Meter
from analytics_assets.source.page import Page
from analytics_assets.source.page_size import PageSize
from analytics_assets.source.reading import ReadingRecorder
from analytics_assets.source.sent_pages import SentPages
from analytics_assets.warehouse.places import ledger_file, page_size_file
from analytics_assets.workspace_access import WorkspaceAccess

MEMBERS_ASKED: Final = 2
"""Two, because one of them may be the owner of the key, whose entries any key may read."""


def examine_api(settings: Settings, access: WorkspaceAccess) -> Iterator[Finding]:
    """How much of the hour's allowance is left, before the checks themselves need some of it, and how the API answers."""
    try:
        yield from pace(settings)
        yield from _ApiProbe(settings, access).findings()
    except LedgerError as error:
        yield Finding("pace", "wrong", str(error).removesuffix("."))


def last_hour(settings: Settings) -> LastHour | None:
    """The requests of the last hour; None where their number has no ceiling. Nothing is written where none were counted.

    Raises:
        LedgerError: they can't be read.
    """
    per_hour, file = settings.requests_per_hour, ledger_file(settings.named_file)
    if per_hour is None:
        return None
    return Ledger(file, per_hour).look() if file.exists() else LastHour(0, 0.0)


def pace(settings: Settings) -> Iterator[Finding]:
    """How much of the hour's allowance is left, where there is one."""
    hour = last_hour(settings)
    if hour is None:
        return
    allowed = f"{settings.requests_per_hour} requests that an hour allows (ANALYTICS_REQUESTS_PER_HOUR)"
    words = f"{hour.requests} of {allowed} were made in the last one; {next_may_go(hour, now=time.time())}"
    yield Finding("pace", "note" if hour.next_in_seconds else "ok", words)


class _QuietRecorder(ReadingRecorder):
    """A recorder that does not log refused lists, because the finding names them."""

    def list_refused(self, resource: ResourceName, parent_id: str, reason: str) -> None:
        """The list of one parent can't be read."""
        self.resources[resource].refused[parent_id] = reason


class _Impatient(Ending):
    """The end of a reading that waits for nothing that takes long: whoever asks sits there."""

    gave_up = False

    def pause(self, seconds: float) -> None:
        """Wait for so long, if that is short.

        Raises:
            SourceError: it would take long.
        """
        if seconds >= LONGEST_LOOK_AWAY_SECONDS:
            self.gave_up = True
            self.end(SourceError(f"the next request may go in {in_words(seconds)} only, because the API asks for a pause"))
        super().pause(seconds)


class _NoRoomError(Exception):
    """The ceiling per hour lets no request through now; the text says when."""


class _ApiProbe:
    """Asks the API, with at most four requests."""

    def __init__(self, settings: Settings, access: WorkspaceAccess) -> None:
        self._settings = settings
        self._root = f"{access.api_url}/v1/workspaces/{access.workspace_id}"
        self._recorder = _QuietRecorder()
        self._meter = Meter()
        self._meter.ending = self._ending = _Impatient()
        limits = replace(Api.of(settings).limits, backoff_factor=0)  # whoever asks sits there and waits
        self._page_size = PageSize(settings.page_size, page_size_file(settings.duckdb_path), keeps=False)
        self._session = HttpSession(access.api_url, limits, self._meter, self._page_size)
        self._session.headers[API_KEY_HEADER] = access.api_key.get_secret_value()
        self._envelope = ""
        self._pages: list[Page] = []

    def findings(self) -> Iterator[Finding]:
        """The results of the checks of the API."""
        try:
            members = self._ask("users")
        except _NoRoomError as none_left:
            yield Finding("API", "note", f"was not asked: {none_left}", was_checked=False)
            return
        except SourceError as error:
            yield Finding("API", "wrong", str(error))
            return
        seconds = self._meter.of("users").seconds
        yield Finding("API", "ok", f"answers in {seconds:.2f} s, accepts the key, shows the workspace")
        yield Finding("envelope", "ok", self._envelope)
        yield from self._entries(members.ids)
        yield self._last_page()
        yield self._rows_per_page()

    def _ask(self, name: ResourceName, parent_id: str = "") -> Page:
        """The first page of a list.

        Raises:
            SourceError: for the same reasons as in a sync.
            _NoRoomError: it would have to wait.
        """
        self._assert_room()
        try:
            return self._asked(name, parent_id)
        except SourceError:
            if self._ending.gave_up:  # before another attempt
                self._assert_room()
            raise

    def _assert_room(self) -> None:
        """Raise where the ceiling per hour lets no request through now."""
        if (hour := last_hour(self._settings)) is not None and hour.next_in_seconds >= LONGEST_LOOK_AWAY_SECONDS:
            raise _NoRoomError(
                f"ANALYTICS_REQUESTS_PER_HOUR leaves no room now, {next_may_go(hour, now=time.time())}; run doctor again then"
            )

    def _asked(self, name: ResourceName, parent_id: str) -> Page:
        gate = AnswerGate(TABLES[name], UndeclaredColumns(), self._recorder, None, self._page_size, SentPages())
        response = self._session.get(
            f"{self._root}/{TABLES[name].path.format(parent_id=parent_id)}",
            params={"page": 1, "page-size": self._page_size.size, **self._settings.extra_params.get(name, {})},
            hooks={"response": [gate]},
        )
        page: Page = response.json()["data"][0]
        if page.is_refused:
            return page
        self._envelope = "bare lists" if response.content.lstrip()[:1] == b"[" else "lists under `data`"
        self._pages.append(page)
        return page

    def _entries(self, members: list[str]) -> Iterator[Finding]:
        """Whether the key may read the entries of others than its owner."""
        if not members:
            yield Finding("entries", "note", "the workspace shows no members, so there were no entries to ask for")
            return
        asked = members[:MEMBERS_ASKED]
        for member in asked:
            try:
                self._ask("time_entries", member)  # of a list that is refused the recorder notes why
            except _NoRoomError as none_left:
                yield Finding("entries", "note", f"were not asked for: {none_left}", was_checked=False)
                return
            except SourceError as error:
                yield Finding("entries", "wrong", str(error))
                return
        refused = self._recorder.resources["time_entries"].refused
        reasons = "; ".join(f"member {member}: {reason}" for member, reason in refused.items())
        if not refused:
            yield Finding("entries", "ok", f"the key may read those of {len(asked)} member{'' if len(asked) == 1 else 's'}")
        elif len(refused) < len(asked):
            yield Finding("entries", "note", f"the API refuses some ({reasons}); a sync skips them and reports it")
        else:
            words = f"the API refuses them ({reasons}): check that the key of ANALYTICS_API_KEY may read them."
            yield Finding("entries", "wrong", words)

    def _last_page(self) -> Finding:
        if all(page.last is not None for page in self._pages):
            return Finding("Last-Page", "ok", "sent with each list")
        return Finding("Last-Page", "note", "not sent; lists are read to an empty page, which costs one more request for each")

    def _rows_per_page(self) -> Finding:
        asked = self._page_size.size
        longest = max(len(page.ids) for page in self._pages)
        if longest > asked:
            words = f"{asked} rows were asked for and {longest} came: the server does not honour `page-size`"
            return Finding("page size", "note", words)
        if any(page.last is False for page in self._pages) and longest < asked:
            return Finding(
                "page size", "note",
                f"{asked} rows were asked for and {longest} came, with more to follow: the server caps its pages; a sync works, "
                "with more requests",
            )  # fmt: skip
        if self._page_size.is_found:
            return Finding("page size", "ok", f"auto: the server takes {asked} rows per page")
        if longest == asked:
            return Finding("page size", "ok", f"{asked} rows asked, {longest} came")
        return Finding("page size", "ok", f"{asked} rows asked; no list read here was longer")
