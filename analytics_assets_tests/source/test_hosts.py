"""The key goes to the API's own address, over a line that nobody else can read, and is never said aloud."""

import contextlib
import socket
import socketserver
import threading
import traceback
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
from dlt.extract.exceptions import ResourceExtractionError

from analytics_assets.demo.build import empty_workspace
from analytics_assets.demo.faults import Fault
from analytics_assets.demo.serving import DemoServer
from analytics_assets.source.errors import SourceError
from analytics_assets.source.http import API_KEY_HEADER, HttpLimits, HttpSession
from analytics_assets.source.meter import Meter
from analytics_assets_tests.certificates import make_certificate
from analytics_assets_tests.rig import Rig
from analytics_assets_tests.tiny import tiny_workspace

QUICK = HttpLimits(requests_per_second=10_000, backoff_factor=0)


@pytest.fixture
def other() -> Iterator[DemoServer]:
    """Another host, as far as HTTP is concerned."""
    with DemoServer(empty_workspace()) as server:
        yield server


@pytest.fixture
def secure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    """A rig whose server speaks TLS with a certificate that this machine trusts."""
    made = make_certificate(tmp_path, "127.0.0.1")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(made.authority))
    with DemoServer(tiny_workspace(), certificate=made.certificate, certificate_key=made.key) as server:
        yield Rig(server, tmp_path)


@pytest.mark.parametrize("place", ["another host", "the same host", "nowhere"])
def test_redirects_are_refused_and_nothing_is_asked_where_they_point_to(tiny: Rig, other: DemoServer, place: str) -> None:
    path = f"/v1/workspaces/{tiny.workspace.id}/clients"
    target = {"another host": f"{other.url}{path}", "the same host": f"{path}?page=1", "nowhere": None}[place]
    tiny.server.faults.add(Fault("redirect", "clients", location=target, times=None))
    sentence = tiny.failing_read("clients")
    assert "answered 302 and redirects to" in sentence and (target or "/login") in sentence
    assert "set ANALYTICS_API_URL to the API's own address" in sentence
    assert other.requests == [] and len(tiny.server.requests) == 1


@pytest.mark.parametrize("resource", ["time_entries", "tasks"])
def test_a_child_list_that_redirects_is_not_taken_for_one_that_is_refused(tiny: Rig, other: DemoServer, resource: Any) -> None:
    tiny.server.faults.add(Fault("redirect", resource, location=other.url, times=None))
    assert "redirects" in tiny.failing_read(resource)
    assert other.requests == []


@pytest.mark.parametrize(
    "address",
    [
        "{other}/v1/workspaces/x/clients",
        "http://127.0.0.1:{port}@localhost:{other_port}/v1",
        "https://127.0.0.1:{port}/v1/workspaces/x/clients",
        "http://localhost:{other_port}/v1/workspaces/x/clients",
    ],
)
def test_the_session_asks_no_other_address_than_the_apis(tiny: Rig, other: DemoServer, address: str) -> None:
    session = HttpSession(tiny.server.url, QUICK, Meter())
    url = address.format(other=other.url, port=tiny.server.port, other_port=other.port)
    with pytest.raises(SourceError, match=r"is not at the address of ANALYTICS_API_URL; the key was not sent\.") as raised:
        session.get(url, headers={API_KEY_HEADER: tiny.api_key})
    assert tiny.api_key not in str(raised.value)
    assert other.requests == [] and tiny.server.requests == []


def test_the_key_does_not_travel_in_the_clear_also_under_plain_dlt(tiny: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings refuse such an address; the source is used without them too."""
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: pytest.fail("the network was asked"))
    tiny.api_url = "http://api.example.com"
    assert "in the clear" in (sentence := tiny.failing_read("clients")) and "https://" in sentence


def test_an_api_on_this_machine_is_not_asked_through_a_proxy(
    tiny: Rig, other: DemoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Offices set HTTP_PROXY for all and forget NO_PROXY; the proxy would read the key, and `make run` would fail."""
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", other.url)
    tiny.assert_reads_the_api("clients")
    assert other.requests == []


@contextlib.contextmanager
def cache_before(rig: Rig, *, obeys: bool) -> Iterator[None]:
    """A proxy before the API that answers a request that came before with what it kept, unless it is told not to and obeys."""
    kept: dict[str, requests.Response] = {}

    class Cache(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            is_kept = self.path in kept and not (obeys and "no-cache" in self.headers.get("Cache-Control", ""))
            if not is_kept:
                kept[self.path] = requests.get(server_url + self.path, headers=dict(self.headers), timeout=10)
            answer = kept[self.path]
            self.send_response(answer.status_code)
            for name, value in {"Last-Page": answer.headers.get("Last-Page"), "Age": "37" if is_kept else "0"}.items():
                if value is not None:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server_url = rig.server.url
    with ThreadingHTTPServer(("127.0.0.1", 0), Cache) as cache:
        thread = threading.Thread(target=cache.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        rig.api_url = f"http://127.0.0.1:{cache.server_address[1]}"
        yield
        cache.shutdown()
        thread.join()


def test_a_cache_before_the_api_is_told_to_ask_it_and_no_answer_that_it_had_kept_is_believed(tiny: Rig) -> None:
    """An answer that does not say how long it holds may be kept, and a sync of yesterday's answers was green."""
    with cache_before(tiny, obeys=True):
        tiny.sync()
        tiny.workspace.edit("clients", tiny.workspace.clients[0]["id"], name="another name")
        tiny.sync()
        tiny.assert_equals_api()
    with cache_before(tiny, obeys=False):
        tiny.read("clients")
        sentence = tiny.failing_sync()
    assert "answered what a cache had kept for 37 s, as its header Age says, after 4 attempts. Let the proxy" in sentence


@pytest.mark.parametrize("url", ["http://LOCALHOST:{port}", "http://localhost:{port}/", "HTTP://127.0.0.1:{port}"])
def test_an_address_may_be_written_in_capitals_and_end_in_a_slash(tiny: Rig, url: str) -> None:
    tiny.api_url = url.format(port=tiny.server.port)
    tiny.assert_reads_the_api("clients")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 418, 503])
def test_a_server_that_repeats_the_key_in_its_message_does_not_get_it_into_the_logs(
    tiny: Rig, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    body = b'{"message": "Api key demo-key\\nis \\u001b[31mwrong", "code": "demo-key"}'
    tiny.server.faults.add(Fault("status", "clients", status=status, body=body, times=None))
    tiny.server.faults.add(Fault("status", "tasks", status=400, body=body, times=None))
    assert "(Api key *** is [31mwrong, code ***)" in tiny.failing_read("clients")
    tiny.read("tasks")
    assert set(tiny.recorder.resources["tasks"].refused.values()) == {"400 (Api key *** is [31mwrong, code ***)"}
    assert tiny.api_key not in caplog.text and "\x1b" not in caplog.text


def test_a_redirect_that_repeats_the_key_does_not_get_it_into_the_logs(tiny: Rig) -> None:
    tiny.server.faults.add(Fault("redirect", "clients", location="/login?key=demo-key"))
    assert "/login?key=***" in tiny.failing_read("clients")


def test_a_certificate_that_nobody_vouches_for_is_refused_at_once(tmp_path: Path) -> None:
    made = make_certificate(tmp_path, "127.0.0.1")
    with DemoServer(tiny_workspace(), certificate=made.certificate, certificate_key=made.key) as server:
        sentence = (rig := Rig(server, tmp_path)).failing_read("clients")
        assert "certificate is not valid (" in sentence and "the key was not sent" in sentence
        assert (
            "Where a proxy of your company opens the lines, name a file with its certificate in REQUESTS_CA_BUNDLE." in sentence
        )
        assert server.requests == [] and rig.meter.retries == 0


def test_a_certificate_of_another_name_is_refused_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = make_certificate(tmp_path, "example.org")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(made.authority))
    with DemoServer(tiny_workspace(), certificate=made.certificate, certificate_key=made.key) as server:
        sentence = (rig := Rig(server, tmp_path)).failing_read("clients")
        assert "certificate is not valid (" in sentence and "127.0.0.1" in sentence
        assert server.requests == [] and rig.meter.retries == 0


@pytest.mark.parametrize(
    ("text", "reason"), [(None, "No such file or directory"), ("no certificate", "no certificate or crl found")]
)
def test_certificates_that_can_not_be_read_are_said_at_once_with_the_variable(
    secure: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None, reason: str
) -> None:
    """A file that is missing was a traceback, and one without certificates was tried four times as a line that had failed."""
    file = tmp_path / "believed.pem"
    if text is not None:
        file.write_text(text)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(file))
    sentence = secure.failing_read("clients")
    assert f"REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE names {file}, from which no certificates can be read (" in sentence
    assert reason in sentence and secure.meter.retries == 0


def test_a_valid_certificate_is_accepted_and_lost_lines_under_tls_are_tried_again(secure: Rig) -> None:
    secure.assert_reads_the_api("clients")
    secure.server.faults.add(Fault("drop", "clients"), Fault("truncate", "clients"), Fault("truncate", "clients", chunked=True))
    secure.assert_reads_the_api("clients")
    assert secure.meter.retries == 3
    secure.server.faults.add(Fault("drop", "clients", times=None))
    assert "the connection failed" in secure.failing_read("clients")


@pytest.mark.parametrize(
    "proxy",
    [
        "http://me:pass-word@[::1",
        "http://",
        "gopher://me:pass-word@127.0.0.1:1",
        "http://me:pass-word@127.0.0.1:99999",
        "http://me:pass-word#1@127.0.0.1:1",
        "http://me:pass-word-€@127.0.0.1:1",
    ],
)
def test_a_proxy_whose_address_can_not_be_read_is_said_at_once_without_its_password(
    tiny: Rig, monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    """The errors of its address say it as it is, and Dagster keeps what an error was raised from beside the sentence."""
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    tiny.api_url = "https://api.invalid"
    sentence = tiny.failing_read("clients")
    assert "the address of the proxy can't be read" in sentence and "HTTPS_PROXY or ALL_PROXY" in sentence
    assert "pass-word" not in sentence and tiny.meter.retries == 0
    with pytest.raises(ResourceExtractionError) as raised:
        tiny.read("clients")
    assert "pass-word" not in "".join(traceback.format_exception(raised.value))


def test_a_proxy_that_gives_no_line_is_named_and_not_the_api(tiny: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """The advice was to check the address of the API, which was right."""
    monkeypatch.setenv("HTTPS_PROXY", tiny.api_url)  # it answers, but is no proxy
    tiny.api_url = "https://api.invalid"
    sentence = tiny.failing_read("clients")
    assert "the proxy gave no line (Tunnel connection failed: 4" in sentence
    assert "Check the proxy that HTTPS_PROXY or ALL_PROXY names." in sentence and "ANALYTICS_API_URL" not in sentence


def test_a_proxy_that_hangs_up_without_a_word_is_named(tiny: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence named nothing that could be looked at."""

    class HangUp(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(1000)

    with socketserver.TCPServer(("127.0.0.1", 0), HangUp) as listener:
        thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{listener.server_address[1]}")
        tiny.api_url = "https://api.invalid"
        sentence = tiny.failing_read("clients")
        listener.shutdown()
        thread.join()
    assert "the connection failed (" in sentence
    assert sentence.endswith("after 4 attempts. Check the proxy that HTTPS_PROXY or ALL_PROXY names.")


def test_a_handshake_that_breaks_off_is_a_lost_line_and_no_wrong_certificate(tiny: Rig) -> None:
    """TLS reports a dropped line as an error of TLS; taken for a wrong certificate it would not be tried again."""
    attempts: list[bytes] = []

    class HangUp(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            attempts.append(self.request.recv(5))
            self.request.sendall(b"\x16\x03\x03\x00\x05")

    with socketserver.TCPServer(("127.0.0.1", 0), HangUp) as listener:
        thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        tiny.api_url = f"https://127.0.0.1:{listener.server_address[1]}"
        sentence = tiny.failing_read("clients")
        listener.shutdown()
        thread.join()
    assert "connection failed" in sentence and "after 4 attempts" in sentence and "certificate" not in sentence
    assert len(attempts) == 4


def test_https_to_a_port_that_speaks_http_is_no_wrong_certificate(tiny: Rig) -> None:
    tiny.api_url = tiny.server.url.replace("http:", "https:")
    sentence = tiny.failing_read("clients")
    assert "connection failed" in sentence and "certificate" not in sentence


def test_a_port_where_nobody_listens_is_said_after_four_attempts(tiny: Rig) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        tiny.api_url = f"http://127.0.0.1:{free.getsockname()[1]}"
        sentence = tiny.failing_read("clients")
    assert (
        "the connection failed ([Errno 111] Connection refused), after 4 attempts. Check ANALYTICS_API_URL, and that " in sentence
    )
    assert tiny.meter.retries == 3


def test_a_host_that_does_not_exist_is_said_with_the_setting_that_names_it(tiny: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_such_host(*_: object, **__: object) -> object:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    tiny.api_url = "https://api.example.invalid"
    monkeypatch.setattr(socket, "getaddrinfo", no_such_host)
    sentence = tiny.failing_read("clients")
    assert "GET https://api.example.invalid/v1/workspaces/" in sentence
    assert "the host can't be found, after 4 attempts. Check ANALYTICS_API_URL, and that this machine reaches it." in sentence
