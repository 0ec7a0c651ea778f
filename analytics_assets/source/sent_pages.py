"""What the pages of a list held the last time they were read: a page that is sent again as it was needs no second look.

A list of several answers is read until two passes agree (see `paging.py`), so most pages of a quiet workspace come twice.
"""

import hashlib
from dataclasses import dataclass
from typing import Any, Self

from analytics_assets.source.routes import place_of


@dataclass
class SentPage:
    """One page as it was read.

    `ids` are the ids in it, each once; `sent_ids` those of all its records, of which some may have come twice; `rows` how many
    of its rows count, and `answer` the number of the answer that brought them, once it has one.
    """

    digest: bytes
    ids: list[str]
    sent_ids: list[str]
    rows: int
    answer: int | None = None


class SentPages:
    """The pages of the lists of one resource that are being read; several threads use it, for a list each."""

    def __init__(self) -> None:
        self._lists: dict[str, dict[str, SentPage]] = {}

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """dlt copies a REST configuration to validate it; all copies share this one object."""
        return self

    def same(self, url: str, digest: bytes) -> SentPage | None:
        """The page that was read under this address the last time, if its body was the same."""
        page = self._lists.get(place_of(url).parent_id, {}).get(url)
        return page if page is not None and page.digest == digest else None

    def keep(self, url: str, page: SentPage) -> None:
        """Remember a page instead of what was read under its address before."""
        self._lists.setdefault(place_of(url).parent_id, {})[url] = page

    def forget(self, url: str) -> None:
        """Forget all pages of the list that the address is of."""
        self._lists.pop(place_of(url).parent_id, None)


def digest_of(body: bytes) -> bytes:
    """What two bodies have in common only if they are the same."""
    return hashlib.sha256(body).digest()
