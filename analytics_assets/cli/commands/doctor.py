"""Runs `analytics-assets doctor`: checks what a sync needs, one thing after the other, and reports each in words.

The order of the checks and their texts belong here. The API is asked through the session and the answer gate of the
source, so that a fault is reported in the same words as in a sync.
"""

import argparse
import contextlib
import logging
import os
import shutil
import socket
import sqlite3
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final, Literal, NamedTuple

from dlt.sources.helpers.rest_client.exceptions import IgnoreResponseException

from analytics_assets.cli.errors import EXIT_FAILED, EXIT_OK, CommandError
from analytics_assets.cli.instance import dagster_home
from analytics_assets.cli.own_or_demo import demo_if_meant
from analytics_assets.cli.served import HOST, USUAL_PORT, is_served
from analytics_assets.pipeline.api import Api
from analytics_assets.settings import Settings, SettingsError, WorkspaceAccess, load_settings
from analytics_assets.source.answers import AnswerGate, Page
from analytics_assets.source.arrow import UndeclaredColumns
from analytics_assets.source.ceiling import next_may_go
from analytics_assets.source.columns import TABLES, ResourceName
from analytics_assets.source.errors import SourceError
from analytics_assets.source.http import API_KEY_HEADER, HttpSession
from analytics_assets.source.ledger import LastHour, Ledger
from analytics_assets.source.meter import Meter
from analytics_assets.source.page_size import PageSize
from analytics_assets.source.reading import ReadingRecorder
from analytics_assets.source.sent_pages import SentPages
from analytics_assets.warehouse.contents import warehouse_contents
from analytics_assets.warehouse.errors import WarehouseError
from analytics_assets.warehouse.identity import another_workspace
from analytics_assets.warehouse.places import ledger_file, page_size_file
from analytics_assets.warehouse.postgres import assert_reachable
from analytics_assets.warehouse.postgres_session import shown_address

SPACE_WANTED_BYTES: Final = 2**30
MEMBERS_ASKED: Final = 2
"""Two, because one of them may be the owner of the key, whose entries any key may read."""

Verdict = Literal["ok", "wrong", "note"]


class Finding(NamedTuple):
    """The result of one check."""

    subject: str
    verdict: Verdict
    words: str


def main(args: argparse.Namespace) -> int:
    """Run all checks; returns 1 if something is wrong."""
    wrong = 0
    handler = logging.StreamHandler()  # retries and waits take a while and must not look as if the command hung
    logging.getLogger("analytics_assets").addHandler(handler)
    for finding in _findings_with_demo():
        wrong += finding.verdict == "wrong"
        print(f"{finding.subject:<14}{finding.verdict:<7}{finding.words}", flush=True)
    print()
    print("A sync has all it needs." if not wrong else f"{wrong} {'thing is' if wrong == 1 else 'things are'} wrong, see above.")
    return EXIT_FAILED if wrong else EXIT_OK


def _findings_with_demo() -> Iterator[Finding]:
    """The results for the owner's workspace, or without a key for the demo that the warehouse holds."""
    with contextlib.ExitStack() as stack:
        try:
            variables = stack.enter_context(demo_if_meant(load_settings()))
        except (SettingsError, CommandError):  # the checks name what is wrong
            variables = {}
        yield from findings(variables)


def findings(variables: Mapping[str, str] | None = None) -> Iterator[Finding]:
    """The results, each as soon as it is known; a check that depends on a failed one is left out.

    Args:
        variables: variables that go before those of the process.
    """
    try:
        settings = load_settings(variables)
    except SettingsError as error:
        yield from _wrong_settings(error)
        return
    try:
        access = settings.access()
    except SettingsError as error:
        yield from _wrong_settings(error)
    else:
        words = f"workspace {access.workspace_id} of {access.api_url}, history from {settings.start_date}"
        yield Finding("settings", "ok", words)
        yield from _pace(settings)
        yield from _ApiProbe(settings, access).findings()
    yield from _warehouse(settings)
    if settings.postgres_url is not None:
        yield _postgres(settings.postgres_url)
    yield _user_interface(settings)


def _wrong_settings(error: SettingsError) -> Iterator[Finding]:
    for problem in error.problems:
        yield Finding("settings", "wrong", f"{problem}; set it in the environment or in .env, see .env.example")


def _pace(settings: Settings) -> Iterator[Finding]:
    """How much of the hour's allowance is left; asked before the checks themselves need some of it."""
    per_hour, file = settings.requests_per_hour, ledger_file(settings.duckdb_path)
    if per_hour is None:
        return
    try:
        hour = Ledger(file, per_hour).look() if file.exists() else LastHour(0, 0.0)
    except (OSError, sqlite3.Error) as error:
        yield Finding("pace", "wrong", f"{file}, which counts the requests of the last hour, can't be used ({error})")
        return
    made = f"{hour.requests} of {per_hour} requests that an hour allows (ANALYTICS_REQUESTS_PER_HOUR) were made in the last one"
    yield Finding("pace", "note" if hour.next_in_seconds else "ok", f"{made}; {next_may_go(hour, now=time.time())}")


class _QuietRecorder(ReadingRecorder):
    """A recorder that does not log refused lists, because the finding names them."""

    def list_refused(self, resource: ResourceName, parent_id: str, reason: str) -> None:
        """The list of one parent can't be read."""
        self.resources[resource].refused[parent_id] = reason


class _ApiProbe:
    """Asks the API, with at most four requests."""

    def __init__(self, settings: Settings, access: WorkspaceAccess) -> None:
        self._settings = settings
        self._root = f"{access.api_url}/v1/workspaces/{access.workspace_id}"
        self._recorder = _QuietRecorder()
        self._meter = Meter()
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
        """
        gate = AnswerGate(TABLES[name], UndeclaredColumns(), self._recorder, None, self._page_size, SentPages())
        response = self._session.get(
            f"{self._root}/{TABLES[name].path.format(parent_id=parent_id)}",
            params={"page": 1, "page-size": self._page_size.size, **self._settings.extra_params.get(name, {})},
            hooks={"response": [gate]},
        )
        self._envelope = "bare lists" if response.content.lstrip()[:1] == b"[" else "lists under `data`"
        page: Page = response.json()["data"][0]
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
                self._ask("time_entries", member)
            except IgnoreResponseException:
                continue  # the recorder has noted why
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


def _warehouse(settings: Settings) -> Iterator[Finding]:
    path, folder = settings.duckdb_path, settings.data_dir
    there = next(place for place in (folder, *folder.parents) if place.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        reason = "no permission" if there.is_dir() else f"{there} is a file"
        yield Finding("folder", "wrong", f"{folder} can't be written ({reason}); choose another place with ANALYTICS_DUCKDB_PATH")
        return
    yield Finding("folder", "ok", f"{folder} " + ("can be written" if there == folder else "does not exist yet and can be made"))
    free = shutil.disk_usage(there).free
    verdict: Verdict = "ok" if free >= SPACE_WANTED_BYTES else "wrong"
    yield Finding("disk space", verdict, f"{free / 2**30:.1f} GiB free" + ("" if verdict == "ok" else ", 1 GiB is needed"))
    if not path.exists():
        yield Finding("warehouse", "ok", f"{path} does not exist yet; the first sync creates it")
        return
    if not os.access(path, os.W_OK):
        yield Finding("warehouse", "wrong", f"{path} can't be written; ask its owner for permission")
        return
    try:
        yield from _contents(settings)
    except WarehouseError as error:
        yield Finding("warehouse", "wrong", str(error))


def _contents(settings: Settings) -> Iterator[Finding]:
    path = settings.duckdb_path
    contents = warehouse_contents(path)
    if contents is None:
        yield Finding("warehouse", "ok", f"{path} can be opened; nothing was loaded yet")
        return
    rows = ", ".join(f"{count:,} {name}" for name, count in contents.rows.items())
    when = f"{contents.published_at:%Y-%m-%d %H:%M} UTC"
    yield Finding("warehouse", "ok", f"{path} can be opened; workspace {contents.workspace_id}, loaded last {when}: {rows}")
    yield _reader_copy(settings)
    if settings.workspace_id is not None and settings.workspace_id != contents.workspace_id:
        held = (contents.workspace_id, contents.api_host)
        yield Finding("workspace", "wrong", another_workspace(path, held, settings.workspace_id))


def _postgres(url: str) -> Finding:
    """Whether the database answers that the tables are delivered to."""
    try:
        assert_reachable(url)
    except WarehouseError as error:
        return Finding("Postgres", "wrong", str(error))
    return Finding("Postgres", "ok", f"{shown_address(url)} answers; each sync of everything delivers all tables there")


def _reader_copy(settings: Settings) -> Finding:
    """Where BI tools find the copy, and of when it is."""
    path = settings.reader_copy
    if path is None:
        return Finding("for BI tools", "note", "no copy is made; ANALYTICS_READER_PATH switches it off")
    if not path.exists():
        return Finding("for BI tools", "ok", f"{path} does not exist yet; the next sync of everything makes it")
    made_at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    return Finding("for BI tools", "ok", f"{path} is a copy of {made_at:%Y-%m-%d %H:%M} UTC")


def _user_interface(settings: Settings) -> Finding:
    """Whether the Dagster UI could start on its usual port, and who has it."""
    if is_served(dagster_home(settings)):
        return Finding("Dagster UI", "ok", "runs already for this warehouse; `analytics-assets dev` would refuse a second one")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, USUAL_PORT))
        except OSError:
            words = f"port {USUAL_PORT} is another program's; choose one with `analytics-assets dev --port 3001`"
            return Finding("Dagster UI", "note", words)
    return Finding("Dagster UI", "ok", f"does not run; port {USUAL_PORT} is free for it")
