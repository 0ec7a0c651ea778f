"""One deadline for the whole answer, whatever drips: a server that is never silent holds no sync for ever."""

import contextlib
import select
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from urllib3.exceptions import HTTPError

from analytics_assets.source.adapter import WholeAnswerAdapter
from analytics_assets.source.ending import Ending
from analytics_assets.source.errors import SourceError
from analytics_assets.source.http import HttpLimits, HttpSession
from analytics_assets.source.line import Exchanges
from analytics_assets.source.meter import Meter
from analytics_assets_tests.rig import Rig

PACE_SECONDS = 0.02
LIMITS = HttpLimits(
    requests_per_second=10_000,
    backoff_factor=0,
    read_timeout_seconds=2,
    body_timeout_factor=0.05,
    connect_timeout_seconds=0.1,
)
CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
DRIPS = {
    "status line": (b"", b"HTTP/1.1 200 OK"),
    "header line": (b"HTTP/1.1 200 OK\r\nX-Note: ", b"a"),
    "headers": (b"HTTP/1.1 200 OK\r\n", b"X-Note: a\r\n"),
    "100 Continue": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "103 Early Hints": (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
    "chunk extension": (CHUNKED + b"2;note=", b"a"),
    "chunk length": (CHUNKED, b"0"),
    "trailer": (CHUNKED + b"2\r\n[]\r\n0\r\nX-Note: ", b"a"),
    "trailers": (CHUNKED + b"2\r\n[]\r\n0\r\n", b"X-Note: a\r\n"),
    "body of a last answer": (b"HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n2;note=", b"a"),
}


@contextmanager
def dripping(beginning: bytes, piece: bytes, *, attempts: list[bytes]) -> Iterator[int]:
    """A server that sends the beginning and then pieces for ever; its port."""

    class Drip(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            attempts.append(self.request.recv(65536))
            try:
                self.request.sendall(beginning)
                while not self._has_left():
                    self.request.sendall(piece)
            except OSError:
                return

        def _has_left(self) -> bool:
            is_readable = select.select([self.request], [], [], PACE_SECONDS)[0]
            return bool(is_readable) and not self.request.recv(65536)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False

    with Server(("127.0.0.1", 0), Drip) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


@pytest.mark.timeout(60)
@pytest.mark.parametrize("kind", DRIPS)
def test_an_answer_that_drips_is_given_up_at_its_deadline(kind: str) -> None:
    """The time-outs of sockets count silence; here a piece came whenever one was about to pass."""
    meter = Meter()
    with dripping(*DRIPS[kind], attempts=[]) as port, pytest.raises(SourceError) as raised:
        HttpSession(f"http://127.0.0.1:{port}", LIMITS, meter).get(f"http://127.0.0.1:{port}/v1/workspaces/x/clients")
    assert "/clients: the answer drips in too slowly, it was not whole after 0.2 s, after 4 attempts. Set a longer " in str(
        raised.value
    )
    assert str(raised.value).endswith("Set a longer ANALYTICS_REQUEST_TIMEOUT_SECONDS, or a smaller ANALYTICS_PAGE_SIZE.")
    assert meter.retries == 3
    assert meter.of("clients").seconds < 6, "the line was not cut; `http.client` ends a drip of headers after a hundred"


@pytest.mark.timeout(20)
@pytest.mark.parametrize("status", [b"100 Continue", b"102 Processing", b"103 Early Hints"])
def test_the_answer_is_the_one_that_comes_after_the_interim_ones(status: bytes) -> None:
    """One of them was taken for the answer, and the sync was red."""
    interim = b"HTTP/1.1 " + status + b"\r\nLink: </a>; rel=preload\r\n\r\n"
    beginning = 2 * interim + b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]"
    limits = HttpLimits(requests_per_second=10_000, backoff_factor=0)
    with dripping(beginning, b"", attempts=[]) as port:
        answer = HttpSession(f"http://127.0.0.1:{port}", limits, Meter()).get(f"http://127.0.0.1:{port}/v1/workspaces/x/clients")
    assert (answer.status_code, answer.content) == (200, b"[]")


@pytest.mark.timeout(20)
@pytest.mark.parametrize("length", ["abc", "-2", "2, 2", "2.0", ""])
def test_an_answer_whose_length_can_not_be_read_is_given_up_at_once(length: str) -> None:
    """It was taken for one without a length, and each attempt waited until the line was silent for too long."""
    answer = f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n[]".encode()
    limits = HttpLimits(requests_per_second=10_000, backoff_factor=0, read_timeout_seconds=600)
    attempts: list[bytes] = []
    with dripping(answer, b"", attempts=attempts) as port, pytest.raises(SourceError) as raised:
        HttpSession(f"http://127.0.0.1:{port}", limits, Meter()).get(f"http://127.0.0.1:{port}/v1/workspaces/x/clients")
    sentence = f"/clients: the header Content-Length of the answer, {length!r}, is not a number of bytes, after 4 attempts."
    assert sentence in str(raised.value)
    assert len(attempts) == 4


@pytest.mark.timeout(60)
def test_a_handshake_of_tls_that_drips_is_given_up_after_the_time_for_the_line() -> None:
    """Python counts the whole handshake against that time, not each piece."""
    meter, limits = Meter(), replace(LIMITS, body_timeout_factor=100)
    with dripping(b"\x16\x03\x03\x40\x00", b"\x02", attempts=[]) as port, pytest.raises(SourceError) as raised:
        HttpSession(f"https://127.0.0.1:{port}", limits, meter).get(f"https://127.0.0.1:{port}/v1/workspaces/x/clients")
    assert "no answer in time (_ssl.c" in str(raised.value)
    assert meter.retries == 3


@pytest.mark.timeout(20)
def test_an_answer_through_a_socks_proxy_is_given_up_at_its_deadline() -> None:
    """Such a proxy brings connections of its own, and nobody could cut them: the line of the status came for ever."""
    greeting, granted = b"\x05\x00", b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x50"
    attempts: list[bytes] = []
    with dripping(greeting + granted + b"HTTP/1.1 200 O", b"K", attempts=attempts) as port:
        pools = WholeAnswerAdapter("http://api.example.com", LIMITS, Ending()).proxy_manager_for(f"socks5h://127.0.0.1:{port}")
        with Exchanges(Ending()).one(0.2) as exchange, contextlib.suppress(HTTPError):
            pools.connection_from_url("http://api.example.com").request("GET", "/", retries=False)
    assert exchange.is_overdue
    assert attempts == [b"\x05\x01\x00"], "the proxy was not asked as SOCKS 5 is"


def test_a_reading_that_ends_does_not_wait_for_answers() -> None:
    attempts: list[bytes] = []
    meter = Meter()
    limits = HttpLimits(requests_per_second=10_000, read_timeout_seconds=60)
    failures: list[str] = []

    def read(port: int) -> None:
        with pytest.raises(SourceError) as raised:
            HttpSession(f"http://127.0.0.1:{port}", limits, meter).get(f"http://127.0.0.1:{port}/v1/workspaces/x/clients")
        failures.append(str(raised.value))

    with dripping(*DRIPS["headers"], attempts=attempts) as port:
        thread = threading.Thread(target=read, args=(port,), daemon=True)
        thread.start()
        while not attempts:
            thread.join(PACE_SECONDS)
        meter.ending.end()
        thread.join(30)
    assert failures == ["The reading has ended; nothing more is asked of the API."]
    assert len(attempts) == 1


def test_a_session_that_failed_asks_nothing_more_and_the_next_one_does(tiny: Rig) -> None:
    """Under plain dlt the options of a reading, and with them its meter, may be used for another one."""
    meter, url = Meter(), f"{tiny.server.url}/v1/workspaces/{tiny.workspace.id}/clients"
    session = HttpSession(tiny.server.url, LIMITS, meter)
    with pytest.raises(SourceError, match="is not at the address"):
        session.get("http://127.0.0.1:1/")
    with pytest.raises(SourceError, match="is not at the address"):
        session.get(url)
    assert tiny.server.requests == []
    assert HttpSession(tiny.server.url, LIMITS, meter).get(url).status_code == 401


def test_a_line_that_another_exchange_uses_by_now_is_not_cut() -> None:
    """The watch of a request that was answered in the last moment must not cut the next one on the same line."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ending = Ending()
        with Exchanges(ending).one(60) as exchange:
            exchange.use(ours)
        exchange.cut_overdue()
        ending.end()
        theirs.sendall(b"still here")
        assert ours.recv(100) == b"still here"


def test_a_line_that_opens_after_the_deadline_is_cut_at_once() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, Exchanges(Ending()).one(60) as exchange:
        exchange.cut_overdue()
        exchange.use(ours)
        assert ours.recv(100) == b""
