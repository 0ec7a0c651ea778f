"""How an answer travels to the client: whole, compressed, in drops, cut off, or not at all.

Only the wire belongs here. What the answer says is decided before, in `server` and `faults`.
"""

import asyncio
import zlib
from dataclasses import dataclass, field
from typing import Literal

from starlette.types import Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from analytics_assets.demo.records import encode

Delivery = Literal["whole", "drop", "truncate", "drip", "delay", "stall"]

CONNECTION = "demo.connection"
# Level 1: the server must not be the slow side of a benchmark; JSON like this shrinks to a tenth anyway.
GZIP_LEVEL = 1
GZIP_MINIMUM_BYTES = 500
# Above this, compressing takes long enough to be worth a thread, so that other requests are served meanwhile.
GZIP_THREAD_BYTES = 128 * 1024


@dataclass
class Answer:
    """One answer and the way it is to be delivered."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    rows: int | None = None
    delivery: Delivery = "whole"
    compressible: bool = True
    chunked: bool = False
    pieces: int = 1
    seconds: float = 0.0


def json_answer(status: int, value: object, headers: dict[str, str] | None = None) -> Answer:
    """An answer that says the value in JSON."""
    return Answer(status, encode(value), {"Content-Type": "application/json", **(headers or {})})


class ConnectionProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol, with the transport in the scope, so that an answer can break off."""

    def on_message_begin(self) -> None:
        """Start a request as usual, then add the transport to its scope."""
        super().on_message_begin()
        self.scope["extensions"] = {CONNECTION: {"transport": self.transport}}


async def deliver(answer: Answer, scope: Scope, receive: Receive, send: Send, *, gzip: bool) -> None:
    """Send the answer the way it wants to be sent."""
    if answer.delivery == "stall":
        await _wait_for_hang_up(receive, answer.seconds)
    if answer.delivery in ("stall", "drop"):
        await _hang_up(scope, receive)
        return
    if answer.delivery == "delay":
        await asyncio.sleep(answer.seconds)
    body, headers = answer.body, dict(answer.headers)
    if gzip and answer.compressible and len(body) >= GZIP_MINIMUM_BYTES:
        body = _gzip(body) if len(body) < GZIP_THREAD_BYTES else await asyncio.to_thread(_gzip, body)
        headers["Content-Encoding"] = "gzip"
    if not answer.chunked:
        headers["Content-Length"] = str(len(body))
    await send(_start(answer.status, headers))
    if answer.delivery == "truncate":
        await send(_body(body[: len(body) // 2], more=True))
        await _hang_up(scope, receive)
        return
    if answer.delivery == "drip":
        step = max(1, -(-len(body) // max(1, answer.pieces)))
        for position in range(0, len(body), step):
            await send(_body(body[position : position + step], more=True))
            await asyncio.sleep(answer.seconds)
        body = b""
    await send(_body(body, more=False))


def _start(status: int, headers: dict[str, str]) -> Message:
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http.response.start", "status": status, "headers": raw}


def _body(body: bytes, *, more: bool) -> Message:
    return {"type": "http.response.body", "body": body, "more_body": more}


def _gzip(body: bytes) -> bytes:
    packer = zlib.compressobj(GZIP_LEVEL, wbits=31)
    return packer.compress(body) + packer.flush()


async def _hang_up(scope: Scope, receive: Receive) -> None:
    """Close the connection after what was written; uvicorn must notice, or it would answer 500."""
    scope["extensions"][CONNECTION]["transport"].close()
    await _until_disconnected(receive)


async def _wait_for_hang_up(receive: Receive, seconds: float) -> None:
    try:
        await asyncio.wait_for(_until_disconnected(receive), seconds)
    except TimeoutError:
        return


async def _until_disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
