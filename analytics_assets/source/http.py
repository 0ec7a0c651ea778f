"""The HTTP session: time-outs, retries, the request ceiling, and the promise that the key goes to one origin only.

What an answer means is `answers.py`'s business; this module brings a whole body home or says why it can't.
"""

import ipaddress
import math
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt
from urllib3.exceptions import DecodeError, HTTPError, NameResolutionError, ReadTimeoutError

from analytics_assets.source.ceiling import Ceiling
from analytics_assets.source.errors import SourceError, TransientAnswerError, causes
from analytics_assets.source.meter import Meter
from analytics_assets.source.routes import place_of

API_KEY_HEADER: Final = "X-Api-Key"
RETRY_STATUSES: Final = frozenset({429, 500, 502, 503, 504})
MAX_RETRIES: Final = 3
RETRY_AFTER_BOUND_SECONDS: Final = 120.0
BACKOFF_BOUND_SECONDS: Final = 60.0
CONNECT_TIMEOUT_SECONDS: Final = 10.0
BODY_TIMEOUT_FACTOR: Final = 5
BODY_LIMIT_BYTES: Final = 256 * 2**20
BODY_CHUNK_BYTES: Final = 256 * 2**10


@dataclass(frozen=True)
class HttpLimits:
    """How hard the API may be asked, and how long it is waited for.

    Args:
        requests_per_second: ceiling over all threads of the process, retries included.
        concurrency: requests in flight at most.
        backoff_factor: seconds; the waits between attempts are factor * 1, 2, 4 (the specification's factor is 2).
        read_timeout_seconds: longest silence of the server.
        body_timeout_factor: a whole body may take so many times as long.
        body_limit_bytes: largest body that is brought home.
        requests_per_hour: second ceiling, kept over processes that run one after the other.
        ledger: file in which the requests of the last hour are kept; needed with `requests_per_hour`.
    """

    requests_per_second: int = 10
    concurrency: int = 8
    backoff_factor: float = 2.0
    read_timeout_seconds: float = 60.0
    body_timeout_factor: float = BODY_TIMEOUT_FACTOR
    body_limit_bytes: int = BODY_LIMIT_BYTES
    requests_per_hour: int | None = None
    ledger: Path | None = None


class HttpSession(requests.Session):
    """A session for one API: every request goes through the ceiling and is tried up to four times."""

    def __init__(self, root_url: str, limits: HttpLimits, meter: Meter) -> None:
        super().__init__()
        self._limits = limits
        self._meter = meter
        self._ceiling = Ceiling(limits.requests_per_second, limits.requests_per_hour, limits.ledger)
        adapter = _BodyAdapter(root_url, limits)
        self.adapters.clear()
        self.mount("https://", adapter)
        self.mount("http://", adapter)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """dlt copies a REST configuration to validate it; all copies share this one object."""
        return self

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Send one request, again where another attempt may help.

        Raises:
            SourceError: the last attempt failed too, or no other attempt could help.
        """
        attempts = Retrying(
            stop=stop_after_attempt(1 + MAX_RETRIES),
            retry=retry_if_exception_type(TransientAnswerError),
            wait=self._wait_seconds,
            before_sleep=lambda state: self._note_retry(request, state),
            sleep=self._ceiling.pause,
            reraise=True,
        )
        try:
            return attempts(self._attempt, request, kwargs)
        except TransientAnswerError as error:
            raise SourceError(f"{_named(request)}: {error}, after {1 + MAX_RETRIES} attempts.") from error

    def _attempt(self, request: requests.PreparedRequest, kwargs: Mapping[str, Any]) -> requests.Response:
        resource = place_of(request.url or "").resource
        if resource is not None:
            self._meter.asked(resource)
        self._ceiling.enter()
        started = time.monotonic()
        size = 0
        try:
            response = super().send(request, **{**kwargs, "stream": True, "allow_redirects": False})
            size = response.raw.tell()
        except requests.exceptions.SSLError as error:
            # a line that drops under TLS is an SSLError too; only a certificate will be as wrong the next time
            if not _is_about_a_certificate(error):
                raise TransientAnswerError(f"the TLS connection failed ({_reason(error)})") from error
            raise SourceError(
                f"{_named(request)}: the server's certificate is not valid ({_reason(error)}); the key was not sent. "
                "Check ANALYTICS_API_URL, or the machine's certificates."
            ) from error
        except requests.exceptions.Timeout as error:
            raise TransientAnswerError(f"no answer in time ({_reason(error)})") from error
        except (requests.exceptions.RequestException, HTTPError) as error:
            if any(isinstance(cause, NameResolutionError) for cause in causes(error)):
                raise TransientAnswerError("the host can't be found; check ANALYTICS_API_URL") from error
            raise TransientAnswerError(f"the connection failed ({_reason(error)})") from error
        finally:
            if resource is not None:
                self._meter.answered(resource, size=size, seconds=time.monotonic() - started)
        return response

    def _wait_seconds(self, state: RetryCallState) -> float:
        wait: float = min(self._limits.backoff_factor * 2 ** (state.attempt_number - 1), BACKOFF_BOUND_SECONDS)
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, TransientAnswerError) and error.retry_after_seconds is not None:
            wait = min(max(error.retry_after_seconds, 0.0), RETRY_AFTER_BOUND_SECONDS)
        if isinstance(error, TransientAnswerError) and error.slow_down:
            self._ceiling.close_for(wait)
        return wait

    def _note_retry(self, request: requests.PreparedRequest, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        resource = place_of(request.url or "").resource
        if resource is not None:
            self._meter.retried(resource, str(error), wait_seconds=state.upcoming_sleep)


class _BodyAdapter(HTTPAdapter):
    """Reads the whole body under a deadline and a size limit, and refuses every address but the API's own."""

    def __init__(self, root_url: str, limits: HttpLimits) -> None:
        super().__init__(pool_connections=1, pool_maxsize=limits.concurrency)
        self._root_url = root_url
        self._limits = limits

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """Send the request and bring its whole body home."""
        self._check_address(request)
        if _is_loopback(urlsplit(request.url or "").hostname or ""):
            kwargs["proxies"] = {}  # one that HTTP_PROXY names would get the key in the clear
        kwargs["timeout"] = (CONNECT_TIMEOUT_SECONDS, self._limits.read_timeout_seconds)
        response = super().send(request, *args, **kwargs)
        try:
            response._content = self._body(request, response)
        except BaseException:
            response.close()  # what is left of the body must not be taken for the next answer
            raise
        response._content_consumed = True
        return response

    def _check_address(self, request: requests.PreparedRequest) -> None:
        scheme, host = urlsplit(request.url or "")[:2]
        # prepared as the request was, which writes hosts in lower case and in ASCII
        if (scheme, host) != urlsplit(requests.Request("GET", self._root_url).prepare().url or "")[:2]:
            raise SourceError(f"{_named(request)} is not at the address of ANALYTICS_API_URL; the key was not sent.")
        if scheme != "https" and not _is_loopback(urlsplit(request.url or "").hostname or ""):
            raise SourceError(
                f"{_named(request)} would send the key across the network in the clear; it was not sent. "
                "ANALYTICS_API_URL must start with https://."
            )

    def _body(self, request: requests.PreparedRequest, response: requests.Response) -> bytes:
        """The body, decompressed, read as it comes: waiting for full chunks would never see that it only drips."""
        deadline = time.monotonic() + self._limits.body_timeout_factor * self._limits.read_timeout_seconds
        body = bytearray()
        try:
            while chunk := response.raw.read1(BODY_CHUNK_BYTES, decode_content=True):
                body += chunk
                if time.monotonic() > deadline:
                    raise TransientAnswerError(f"the body drips in too slowly, {len(body)} bytes so far")
                if len(body) > self._limits.body_limit_bytes:
                    raise SourceError(
                        f"{_named(request)}: the answer is larger than {self._limits.body_limit_bytes >> 20} MiB; "
                        "ask for fewer rows at a time with ANALYTICS_PAGE_SIZE."
                    )
        except ReadTimeoutError as error:
            raise TransientAnswerError(f"the body stopped after {len(body)} bytes") from error
        except DecodeError as error:
            raise TransientAnswerError("the body can't be decompressed as its header says") from error
        except HTTPError as error:
            raise TransientAnswerError(f"the body was cut off after {len(body)} bytes") from error
        return bytes(body)


def retry_after_seconds(response: requests.Response) -> float | None:
    """What the server asks for in `Retry-After`: seconds, or a date of HTTP; None where it asks nothing readable."""
    header = response.headers.get("Retry-After", "").strip()
    try:
        seconds = float(header)
    except ValueError:
        pass
    else:
        return None if math.isnan(seconds) else seconds
    try:
        return parsedate_to_datetime(header).timestamp() - time.time()
    except ValueError:
        return None


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_about_a_certificate(error: Exception) -> bool:
    """urllib3 wraps the error of the handshake without naming it as its cause; it is an argument somewhere inside."""
    return any(isinstance(inner, ssl.SSLCertVerificationError) for cause in causes(error) for inner in (cause, *cause.args))


def _named(request: requests.PreparedRequest) -> str:
    parts = urlsplit(request.url or "")
    query = f"?{parts.query}" if parts.query else ""
    return f"{request.method} {parts.scheme}://{parts.netloc}{parts.path}{query}"


def _reason(error: Exception) -> str:
    """The innermost cause in a few words, without the addresses that the outer ones repeat."""
    innermost = list(causes(error))[-1]
    text = str(innermost) or type(innermost).__name__
    return text.rsplit("object at 0x", 1)[-1].split(">: ", 1)[-1][:160]
