"""Whether and when a request that went wrong is tried again, and what is said when it is not.

What went wrong is told by the error; sending and waiting are `http.py`'s and `ceiling.py`'s business.
"""

import math
import time
from collections.abc import Sequence
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

import requests

from analytics_assets.source.ceiling import in_words
from analytics_assets.source.errors import TransientAnswerError

MAX_RETRIES: Final = 3
BACKOFF_BOUND_SECONDS: Final = 60.0
RETRY_AFTER_BOUND_SECONDS: Final = 3600.0
"""An hour is the longest span over which plans count requests; who asks for more does not want to be asked today."""
ASK_LESS_OFTEN: Final = (
    "The server limits how often it may be asked: set ANALYTICS_REQUESTS_PER_HOUR or ANALYTICS_REQUESTS_PER_SECOND to what it "
    "allows."
)
WAIT_LONGER: Final = "Set a longer ANALYTICS_REQUEST_TIMEOUT_SECONDS, or a smaller ANALYTICS_PAGE_SIZE."
CHECK_ADDRESS: Final = "Check ANALYTICS_API_URL, and that this machine reaches it."
CHECK_PROXY: Final = "Check the proxy that HTTPS_PROXY or ALL_PROXY names."
KEEP_NO_ANSWERS: Final = "Let the proxy or cache before the API keep none of its answers."


def retry_after_seconds(response: requests.Response) -> float | None:
    """What the server asks for in `Retry-After`: seconds, or a date of HTTP; None where it asks nothing readable.

    A date is one of the server's clock, which the header `Date` tells; the clock of this machine may be hours off.
    """
    header = response.headers.get("Retry-After", "").strip()
    try:
        seconds = float(header)
    except ValueError:
        pass
    else:
        return None if math.isnan(seconds) else seconds
    until = _moment(header)
    if until is None:
        return None
    now = _moment(response.headers.get("Date", ""))
    return until - (time.time() if now is None else now)


def seconds_until_next(error: BaseException | None, *, attempt: int, backoff_factor: float) -> float:
    """How long to wait after this attempt, counted from 1: what the server asks for, or the backoff.

    Some servers ask for no wait at all, or for the part of a second that is over before they answer again. Where that was not
    enough, the backoff is waited for at least; otherwise all attempts would be used up in a moment.
    """
    backoff = min(backoff_factor * 2.0 ** (attempt - 1), BACKOFF_BOUND_SECONDS)
    if isinstance(error, TransientAnswerError) and error.retry_after_seconds is not None:
        return max(error.retry_after_seconds, 0.0 if attempt == 1 else backoff)
    return backoff


def may_be_mended(error: BaseException) -> bool:
    """Whether another attempt of this run may bring a proper answer."""
    return isinstance(error, TransientAnswerError) and not _is_put_off(error)


def _is_put_off(error: TransientAnswerError) -> bool:
    return error.retry_after_seconds is not None and error.retry_after_seconds > RETRY_AFTER_BOUND_SECONDS


def end_of_attempts(error: TransientAnswerError, sizes: Sequence[int]) -> str:
    """Why there is no other attempt, and what helps.

    Args:
        error: what went wrong in the last one.
        sizes: the rows per page that were asked for, largest first; each size is given all attempts.
    """
    if _is_put_off(error):
        asked = "without end" if math.isinf(error.retry_after_seconds or 0) else in_words(error.retry_after_seconds or 0)
        why = f" and asks to wait {asked} (Retry-After), longer than a run waits. Sync again after that."
    else:
        each = f" each with pages of {', '.join(map(str, sizes[:-1]))} and {sizes[-1]} rows" if len(sizes) > 1 else ""
        why = f", after {1 + MAX_RETRIES} attempts{each}."
    return f"{why} {error.advice}".rstrip()


def _moment(date: str) -> float | None:
    """A date of HTTP on the clock of `time.time`; None where it can't be read."""
    try:
        moment = parsedate_to_datetime(date.strip())
        # HTTP's dates are UTC, also where they say so with `-0000`
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, IndexError, ArithmeticError, OSError):  # years, offsets and numbers of any size
        return None
