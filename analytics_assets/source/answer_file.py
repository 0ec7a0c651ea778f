"""The file in which the answers of one list are kept, in the order in which they came.

What they are kept for, and when they are used, is decided in `kept_answers.py`.
"""

import contextlib
import json
import zlib
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Final, Self

import requests

KEPT_SECONDS: Final = 24 * 3600.0
LAST_PAGE: Final = "Last-Page"
COMPRESSION: Final = 1


@dataclass(frozen=True)
class Head:
    """What stands before each body in a file; `request` is a hash of what was asked for."""

    request: str
    asked_at: float
    kept_at: float
    last_page: str | None
    size: int
    crc: int

    @classmethod
    def of(cls, url: str, last_page: str | None, body: bytes, *, asked_at: float, kept_at: float) -> Self:
        """The head of an answer to a request."""
        head = cls(_hash(url), asked_at, kept_at, last_page, len(body), 0)
        return replace(head, crc=head.crc_with(body))

    def crc_with(self, body: bytes) -> int:
        """What `crc` is where neither the head nor the body is damaged."""
        return zlib.crc32(body, zlib.crc32(repr(replace(self, crc=0)).encode()))


class AnswerFile:
    """The answers of one list: those that are still to be given again, and the file that new ones are added to."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._kept: deque[tuple[int, Head, bytes]] = deque()
        self._end = 0
        self._is_begun = False
        with contextlib.suppress(OSError):  # what can't be read is asked for
            self._read(file.read_bytes())

    def _read(self, content: bytes) -> None:
        """Take what is whole; a process that was killed may have left half an answer at the end."""
        while (end_of_head := content.find(b"\n", self._end)) >= 0:
            try:
                head = Head(**json.loads(content[self._end : end_of_head]))
                body = content[end_of_head + 1 : end_of_head + 1 + head.size]
                if len(body) < head.size or head.crc_with(body) != head.crc:
                    return
            except (ValueError, TypeError):
                return
            self._kept.append((self._end, head, body))
            self._end = end_of_head + 1 + head.size

    def take(self, url: str, now: float, not_before: float, is_dear: Callable[[int], bool]) -> tuple[Head, bytes] | None:
        """The answer that comes next, if it is the one to this request, and not too old; otherwise none ever again.

        Args:
            url: what is asked for.
            now: the time.
            not_before: what was asked for before that is of no use.
            is_dear: whether it is better than to ask anew for what so many answers have said; heard once, before the first.
        """
        if not self._kept:
            return None
        answers = len(self._kept)
        starts_at, head, body = self._kept.popleft()
        is_of_use = head.asked_at >= not_before and 0 <= now - head.kept_at < KEPT_SECONDS
        if head.request == _hash(url) and is_of_use and (self._is_begun or is_dear(answers)):
            self._is_begun = True
            return head, zlib.decompress(body)
        self._kept.clear()
        self._end = starts_at
        return None

    def add(self, url: str, response: requests.Response, *, asked_at: float, now: float) -> None:
        """Write down an answer behind those that were given again."""
        body = zlib.compress(response.content, COMPRESSION)
        head = Head.of(url, response.headers.get(LAST_PAGE), body, asked_at=asked_at, kept_at=now)
        with self._file.open("r+b" if self._file.exists() else "wb") as opened:
            opened.truncate(self._end)
            opened.seek(self._end)
            opened.write(json.dumps(asdict(head)).encode() + b"\n" + body)
            self._end = opened.tell()


def _hash(url: str) -> str:
    """What a request is known by; a parameter of the owner's may be secret."""
    return sha256(url.encode()).hexdigest()
