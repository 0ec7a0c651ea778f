"""How one request is sent and its whole answer brought home: time-outs, and the promise that the key goes to one origin only.

What went wrong is raised as urllib3, requests or this module put it; whether it is tried again is decided in `http.py`.
"""

import ipaddress
import ssl
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.utils import select_proxy
from urllib3.exceptions import DecodeError, HTTPError, ReadTimeoutError

from analytics_assets.source.ceiling import in_words
from analytics_assets.source.ending import Ending
from analytics_assets.source.errors import AnswerTooLargeError, SourceError, TransientAnswerError
from analytics_assets.source.line import Exchange, Exchanges, make_cuttable
from analytics_assets.source.retrying import WAIT_LONGER

if TYPE_CHECKING:
    from analytics_assets.source.http import HttpLimits

BODY_CHUNK_BYTES: Final = 256 * 2**10


class WholeAnswerAdapter(HTTPAdapter):
    """Brings whole answers home, under a deadline and a size limit, and refuses every address but the API's own."""

    def __init__(self, root_url: str, limits: "HttpLimits", ending: Ending) -> None:
        super().__init__(pool_connections=1, pool_maxsize=limits.concurrency)
        self._root_url = root_url
        self._limits = limits
        self._ending = ending
        self._exchanges = Exchanges(ending)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the pool, of connections that can be cut."""
        super().init_poolmanager(*args, **kwargs)
        make_cuttable(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        """The pool for a proxy, of connections that can be cut."""
        if proxy not in self.proxy_manager:
            try:
                make_cuttable(super().proxy_manager_for(proxy, **kwargs))
            except UnicodeEncodeError:  # it holds the password
                raise requests.exceptions.InvalidProxyURL("no header can carry its user or password") from None
        return self.proxy_manager[proxy]

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Take the certificates to believe, which the environment may name; requests lets a wrong name out as it is."""
        try:
            if isinstance(verify, str) and url.lower().startswith("https"):
                _look_at_certificates(verify)
            super().cert_verify(conn, url, verify, cert)
        except OSError as error:
            raise SourceError(
                f"REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE names {verify}, from which no certificates can be read "
                f"({error.strerror or error}); name a file of certificates in PEM format there, or unset the variable."
            ) from error

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """Send the request and bring its whole body home."""
        self._check_address(request)
        if is_loopback(urlsplit(request.url or "").hostname or ""):
            kwargs["proxies"] = {}  # one that HTTP_PROXY names would get the key in the clear
        kwargs["timeout"] = (self._limits.connect_timeout_seconds, self._limits.read_timeout_seconds)
        with self._exchanges.one(self._limits.answer_timeout_seconds) as exchange:
            try:
                response = self._whole_answer(request, *args, **kwargs)
            except Exception:
                self._check_line(exchange)
                raise
            self._check_line(exchange)  # a line that was cut in the headers looks like one that ends with them
        return response

    def _check_line(self, exchange: Exchange) -> None:
        """If the line was cut from here, that is the reason, whatever it has looked like to those who read from it."""
        if exchange.is_overdue:
            seconds = self._limits.answer_timeout_seconds
            raise _too_slow(f"the answer drips in too slowly, it was not whole after {in_words(seconds)}")
        self._ending.pause(0)

    def _whole_answer(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        response = super().send(request, *args, **kwargs)
        try:
            _check_length(response)
            response._content = self._body(request, response)  # noqa: SLF001  # requests has no other way in for a body
        except BaseException:
            response.close()  # what is left of the body must not be taken for the next answer
            raise
        response._content_consumed = True  # noqa: SLF001
        response.encoding = "latin-1"  # dlt's hook makes a text of each body and drops it; this one costs nothing
        return response

    def _check_address(self, request: requests.PreparedRequest) -> None:
        scheme, host = urlsplit(request.url or "")[:2]
        # prepared as the request was, which writes hosts in lower case and in ASCII
        if (scheme, host) != urlsplit(requests.Request("GET", self._root_url).prepare().url or "")[:2]:
            raise SourceError(f"{named(request)} is not at the address of ANALYTICS_API_URL; the key was not sent.")
        if scheme != "https" and not is_loopback(urlsplit(request.url or "").hostname or ""):
            raise SourceError(
                f"{named(request)} would send the key across the network in the clear; it was not sent. "
                "ANALYTICS_API_URL must start with https://."
            )

    def _body(self, request: requests.PreparedRequest, response: requests.Response) -> bytes:
        """The body, decompressed, read as it comes: waiting for full chunks would never see that it only drips."""
        deadline = time.monotonic() + self._limits.body_timeout_seconds
        body = bytearray()
        try:
            while chunk := response.raw.read1(BODY_CHUNK_BYTES, decode_content=True):
                body += chunk
                if time.monotonic() > deadline:
                    raise _too_slow(f"the body drips in too slowly, {len(body)} bytes so far")
                if len(body) > self._limits.body_limit_bytes:
                    raise AnswerTooLargeError(
                        f"{named(request)}: the answer is larger than {self._limits.body_limit_bytes >> 20} MiB; "
                        "ask for fewer rows at a time with ANALYTICS_PAGE_SIZE."
                    )
        except ReadTimeoutError as error:
            raise _too_slow(f"the body stopped after {len(body)} bytes") from error
        except DecodeError as error:
            raise TransientAnswerError("the body can't be decompressed as its header says") from error
        except HTTPError as error:
            raise TransientAnswerError(f"the body was cut off after {len(body)} bytes", may_be_size=True) from error
        return bytes(body)


@cache
def _look_at_certificates(place: str) -> None:
    """Read a file of certificates once, because each attempt would find it wrong again and take it for a matter of the line.

    Raises:
        OSError: it is not there, or holds no certificate; a folder of them is not looked into.
    """
    if not Path(place).is_dir():
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(place)


def _too_slow(what: str) -> TransientAnswerError:
    return TransientAnswerError(what, may_be_size=True, advice=WAIT_LONGER)


def _check_length(response: requests.Response) -> None:
    """Refuse a length that can't be read: `http.client` takes it for none, and waits for a line that stays open to end."""
    lengths = response.raw.headers.getlist("Content-Length")
    if not lengths or response.headers.get("Transfer-Encoding", "").lower() == "chunked":
        return
    first = lengths[0].strip()  # the one that counts
    if not (first.isascii() and first.isdecimal()):
        raise TransientAnswerError(f"the header Content-Length of the answer, {first[:40]!r}, is not a number of bytes")


def is_loopback(host: str) -> bool:
    """Whether the host is this machine."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_through_a_proxy(request: requests.PreparedRequest, proxies: Mapping[str, str] | None) -> bool:
    """Whether the request takes one of these proxies, each under what it is for."""
    url = request.url or ""
    return not is_loopback(urlsplit(url).hostname or "") and bool(select_proxy(url, dict(proxies or {})))


def named(request: requests.PreparedRequest) -> str:
    """The request as messages name it, without its headers."""
    parts = urlsplit(request.url or "")
    query = f"?{parts.query}" if parts.query else ""
    return f"{request.method} {parts.scheme}://{parts.netloc}{parts.path}{query}"
