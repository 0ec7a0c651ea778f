"""Accidents that a test can have the server meet: which requests they hit, what becomes of the answer.

Only the plan and the spoiling of answers belong here. How a spoiled answer travels over the connection (cut
off, dripping, never) is `delivery`'s business, lasting habits of the server are `behaviour`'s.
"""

import copy
import threading
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from typing import Any, Literal, get_args

from analytics_assets.demo.behaviour import RequestSeen
from analytics_assets.demo.delivery import Answer, Delivery, json_answer
from analytics_assets.demo.records import Record, ResourceName, encode

RowFaultKind = Literal["no_id", "twin_ids", "nan", "huge", "wrong_type", "extra_field"]
WholeFaultKind = Literal["status", "drop", "html", "empty", "other_json", "stall", "redirect"]
SpoilingFaultKind = Literal["truncate", "cut_json", "drip", "delay", "bad_gzip", "bad_utf8", "last_page"]
FaultKind = RowFaultKind | WholeFaultKind | SpoilingFaultKind

ROW_FAULTS: frozenset[str] = frozenset(get_args(RowFaultKind))
WHOLE_FAULTS: frozenset[str] = frozenset(get_args(WholeFaultKind))

HTML_PAGE = b"<!DOCTYPE html><html><head><title>Sorry</title></head><body><h1>Back soon</h1></body></html>"
NOT_A_NUMBER = "-- not a number --"


class _Unset:
    """Stands for a value that was not given, since None is a value."""


UNSET = _Unset()


@dataclass(frozen=True)
class Fault:
    """One accident. It hits requests that fit all of `resource`, `parent_id`, `page` and `when`.

    Kinds that replace the answer, whatever the request: `status` (any HTTP status; `status`, `body`,
    `retry_after`), `drop` (connection closed without an answer), `html` (200 with a page), `empty` (200
    without a body), `other_json` (200 with `value`), `stall` (silence until the client gives up, at most
    `hold_seconds`), `redirect` (302 to `location`).

    Kinds that spoil an answer of rows: `truncate` (connection closed in the middle of the body; `chunked`
    for one without a length), `cut_json` (whole answer, JSON cut in the middle), `drip` (`pieces` with
    `pause_seconds` between), `delay` (whole answer after `pause_seconds`), `bad_gzip`, `bad_utf8`,
    `last_page` (the header `Last-Page` says `value`, None leaves it out).

    Kinds that spoil rows, and wait for an answer that has some: `no_id`, `twin_ids` (two different rows
    under one id), `nan` (`field` becomes NaN), `huge` (`size_bytes` of padding over all rows), `wrong_type`
    (`field`, a dotted path, becomes `value`), `extra_field` (all rows get `field` with `value`). `record_id`
    says which row, otherwise it is the first; `every_row` spoils all.

    `after` requests that fit are let through, then it fires `times` times; None is for ever.
    """

    kind: FaultKind
    resource: ResourceName | None = None
    parent_id: str | None = None
    page: int | None = None
    times: int | None = 1
    after: int = 0
    _: KW_ONLY
    when: Callable[[RequestSeen], bool] | None = None
    status: int = 503
    body: Literal["json", "empty", "html"] | bytes = "json"
    retry_after: str | None = None
    location: str | None = None
    field: str | None = None
    value: object = UNSET
    record_id: str | None = None
    every_row: bool = False
    chunked: bool = False
    pieces: int = 10
    pause_seconds: float = 0.001
    hold_seconds: float = 60.0
    size_bytes: int = 50_000_000

    def fits(self, request: RequestSeen) -> bool:
        """Whether the request is one of those that this accident may hit."""
        return (
            (self.resource is None or request.resource == self.resource)
            and (self.parent_id is None or request.parent_id == self.parent_id)
            and (self.page is None or (request.page or 1) == self.page)
            and (self.when is None or self.when(request))
        )


@dataclass
class _Armed:
    fault: Fault
    seen: int = 0
    fired: int = 0

    @property
    def is_spent(self) -> bool:
        return self.fault.times is not None and self.fired >= self.fault.times


@dataclass(frozen=True)
class Fired:
    """An accident that happened, and to which request."""

    fault: Fault
    request: RequestSeen


class FaultPlan:
    """The accidents still to come, in the order in which they were added, and those that happened."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._armed: list[_Armed] = []
        self._fired: list[Fired] = []

    def add(self, *faults: Fault) -> None:
        """Arm the faults; when two fit a request, the one added first hits it."""
        with self._lock:
            self._armed.extend(_Armed(fault) for fault in faults)

    def clear(self) -> None:
        """Disarm everything and forget what fired."""
        with self._lock:
            self._armed.clear()
            self._fired.clear()

    @property
    def fired(self) -> list[Fired]:
        """What fired so far, oldest first; a copy of the list."""
        with self._lock:
            return list(self._fired)

    @property
    def pending(self) -> list[Fault]:
        """Faults that may still fire; one that fires for ever stays here."""
        with self._lock:
            return [armed.fault for armed in self._armed if not armed.is_spent]

    def candidates(self, request: RequestSeen) -> list[Fault]:
        """The faults that are due for this request, first added first; each counts the request as seen."""
        due: list[Fault] = []
        with self._lock:
            for armed in self._armed:
                if armed.fault.fits(request):
                    armed.seen += 1
                    if armed.seen > armed.fault.after and not armed.is_spent:
                        due.append(armed.fault)
        return due

    def fire(self, fault: Fault, request: RequestSeen) -> None:
        """Note that the fault has hit the request."""
        with self._lock:
            hit = next(armed for armed in self._armed if armed.fault is fault and not armed.is_spent)
            hit.fired += 1
            self._fired.append(Fired(fault, request))
        request.fault = fault.kind


def replaced_answer(fault: Fault) -> Answer:
    """The answer of a fault that does not care what the right answer would be."""
    if fault.kind == "status":
        headers = {"Retry-After": fault.retry_after} if fault.retry_after is not None else {}
        if fault.body == "json":
            error = {"message": "Something went wrong.", "code": fault.status}
            return json_answer(fault.status, error, headers)
        if fault.body == "html":
            return Answer(fault.status, HTML_PAGE, {"Content-Type": "text/html; charset=utf-8", **headers})
        return Answer(fault.status, b"" if isinstance(fault.body, str) else fault.body, headers)
    if fault.kind == "html":
        return Answer(200, HTML_PAGE, {"Content-Type": "text/html; charset=utf-8"})
    if fault.kind == "empty":
        return Answer(200, b"", {"Content-Type": "application/json"})
    if fault.kind == "redirect":
        return Answer(302, b"", {"Location": fault.location or "/login"})
    if fault.kind == "other_json":
        return json_answer(200, {"message": "Under maintenance."} if fault.value is UNSET else fault.value)
    delivery: Delivery = "stall" if fault.kind == "stall" else "drop"
    return Answer(200, b"", {}, delivery=delivery, seconds=fault.hold_seconds)


def spoil_answer(fault: Fault, answer: Answer) -> None:
    """Make an accident of a right answer."""
    if fault.kind == "truncate":
        answer.delivery, answer.compressible, answer.chunked = "truncate", False, fault.chunked
    elif fault.kind == "drip":
        answer.delivery, answer.pieces, answer.seconds = "drip", fault.pieces, fault.pause_seconds
    elif fault.kind == "delay":
        answer.delivery, answer.seconds = "delay", fault.pause_seconds
    elif fault.kind == "cut_json":
        answer.body = answer.body[: max(1, len(answer.body) * 2 // 3)]
    elif fault.kind == "bad_utf8":
        answer.body, answer.compressible = answer.body.replace(b'"', b'"\xff\xfe', 1), False
    elif fault.kind == "bad_gzip":
        answer.headers["Content-Encoding"], answer.compressible = "gzip", False
    elif fault.kind == "last_page":
        answer.headers.pop("Last-Page", None)
        if isinstance(fault.value, bool):
            answer.headers["Last-Page"] = str(fault.value).lower()


def spoil_rows(fault: Fault, rows: list[Record]) -> list[bytes] | None:
    """The bytes of the rows after the accident, or None when it has nothing to hit on this page."""
    rows = copy.deepcopy(rows)
    chosen = [row for row in rows if fault.record_id is None or row.get("id") == fault.record_id]
    if not chosen:
        return None
    if not (fault.every_row or (fault.record_id is None and fault.kind in ("extra_field", "huge"))):
        chosen = chosen[:1]
    if fault.kind == "twin_ids":
        others = [row for row in rows if row is not chosen[0]]
        if others:
            others[0]["id"] = chosen[0]["id"]
        else:
            text_field = _text_field(chosen[0])
            rows.append({**chosen[0], text_field: f"{chosen[0].get(text_field)} (twin)"})
    for row in chosen:
        if fault.kind == "no_id":
            del row["id"]
        elif fault.kind == "nan":
            _put(row, fault.field or "score", NOT_A_NUMBER)
        elif fault.kind == "wrong_type":
            value = {"un": "expected"} if fault.value is UNSET else fault.value
            _put(row, fault.field or _text_field(row), value)
        elif fault.kind == "extra_field":
            row[fault.field or "newField"] = "new" if fault.value is UNSET else fault.value
        elif fault.kind == "huge":
            _put(row, fault.field or _text_field(row), "x" * (fault.size_bytes // len(chosen)))
    return [encode(row).replace(encode(NOT_A_NUMBER), b"NaN") for row in rows]


def _text_field(row: Record) -> str:
    return "description" if "description" in row else "name"


def _put(row: Record, path: str, value: object) -> None:
    *outer, last = path.split(".")
    target: dict[str, Any] = row
    for name in outer:
        if not isinstance(target.get(name), dict):
            target[name] = {}
        target = target[name]
    target[last] = value
