"""A server that takes a connection and says nothing keeps nobody waiting: neither one who presses Ctrl-C, nor a run at night."""

import os
import signal
import socket
import threading
from collections.abc import Iterator

import pytest

from analytics_assets.warehouse.errors import WarehouseError
from analytics_assets.warehouse.team import adbc_session
from analytics_assets.warehouse.team.engines import team_warehouse

ADDRESSES = {
    "postgres": "postgresql://me:geheim@127.0.0.1:{port}/team",
    "snowflake": "snowflake://me:geheim@127.0.0.1:{port}/team?account=nobody&protocol=http&loginTimeout=20",
}


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """A server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


@pytest.mark.parametrize("engine", [*ADDRESSES])
def test_ctrl_c_ends_a_wait_for_a_server_that_says_nothing(engine: str, silent: socket.socket) -> None:
    has_ended, ended_first = threading.Event(), threading.Event()

    def interrupt() -> None:
        connection, _ = silent.accept()
        with connection:
            os.kill(os.getpid(), signal.SIGINT)
            if has_ended.wait(10):
                ended_first.set()

    thread = threading.Thread(target=interrupt)
    thread.start()
    team = team_warehouse(engine, ADDRESSES[engine].format(port=silent.getsockname()[1]))
    with pytest.raises(KeyboardInterrupt):
        team.assert_reachable()
    has_ended.set()
    thread.join()
    assert ended_first.is_set()


@pytest.mark.parametrize("engine", [*ADDRESSES])
def test_a_server_that_says_nothing_is_a_sentence(engine: str, silent: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adbc_session, "CONNECT_SECONDS", 0.1)
    team = team_warehouse(engine, ADDRESSES[engine].format(port=silent.getsockname()[1]))
    with pytest.raises(WarehouseError) as refused:
        team.assert_reachable()
    assert str(refused.value) == (
        f"{team.engine} ({team.shown_address}) refused: it has not answered for 0 s. Check ANALYTICS_DESTINATION_URL."
    )
