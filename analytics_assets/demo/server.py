"""The pretended API: the seven list routes and everything that decides what a request is answered.

Only the reading of requests and the making of answers belong here. Records are `workspace`'s, habits are
`behaviour`'s, accidents are `faults`', the wire is `delivery`'s and the running server is `serving`'s.
"""

import asyncio
import datetime as dt
import traceback
from dataclasses import dataclass
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from analytics_assets.demo.behaviour import Behaviour, RateLimit, RequestLog, RequestSeen
from analytics_assets.demo.delivery import Answer, deliver, json_answer
from analytics_assets.demo.faults import (
    ROW_FAULTS,
    WHOLE_FAULTS,
    FaultPlan,
    replaced_answer,
    spoil_answer,
    spoil_rows,
)
from analytics_assets.demo.records import PARENTS, PATHS, Record, ResourceName, sort_key
from analytics_assets.demo.workspace import Workspace

HIDDEN_STATUSES = frozenset({"LIMITED", "LIMITED_DELETED"})
ARCHIVABLE = frozenset({"projects", "clients", "tags"})
NOT_IN_WORKSPACE_CODE = 501
# No document names the code of a parameter that cannot be read; this number is invented.
BAD_PARAMETER_CODE = 1002


class Refusal(Exception):
    """A request that is answered with an error and nothing else."""

    def __init__(self, status: int, message: str, code: int, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.answer = json_answer(status, {"message": message, "code": code}, headers)


@dataclass(frozen=True)
class Page:
    """The rows of one answer, each with its bytes."""

    rows: list[Record]
    encoded: list[bytes]
    is_last: bool


class Api:
    """Answers requests from a workspace, the way the behaviour says and the faults spoil.

    The key may read `neighbours` too, which are workspaces of the same server.
    """

    def __init__(self, workspace: Workspace, behaviour: Behaviour, faults: FaultPlan, log: RequestLog) -> None:
        self.workspace = workspace
        self.neighbours: list[Workspace] = []
        self.behaviour = behaviour
        self.faults = faults
        self.log = log
        self.rate_limit = RateLimit()

    async def handle(self, resource: ResourceName | None, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = _read(resource, scope, self.behaviour.clock())
        self.log.begin(request)
        try:
            if self.behaviour.latency_seconds:
                await asyncio.sleep(self.behaviour.latency_seconds)
            answer = self._answer(request, str(scope["path_params"].get("workspace_id", "")))
            if answer.delivery not in ("drop", "stall"):
                request.status, request.rows = answer.status, answer.rows
            gzip = self.behaviour.gzip and "gzip" in request.headers.get("accept-encoding", "")
            await deliver(answer, scope, receive, send, gzip=gzip)
        finally:
            self.log.end()

    def _answer(self, request: RequestSeen, workspace_id: str) -> Answer:
        """The answer, computed without letting another request in between."""
        try:
            if self.behaviour.before_answer is not None:
                self.behaviour.before_answer(request)
            return self._answer_with_faults(request, workspace_id)
        except Refusal as refusal:
            return refusal.answer
        except Exception as error:  # noqa: BLE001  # a defect of the demo is kept for the test, which fails on it
            self.log.errors.append(error)
            return json_answer(500, {"message": "".join(traceback.format_exception_only(error)), "code": 500})

    def _answer_with_faults(self, request: RequestSeen, workspace_id: str) -> Answer:
        """The right answer, or what the first fault that has something to hit makes of it."""
        page: Page | None = None
        for fault in self.faults.candidates(request):
            answer: Answer | None = None
            if fault.kind in WHOLE_FAULTS:
                answer = replaced_answer(fault)
            else:
                page = page or self._page(request, workspace_id)
                if fault.kind in ROW_FAULTS:
                    spoiled = spoil_rows(fault, page.rows)
                    answer = self._list(spoiled, is_last=page.is_last) if spoiled is not None else None
                else:
                    answer = self._list(page.encoded, is_last=page.is_last)
                    spoil_answer(fault, answer)
            if answer is not None:
                self.faults.fire(fault, request)
                return answer
        page = page or self._page(request, workspace_id)
        return self._list(page.encoded, is_last=page.is_last)

    def _page(self, request: RequestSeen, workspace_id: str) -> Page:
        """The rows that the request is entitled to."""
        if request.resource is None:
            raise Refusal(404, f"No static resource {request.path.lstrip('/')}.", 3000)
        if request.method != "GET":
            raise Refusal(405, f"Request method '{request.method}' is not supported.", 405)
        workspace = self._admitted(request, workspace_id)
        offset, size = self._slice(request)
        rows, encoded = self._rows(workspace, request.resource, request)
        is_last = offset + size >= len(rows) and not self.behaviour.ignores_page
        if 0 < offset < len(rows) and self._changes_places(rows[offset - 1], rows[offset]):
            return Page(
                [rows[offset - 1], *rows[offset + 1 : offset + size]],
                [encoded[offset - 1], *encoded[offset + 1 : offset + size]],
                is_last,
            )
        shown = [n for n in range(offset, min(offset + size, len(rows))) if rows[n]["id"] not in self.behaviour.hidden]
        return Page([rows[n] for n in shown], [encoded[n] for n in shown], is_last)

    def _changes_places(self, before: Record, first: Record) -> bool:
        """Whether a page begins with the row before it instead of its own first row."""
        starts = [(record.get("timeInterval") or {}).get("start") for record in (before, first)]
        return self.behaviour.sorts_anew == "all" or (self.behaviour.sorts_anew == "ties" and starts[0] == starts[1])

    def _list(self, chunks: list[bytes], *, is_last: bool) -> Answer:
        opening, closing = (b'{"data":[', b"]}") if self.behaviour.envelope == "data" else (b"[", b"]")
        headers = {"Content-Type": "application/json"}
        if self.behaviour.send_last_page:
            headers["Last-Page"] = "true" if is_last else "false"
        return Answer(200, opening + b",".join(chunks) + closing, headers, rows=len(chunks))

    def _admitted(self, request: RequestSeen, workspace_id: str) -> Workspace:
        """The workspace that the request may read."""
        key = request.headers.get("x-api-key")
        if not key:
            raise Refusal(401, "Full authentication is required to access this resource", 1000)
        if key != self.behaviour.api_key:
            raise Refusal(401, "Api key does not exist", 4003)
        if not self.rate_limit.admits(self.behaviour):
            pause = self.behaviour.retry_after
            raise Refusal(429, "Too Many Requests", 429, None if pause is None else {"Retry-After": pause})
        for workspace in (self.workspace, *self.neighbours):
            if workspace_id == workspace.id:
                return workspace
        raise Refusal(403, "Access Denied", 403)

    def _slice(self, request: RequestSeen) -> tuple[int, int]:
        """Offset and number of the rows that the request asks for and may have."""
        behaviour = self.behaviour
        page, size = _number(request, "page", 1), _number(request, "page-size", behaviour.default_page_size)
        if size > behaviour.max_page_size:
            if behaviour.over_max == "reject":
                message = f"Page size must be between 1 and {behaviour.max_page_size}"
                raise Refusal(400, message, BAD_PARAMETER_CODE)
            size = behaviour.max_page_size
        size = max(min(size, behaviour.page_size_cap or size), behaviour.page_size_floor or 0)
        return (0 if behaviour.ignores_page else (page - 1) * size), size

    def _rows(self, workspace: Workspace, resource: ResourceName, request: RequestSeen) -> tuple[list[Record], list[bytes]]:
        parent_id = request.parent_id
        if resource in PARENTS and parent_id is not None:
            if parent_id in self.behaviour.refused_parents:
                status, code = self.behaviour.refused_parents[parent_id]
                raise Refusal(status, f"Not allowed: {parent_id}", code)
            if not workspace.has_parent(resource, parent_id):
                kind = "User" if resource == "time_entries" else "Project"
                message = f"{kind} with id {parent_id} doesn't belong to Workspace"
                raise Refusal(400, message, NOT_IN_WORKSPACE_CODE)
        listing = workspace.listing(resource, parent_id)
        if resource == "time_entries" and self.behaviour.honours_window:
            start, end = self._edge(request, "start"), self._edge(request, "end")
            window = listing.window(start, end, inclusive=self.behaviour.window_inclusive)
            return listing.rows[window], listing.encoded[window]
        if resource == "users":
            asked = {part for part in request.query.get("account-statuses", "").split(",") if part}
            hidden = HIDDEN_STATUSES - asked
            if asked and self.behaviour.account_statuses == "filter":
                kept = [n for n, row in enumerate(listing.rows) if row.get("status") in asked]
            else:
                kept = [n for n, row in enumerate(listing.rows) if row.get("status") not in hidden]
        elif resource in ARCHIVABLE and "archived" in request.query:
            archived = _flag(request, "archived")
            kept = [n for n, row in enumerate(listing.rows) if row.get("archived") is archived]
        else:
            return listing.rows, listing.encoded
        return [listing.rows[n] for n in kept], [listing.encoded[n] for n in kept]

    def _edge(self, request: RequestSeen, name: str) -> str | None:
        """The sort key of a window's edge, read as wall clock of the account's zone."""
        text = request.query.get(name)
        if text is None:
            return None
        try:
            moment = dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC) - self.behaviour.window_offset
        except (ValueError, OverflowError):
            raise Refusal(400, f"Parameter {name} is no date: {text}", BAD_PARAMETER_CODE) from None
        return sort_key(moment.isoformat())


class _Endpoint:
    """One route as an ASGI application."""

    def __init__(self, api: Api, resource: ResourceName | None) -> None:
        self._api = api
        self._resource = resource

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._api.handle(self._resource, scope, receive, send)


def create_app(
    workspace: Workspace,
    behaviour: Behaviour | None = None,
    *,
    faults: FaultPlan | None = None,
    log: RequestLog | None = None,
) -> Starlette:
    """The API as an ASGI application; its parts are at `app.state.api`."""
    api = Api(workspace, behaviour or Behaviour(), faults or FaultPlan(), log or RequestLog())
    routes = [Route(path, _Endpoint(api, resource)) for resource, path in PATHS.items()]
    app = Starlette(routes=[*routes, Route("/{path:path}", _Endpoint(api, None))])
    app.state.api = api
    return app


def _read(resource: ResourceName | None, scope: Scope, at: float) -> RequestSeen:
    query = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    return RequestSeen(
        method=scope["method"],
        path=scope["path"],
        resource=resource,
        parent_id=scope["path_params"].get("parent_id"),
        page=_as_int(query.get("page")),
        page_size=_as_int(query.get("page-size")),
        query=query,
        headers=headers,
        at=at,
    )


def _as_int(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdecimal() and text.isascii() and len(text) < 19 else None


def _number(request: RequestSeen, name: str, default: int) -> int:
    if name not in request.query:
        return default
    number = _as_int(request.query[name])
    if not number:
        raise Refusal(400, f"Parameter {name} must be a number above 0", BAD_PARAMETER_CODE)
    return number


def _flag(request: RequestSeen, name: str) -> bool:
    value = request.query[name].lower()
    if value not in ("true", "false"):
        raise Refusal(400, f"Parameter {name} must be true or false", BAD_PARAMETER_CODE)
    return value == "true"
