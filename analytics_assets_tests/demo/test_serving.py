"""Starting, watching and stopping the server, in a test's thread and from the command line."""

import argparse
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import requests

from analytics_assets.demo import cli
from analytics_assets.demo.behaviour import Behaviour, RequestSeen
from analytics_assets.demo.build import empty_workspace
from analytics_assets.demo.faults import Fault
from analytics_assets.demo.serving import DemoServer
from analytics_assets.demo.workspace import Workspace
from analytics_assets_tests.certificates import make_certificate
from analytics_assets_tests.demo.conftest import Asker


def test_requests_are_remembered_with_what_was_asked_and_answered(api: Asker, server: DemoServer, user_id: str) -> None:
    api.get("time_entries", user_id, page=2, page_size=9, start="2020-01-01T00:00:00Z")
    api.session.get(server.url + "/nowhere")
    first, second = server.requests
    assert (first.method, first.resource, first.parent_id) == ("GET", "time_entries", user_id)
    assert first.path.endswith(f"/user/{user_id}/time-entries")
    assert (first.page, first.page_size, first.status, first.rows) == (2, 9, 200, 9)
    assert first.query == {"page": "2", "page-size": "9", "start": "2020-01-01T00:00:00Z"}
    assert first.headers["x-api-key"] == server.api_key
    assert (second.resource, second.page, second.status, second.rows) == (None, None, 404, None)


def test_reset_brings_back_the_beginning_but_not_the_records(workspace: Workspace) -> None:
    with DemoServer(workspace, Behaviour(envelope="bare", rate_limit_per_hour=1)) as server:
        api = Asker(server)
        api.get("tags")
        server.faults.add(Fault("drop"))
        server.behaviour.envelope = "data"
        server.behaviour.refused_parents["x"] = (403, 1)
        workspace.new("tags")
        server.reset()
        assert server.requests == [] and server.faults.pending == [] and not server.behaviour.refused_parents
        assert api.get("tags").json() == workspace.tags


def test_two_servers_run_side_by_side_on_ports_of_their_own(workspace: Workspace) -> None:
    with DemoServer(workspace) as one, DemoServer(empty_workspace()) as two:
        assert one.port != two.port
        assert len(Asker(one).rows("tags")) == len(workspace.tags)
        assert Asker(two).rows("tags") == []


def test_a_port_that_is_taken_is_an_error_at_once(server: DemoServer) -> None:
    with pytest.raises(OSError, match="Address already in use"):
        DemoServer(empty_workspace(), port=server.port).start()


def test_the_server_stops_although_clients_keep_their_connections_and_wait(workspace: Workspace) -> None:
    with DemoServer(workspace) as server:
        api = Asker(server)
        api.get("tags")
        server.faults.add(Fault("stall", times=None))
        seen = threading.Event()
        server.behaviour.before_answer = lambda request: seen.set()
        failures: list[Exception] = []

        def wait() -> None:
            try:
                api.get("tags")
            except requests.ConnectionError as error:
                failures.append(error)

        waiting = threading.Thread(target=wait)
        waiting.start()
        assert seen.wait(5)
    waiting.join(5)
    assert len(failures) == 1
    with pytest.raises(requests.ConnectionError):
        api.get("tags")


def test_a_hook_that_raises_is_answered_500_and_raised_at_the_end(workspace: Workspace) -> None:
    """Otherwise a wrong assertion in a hook looks to the client like a server in trouble, and is retried."""

    def fail(request: RequestSeen) -> None:
        raise AssertionError(f"unexpected {request.resource}")

    with (
        pytest.raises(AssertionError, match="unexpected tags"),
        DemoServer(workspace, Behaviour(before_answer=fail)) as server,
    ):
        assert Asker(server).get("tags").status_code == 500


def test_requests_open_at_once_are_counted(workspace: Workspace) -> None:
    with DemoServer(workspace, Behaviour(latency_seconds=0.1)) as server:
        threads = [threading.Thread(target=Asker(server).get, args=("tags",)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert server.peak_open_requests > 1
        assert len(server.requests) == 4


def test_it_serves_https_with_a_certificate_that_nobody_vouches_for(tmp_path: Path, workspace: Workspace) -> None:
    made = make_certificate(tmp_path, "127.0.0.1")
    with DemoServer(workspace, certificate=made.certificate, certificate_key=made.key) as server:
        assert server.url.startswith("https://")
        api = Asker(server)
        with pytest.raises(requests.exceptions.SSLError):
            api.get("tags")
        assert api.rows("tags", verify=str(made.authority)) == workspace.tags


RUN = """
import argparse, sys
from analytics_assets.demo import cli
parser = argparse.ArgumentParser()
cli.add_arguments(parser)
sys.exit(cli.main(parser.parse_args()))
"""


def start(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", RUN, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_the_command_serves_until_it_is_told_to_stop(stop: signal.Signals) -> None:
    with start("--port", "0", "--users", "3", "--entries", "50", "--key", "k", "--envelope", "bare") as process:
        assert process.stdout is not None
        words = process.stdout.readline().split()
        assert words[:3] == ["Demo", "API", "on"] and words[6:] == ["key", "k"]
        url, workspace_id = words[3], words[5]
        exports = [process.stdout.readline().strip() for _ in range(3)]
        assert exports == [
            f"export ANALYTICS_API_URL={url}",
            "export ANALYTICS_API_KEY=k",
            f"export ANALYTICS_WORKSPACE_ID={workspace_id}",
        ]
        users = requests.get(f"{url}/v1/workspaces/{workspace_id}/users", headers={"X-Api-Key": "k"})
        assert len(users.json()) == 3
        process.send_signal(stop)
        assert process.wait(5) == 0
        assert process.stderr is not None and process.stderr.read() == ""


def test_the_command_says_in_a_sentence_that_the_port_is_taken(server: DemoServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(parse("--port", str(server.port), "--empty")) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == (
        f"Port {server.port} on 127.0.0.1 is taken; choose another with --port, or --port 0 for a free one.\n"
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ["--host", "0.0.0.0"],
        ["--host", "example.com"],
        ["--users", "-1"],
        ["--months", "0"],
        ["--port", "99999"],
        ["--key="],
        ["--key", "Schlüssel"],
    ],
)
def test_the_command_refuses_what_makes_no_sense(arguments: list[str]) -> None:
    with pytest.raises(SystemExit):
        parse(*arguments)


def test_the_command_serves_on_the_default_port_and_on_loopback_only() -> None:
    args = parse("--host", "localhost")
    assert (args.port, args.host, args.key) == (8090, "127.0.0.1", "demo-key")


def test_reading_the_arguments_loads_no_web_server() -> None:
    code = "import sys, analytics_assets.demo.cli; sys.exit(bool({'starlette', 'uvicorn'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2]).returncode == 0


def test_importing_starts_no_thread_and_opens_no_port() -> None:
    code = "import threading, analytics_assets.demo.serving, analytics_assets.demo.build;assert threading.active_count() == 1"
    subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2], check=True)


def test_a_client_that_speaks_no_http_does_no_harm(api: Asker, server: DemoServer) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(b"hello\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 400")
    assert api.rows("tags")


def parse(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    cli.add_arguments(parser)
    return parser.parse_args(arguments)
