"""Answers of a reading that did not come to its end, for the next one: where few requests an hour are allowed, they are dear.

Each list of a child resource has a file, in which its answers stand in the order in which they came. The next reading gets
them in that order for as long as it asks for the same, and asks the API from there on. So it goes on as if it had only
waited: what each answer proves, it proves of the time from when it was asked for until it came, which it carries with it.
A list is asked for anew where what is left of the hour is enough for all that are left, and so are the lists without a
parent, which are few.

What is kept is at most a day old, of the same key, and forgotten before anything is published, so that no older answer can
come after a newer one. Where it could not be forgotten, or another version has published, the warehouse tells it: what was
asked for before its last publication is not used. It is forgotten, too, when a reading fails for what the API has sent.
"""

import contextlib
import errno
import json
import logging
import math
import secrets
import shutil
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import scrypt, sha256
from pathlib import Path
from typing import Any, Final, Self

import requests

from analytics_assets.source.answer_file import LAST_PAGE, AnswerFile, Head
from analytics_assets.source.columns import TABLES
from analytics_assets.source.errors import TransientAnswerError, causes
from analytics_assets.source.routes import Place, place_of

logger = logging.getLogger(__name__)

_OF_KEY: Final = "of-key.json"


class KeptAnswer(requests.Response):
    """An answer that came to an earlier reading; asked for and kept at moments of `time.time()`."""

    asked_at: float
    kept_at: float


class KeptAnswers:
    """The answers of readings that did not come to their end; one reading at a time.

    Args:
        folder: where they are kept; it belongs to this object alone.
        key: the key that the API is asked with; what was kept with another is forgotten.
        lists_left: how many lists of child resources are still to be read, as far as is known.
        published_at: when something was published last; what was asked for before may be older than that.
    """

    def __init__(self, folder: Path, key: str, lists_left: Callable[[], int], published_at: datetime | None = None) -> None:
        self._folder = folder
        self._lists_left = lists_left
        self._lists: dict[Place, AnswerFile] = {}
        self._lock = threading.Lock()
        self._is_ours = False
        self._can_write = True
        self._earliest: float | None = None
        self._published_at = -math.inf if published_at is None else published_at.timestamp()
        self._not_before = self._published_at
        try:
            if not _is_of_key(folder / _OF_KEY, key):
                self._begin_anew(key)
            self._is_ours = True
        except OSError as error:
            self._stop_writing(error)

    def _begin_anew(self, key: str) -> None:
        """Make the folder, without what may be there of another key.

        Raises:
            OSError: it can't be removed, or not be made.
        """
        self.forget()
        if self._folder.is_dir():
            raise PermissionError(errno.EPERM, "they are of another key and can't be removed", str(self._folder))
        self._folder.mkdir(parents=True)
        _note_key(self._folder / _OF_KEY, key)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """dlt copies a REST configuration to validate it; all copies share this one object."""
        return self

    @property
    def earliest(self) -> datetime | None:
        """When the earliest of the answers was asked for that were given again; None where none was."""
        return None if self._earliest is None else datetime.fromtimestamp(self._earliest, UTC)

    def give_none_from_before(self, moment: float) -> None:
        """Give no answer again, from now on, that was asked for before a moment of `time.monotonic()`.

        A list that is read again for a row that has moved must be read after it has moved.
        """
        self._not_before = max(self._published_at, time.time() - (time.monotonic() - moment))

    def take(self, request: requests.PreparedRequest, left_in_hour: Callable[[], float]) -> KeptAnswer | None:
        """The answer to a request, if an earlier reading has got it; None where the API has to be asked.

        Args:
            request: what would be sent.
            left_in_hour: how many requests may go without waiting.
        """
        of_list = self._list_of(request)
        if of_list is None:
            return None

        def is_dear(answers: int) -> bool:
            return self._lists_left() - 1 + answers > left_in_hour()

        found = of_list.take(request.url or "", time.time(), self._not_before, is_dear)
        if found is None:
            return None
        head, body = found
        with self._lock:
            if self._earliest is None:
                logger.warning(
                    "A sync that did not come to its end has left answers, the first of them of %s: those to what is asked for "
                    "now are used again, because ANALYTICS_REQUESTS_PER_HOUR does not allow to ask for all of it now; remove %s "
                    "to have everything read anew",
                    datetime.fromtimestamp(head.kept_at, UTC).strftime("%Y-%m-%d %H:%M UTC"),
                    self._folder,
                )
            self._earliest = min(head.asked_at, self._earliest or head.asked_at)
        return _answer(request, head, body)

    def keep(self, request: requests.PreparedRequest, response: requests.Response, *, asked_at: float) -> None:
        """Keep an answer that was believed.

        Args:
            request: what was sent.
            response: the answer.
            asked_at: when it was sent, on the clock of `time.time`.
        """
        of_list = self._list_of(request)
        if of_list is None or not self._can_write:
            return
        try:
            of_list.add(request.url or "", response, asked_at=asked_at, now=time.time())
        except OSError as error:
            self._stop_writing(error)

    def forget(self) -> None:
        """Forget all of them."""
        forget_answers(self._folder)

    def _list_of(self, request: requests.PreparedRequest) -> AnswerFile | None:
        """The answers of the list that is asked for; None where it has no parent, or nothing can be kept."""
        place = place_of(request.url or "")
        if not self._is_ours or place.resource is None or TABLES[place.resource].parent is None:
            return None
        with self._lock:
            if place not in self._lists:
                name = sha256(f"{place.resource} {place.parent_id}".encode()).hexdigest()[:32]
                self._lists[place] = AnswerFile(self._folder / f"{place.resource}-{name}")
            return self._lists[place]

    def _stop_writing(self, error: OSError) -> None:
        self._can_write = False
        logger.warning("Answers can't be kept for a sync after this one: %s (%s)", error.filename or self._folder, error.strerror)


def forget_answers(folder: Path) -> None:
    """Remove a folder of kept answers, if there is one; of a link, what it leads to stays."""
    if folder.is_symlink():
        with contextlib.suppress(OSError):
            folder.unlink()
    shutil.rmtree(folder, ignore_errors=True)


def are_worth_keeping(error: BaseException) -> bool:
    """Whether a reading that ended with this error may go on where it was: it was stopped, or the API was out of reach."""
    return any(not isinstance(cause, Exception) or isinstance(cause, TransientAnswerError) for cause in causes(error))


def seconds_since(response: requests.Response) -> float:
    """How long ago an answer came; 0 for one that has just come."""
    return max(0.0, time.time() - response.kept_at) if isinstance(response, KeptAnswer) else 0.0


def seconds_since_asked(response: requests.Response) -> float:
    """How long ago an answer was asked for that came to an earlier reading; 0 for one that has just come.

    The server may have looked at the list right then, long before its answer was here.
    """
    return max(0.0, time.time() - response.asked_at) if isinstance(response, KeptAnswer) else 0.0


def _answer(request: requests.PreparedRequest, head: Head, body: bytes) -> KeptAnswer:
    answer = KeptAnswer()
    answer.asked_at = head.asked_at
    answer.kept_at = head.kept_at
    answer.status_code = 200
    answer.url = request.url or ""
    answer.request = request
    answer._content = body  # noqa: SLF001  # requests has no other way in for a body
    answer.encoding = "latin-1"  # as in `adapter.py`
    if head.last_page is not None:
        answer.headers[LAST_PAGE] = head.last_page
    return answer


def _is_of_key(file: Path, key: str) -> bool:
    try:
        noted = json.loads(file.read_text())
        return bool(secrets.compare_digest(_digest(key, noted["salt"]), noted["digest"]))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _note_key(file: Path, key: str) -> None:
    """Note by which key it can be told whether answers are of another one; the key itself can't be got from it."""
    salt = secrets.token_hex(16)
    file.write_text(json.dumps({"salt": salt, "digest": _digest(key, salt)}))


def _digest(key: str, salt: str) -> str:
    return scrypt(key.encode(), salt=bytes.fromhex(salt), n=2**14, r=8, p=1).hex()
