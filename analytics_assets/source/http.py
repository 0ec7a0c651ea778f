"""The HTTP session: every request goes through the ceiling, and is tried again where that may help.

dlt's own client is not used: its retries bypass a ceiling, it has no deadline for a whole answer, it follows redirects
and would send the key along, and it tries statuses again that the specification does not name. How one answer is
received is decided in `adapter.py`, when it is tried again in `retrying.py`, and what it means in `answers.py`.
"""

import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import requests
from requests.hooks import dispatch_hook
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt
from urllib3.exceptions import HTTPError, NameResolutionError, NewConnectionError

from analytics_assets.source.adapter import WholeAnswerAdapter, is_through_a_proxy, named
from analytics_assets.source.ceiling import Ceiling
from analytics_assets.source.ending import Ending
from analytics_assets.source.errors import (
    AnswerTooLargeError,
    ListRefusedError,
    PageSizeRefusedError,
    SourceError,
    TransientAnswerError,
    causes,
)
from analytics_assets.source.kept_answers import KeptAnswers
from analytics_assets.source.meter import Meter
from analytics_assets.source.page_size import PageSize, is_first_page, size_in, with_size
from analytics_assets.source.retrying import (
    CHECK_ADDRESS,
    CHECK_PROXY,
    MAX_RETRIES,
    WAIT_LONGER,
    end_of_attempts,
    may_be_mended,
    seconds_until_next,
)
from analytics_assets.source.routes import place_of

API_KEY_HEADER: Final = "X-Api-Key"
OK: Final = 200
RETRY_STATUSES: Final = frozenset({429, 500, 502, 503, 504})
CONNECT_TIMEOUT_SECONDS: Final = 10.0
BODY_TIMEOUT_FACTOR: Final = 5
BODY_LIMIT_BYTES: Final = 256 * 2**20


@dataclass(frozen=True)
class HttpLimits:
    """How hard the API may be asked, and how long it is waited for.

    Args:
        requests_per_second: ceiling over all threads of the process, retries included.
        concurrency: requests in flight at most.
        backoff_factor: seconds; the waits between attempts are factor * 1, 2, 4 (the specification's factor is 2).
        read_timeout_seconds: longest silence of the server.
        connect_timeout_seconds: how long it may take to open a line.
        body_timeout_factor: a whole body may take so many times as long as the longest silence. A whole answer, from
            the opening of the line on, may take that and the time for the line.
        body_limit_bytes: largest body that is brought home.
        requests_per_hour: second ceiling, kept over processes that run one after the other.
        ledger: file in which the requests of the last hour are kept; needed with `requests_per_hour`.
    """

    requests_per_second: int = 10
    concurrency: int = 8
    backoff_factor: float = 2.0
    read_timeout_seconds: float = 60.0
    connect_timeout_seconds: float = CONNECT_TIMEOUT_SECONDS
    body_timeout_factor: float = BODY_TIMEOUT_FACTOR
    body_limit_bytes: int = BODY_LIMIT_BYTES
    requests_per_hour: int | None = None
    ledger: Path | None = None

    @property
    def answer_timeout_seconds(self) -> float:
        """How long a whole answer may take, counted from when its request is sent."""
        return self.connect_timeout_seconds + self.body_timeout_seconds

    @property
    def body_timeout_seconds(self) -> float:
        """How long a whole body may take."""
        return self.body_timeout_factor * self.read_timeout_seconds


class HttpSession(requests.Session):
    """A session for one API: every request goes through the ceiling and is tried up to four times.

    Once a request has failed for good the reading is over, as it is when the process is told to end: nobody waits any
    longer, and nothing more is asked.
    """

    def __init__(
        self,
        root_url: str,
        limits: HttpLimits,
        meter: Meter,
        page_size: PageSize | None = None,
        kept_answers: KeptAnswers | None = None,
    ) -> None:
        super().__init__()
        self._page_size = page_size
        self._kept_answers = kept_answers
        self._limits = limits
        self._meter = meter
        if meter.ending.is_over:
            meter.ending = Ending()  # under plain dlt the options of a reading that failed may be used for the next one
        self._ending = meter.ending
        self._ceiling = Ceiling(
            limits.requests_per_second,
            limits.requests_per_hour,
            limits.ledger,
            ending=meter.ending,
            requests_left=lambda: meter.requests_left,
        )
        adapter = WholeAnswerAdapter(root_url, limits, meter.ending)
        self._environment: Mapping[str, Any] | None = None
        self.headers["Cache-Control"] = "no-cache"  # a proxy may keep answers that do not say how long they hold
        self.adapters.clear()
        self.mount("https://", adapter)
        self.mount("http://", adapter)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """dlt copies a REST configuration to validate it; all copies share this one object."""
        return self

    def merge_environment_settings(self, *args: Any, **kwargs: Any) -> Any:
        """The proxy and the certificates that the environment names, looked up once: all requests go to one address."""
        if self._environment is None:
            self._environment = super().merge_environment_settings(*args, **kwargs)
        return {**self._environment, "proxies": dict(self._environment["proxies"])}

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Send one request, again where another attempt may help, with a smaller page where that may help.

        Raises:
            SourceError: the last attempt failed too, or no other attempt could help.
        """
        try:
            return self._answer(request, kwargs)
        except ListRefusedError as refusal:
            return refusal.answer

    def _answer(self, request: requests.PreparedRequest, kwargs: Mapping[str, Any]) -> requests.Response:
        smaller, is_refused = None, True
        sizes: list[int] = []
        while True:
            try:
                response = self._send(request, kwargs)
            except PageSizeRefusedError:
                smaller = self._smaller(request)
                assert smaller is not None
            except TransientAnswerError as error:
                is_refused = False
                sizes += [size for size in [size_in(request.url or "")] if size is not None]
                smaller = self._smaller(request) if error.may_be_size else None
                if smaller is None:
                    failure = SourceError(f"{named(request)}: {error}{end_of_attempts(error, sizes)}")
                    failure.__cause__ = error  # before the other threads give it as their reason
                    self._ending.end(failure)
                    raise failure from error
            except SourceError as error:
                smaller = self._smaller(request) if isinstance(error, AnswerTooLargeError) else None
                if smaller is None:
                    self._ending.end(error)
                    raise
            else:
                if smaller is not None and self._page_size is not None:
                    self._page_size.settle(smaller, is_refused=is_refused)
                return response
            request = request.copy()
            request.url = with_size(request.url or "", smaller)

    def _smaller(self, request: requests.PreparedRequest) -> int | None:
        """The page size to ask for after this request has failed; None where another size can't help."""
        url = request.url or ""
        size = size_in(url)
        if self._page_size is None or size is None or not is_first_page(url):
            return None
        return self._page_size.next_smaller(size)

    def _send(self, request: requests.PreparedRequest, kwargs: Mapping[str, Any]) -> requests.Response:
        attempts = Retrying(
            stop=stop_after_attempt(1 + MAX_RETRIES),
            retry=retry_if_exception(may_be_mended),
            wait=self._wait_seconds,
            before_sleep=lambda state: self._note_retry(request, state),
            sleep=self._ceiling.pause,
            reraise=True,
        )
        try:
            return attempts(self._attempt, request, kwargs)
        finally:
            self._ceiling.leave(is_answered=False)

    def _attempt(self, request: requests.PreparedRequest, kwargs: Mapping[str, Any]) -> requests.Response:
        kept = self._kept_answers
        if kept is not None and (answer := kept.take(request, self._ceiling.left_in_hour)) is not None:
            believed: requests.Response = dispatch_hook("response", request.hooks, answer, **kwargs)
            return believed
        self._ceiling.enter()
        is_answered, asked_at = True, time.time()
        try:
            response = self._exchange(request, kwargs)
            if kept is not None and response.status_code == OK:
                kept.keep(request, response, asked_at=asked_at)
            return response
        except TransientAnswerError:
            is_answered = False
            raise
        finally:
            if is_answered:
                self._ceiling.leave(is_answered=True)

    def _exchange(self, request: requests.PreparedRequest, kwargs: Mapping[str, Any]) -> requests.Response:
        resource = place_of(request.url or "").resource
        if resource is not None:
            self._meter.asked(resource)
        started = time.monotonic()
        size = 0
        way_there = CHECK_PROXY if is_through_a_proxy(request, kwargs.get("proxies")) else CHECK_ADDRESS
        try:
            response = super().send(request, **{**kwargs, "stream": True, "allow_redirects": False})
            size = response.raw.tell()
        except requests.exceptions.SSLError as error:
            # a line that drops under TLS is an SSLError too; only a certificate will be as wrong the next time
            if not _is_about_a_certificate(error):
                raise TransientAnswerError(f"the TLS connection failed ({_reason(error)})", advice=CHECK_ADDRESS) from error
            raise SourceError(
                f"{named(request)}: the server's certificate is not valid ({_reason(error)}); the key was not sent. "
                "Check ANALYTICS_API_URL. Where a proxy of your company opens the lines, name a file with its certificate in "
                "REQUESTS_CA_BUNDLE."
            ) from error
        except requests.exceptions.Timeout as error:
            is_connected = not isinstance(error, requests.exceptions.ConnectTimeout)
            raise TransientAnswerError(
                f"no answer in time ({_reason(error)})",
                may_be_size=is_connected,
                advice=WAIT_LONGER if is_connected else way_there,
            ) from error
        except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema):
            # the API's own address was read when the request was made; that of the proxy may hold a password, so neither it
            # nor the error is shown, which Dagster would keep with the sentence as its cause
            raise SourceError(
                f"{named(request)} can't be sent: the address of the proxy can't be read, or is of an unknown kind. {CHECK_PROXY}"
            ) from None
        except requests.exceptions.ProxyError as error:
            raise TransientAnswerError(f"the proxy gave no line ({_reason(error)})", advice=CHECK_PROXY) from error
        except (requests.exceptions.RequestException, HTTPError) as error:
            if any(isinstance(cause, NameResolutionError) for cause in causes(error)):
                raise TransientAnswerError("the host can't be found", advice=way_there) from error
            is_refused = any(isinstance(cause, NewConnectionError) for cause in causes(error))
            raise TransientAnswerError(
                f"the connection failed ({_reason(error)})",
                may_be_size=not is_refused,
                advice=way_there if is_refused or way_there == CHECK_PROXY else "",
            ) from error
        finally:
            if resource is not None:
                self._meter.answered(resource, size=size, seconds=time.monotonic() - started)
        return response

    def _wait_seconds(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        wait = seconds_until_next(error, attempt=state.attempt_number, backoff_factor=self._limits.backoff_factor)
        if isinstance(error, TransientAnswerError) and error.slow_down:
            self._ceiling.close_for(wait)
        return wait

    def _note_retry(self, request: requests.PreparedRequest, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        resource = place_of(request.url or "").resource
        if resource is not None:
            self._meter.retried(resource, str(error), wait_seconds=state.upcoming_sleep)
        self._ceiling.leave(is_answered=False)


def _is_about_a_certificate(error: Exception) -> bool:
    """urllib3 wraps the error of the handshake without naming it as its cause; it is an argument somewhere inside."""
    return any(isinstance(inner, ssl.SSLCertVerificationError) for cause in causes(error) for inner in (cause, *cause.args))


def _reason(error: Exception) -> str:
    """The innermost cause in a few words, without the addresses that the outer ones repeat."""
    innermost = list(causes(error))[-1]
    text = str(innermost) or type(innermost).__name__
    return text.rsplit("object at 0x", 1)[-1].split(">: ", 1)[-1][:160]
