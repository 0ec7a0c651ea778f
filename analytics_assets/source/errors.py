"""What can end a read of the API, each as one sentence for the person who runs it.

Only the exception types belong here; the sentences are written where the trouble is seen.
"""

from collections.abc import Iterator

import requests


class SourceError(Exception):
    """The API can't be read as it must be; the message is one sentence that says what to do."""


class AnswerTooLargeError(SourceError):
    """An answer is larger than what is brought home; a smaller page may not be."""


class TransientAnswerError(Exception):
    """One request went wrong in a way that another attempt may repair (a 503, a cut-off body, a dropped line).

    `retry_after_seconds` is what the server asked for in `Retry-After`, if it did; `may_be_size` says whether a smaller
    page might have been answered, and `advice` what the person who runs it can do if no attempt repairs it.
    """

    def __init__(
        self,
        message: str,
        *,
        retry_after_seconds: float | None = None,
        slow_down: bool = False,
        may_be_size: bool = False,
        advice: str = "",
    ) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds
        self.slow_down = slow_down
        self.may_be_size = may_be_size
        self.advice = advice


class ListRefusedError(Exception):
    """The list of one parent can't be read; `answer` is what dlt gets in place of the refusal, an empty page."""

    def __init__(self, answer: requests.Response) -> None:
        super().__init__("the list is refused")
        self.answer = answer


class PageSizeRefusedError(Exception):
    """The server refused a page that may have been too large for it; a smaller one is asked for."""


def causes(error: BaseException) -> Iterator[BaseException]:
    """The error and everything that it was raised from or while handling, outermost first."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or current.__context__


def find_source_error(error: BaseException) -> SourceError | None:
    """The `SourceError` behind an exception that dlt or Dagster wrapped, or None."""
    return next((cause for cause in causes(error) if isinstance(cause, SourceError)), None)
