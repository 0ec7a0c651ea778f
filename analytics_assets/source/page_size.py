"""How many rows are asked for per page: a number that is set, or the largest that the server honours.

A list that fits one answer needs no second reading, so large pages save most of the requests. What a server takes shows
only when it is asked: this starts with the largest, steps down where the server refuses it or can't answer it, and
remembers what it found in a file, for a week.
"""

import json
import threading
import time
from pathlib import Path
from typing import Final, Literal, Self
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

AskedPageSize = int | Literal["auto"]
AUTO: Final = "auto"
SIZES: Final = (5000, 500, 50)
"""The largest that the API documents, what slow servers still answer in time, and the API's own default."""
REMEMBERED_SECONDS: Final = 7 * 24 * 3600.0


def largest(asked: AskedPageSize) -> int:
    """The most rows that a page may have."""
    return SIZES[0] if asked == "auto" else asked


class PageSize:
    """The rows asked per page, the same for all lists of a reading; used by many threads.

    Only a list in which a row is on two pages is asked for pages of another size besides, see `paging.py`.

    Args:
        asked: the number, or `auto`.
        memory: file in which `auto` keeps what it found; None keeps nothing.
        keeps: whether it may write there.
    """

    def __init__(self, asked: AskedPageSize, memory: Path | None = None, *, keeps: bool = True) -> None:
        self._is_found = asked == AUTO
        self._memory = memory if keeps else None
        self._size = (_remembered(memory) if asked == AUTO else None) or largest(asked)
        self._honoured: set[tuple[str, int]] = set()
        self._lock = threading.Lock()

    def __deepcopy__(self, memo: dict[int, object]) -> Self:
        """dlt copies what a paginator holds; all copies share this one object."""
        return self

    @property
    def size(self) -> int:
        """What is asked for now."""
        return self._size

    @property
    def is_found(self) -> bool:
        """Whether it is `auto`."""
        return self._is_found

    def next_smaller(self, size: int) -> int | None:
        """What to ask for where this many could not be answered; None where nothing smaller is allowed."""
        return next((each for each in SIZES if each < size), None) if self._is_found else None

    def may_be_refused(self, resource: str, size: int) -> bool:
        """Whether a refusal may be about the size: no list of this resource was answered at it, and there is a smaller one."""
        return self.next_smaller(size) is not None and (resource, size) not in self._honoured

    def answered(self, resource: str, size: int) -> None:
        """A list was answered at this size, so that a refusal of another one of the resource is not about it."""
        self._honoured.add((resource, size))

    def settle(self, size: int, *, is_refused: bool) -> None:
        """Ask for this many from now on, if that is fewer, because a list was answered at it and at no larger size.

        Args:
            size: rows asked per page.
            is_refused: whether the server has refused the larger sizes, which is remembered. Where it was too slow for
                them it may be ill, and well again tomorrow.
        """
        with self._lock:
            self._size = min(self._size, size)
        if is_refused and self._memory is not None:
            self._memory.write_text(json.dumps({"size": size, "found_at": time.time()}))


def _remembered(memory: Path | None) -> int | None:
    """What was found in the last week; None where nothing was, or nothing readable."""
    try:
        found = json.loads(memory.read_text()) if memory is not None else {}
        is_fresh = 0 <= time.time() - float(found["found_at"]) < REMEMBERED_SECONDS
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found["size"] if is_fresh and found["size"] in SIZES else None


def size_in(url: str) -> int | None:
    """The page size that an address asks for."""
    given = parse_qs(urlsplit(url).query).get("page-size", [""])[0]
    return int(given) if given.isdecimal() else None


def is_first_page(url: str) -> bool:
    """Whether an address asks for the first page of a list; only there can the size still change."""
    return parse_qs(urlsplit(url).query).get("page", ["1"])[0] == "1"


def with_size(url: str, size: int) -> str:
    """The same address with another page size."""
    parts = urlsplit(url)
    query = {**parse_qs(parts.query, keep_blank_values=True), "page-size": [str(size)]}
    return urlunsplit(parts._replace(query=urlencode(query, doseq=True)))
