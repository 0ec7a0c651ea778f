"""`analytics-assets dev`: one UI per warehouse, which ends with the command, however that ends."""

import os
import select
import subprocess
import sys
from pathlib import Path

from filelock import FileLock

from analytics_assets_tests.cli.command import run_cli

ROOT = Path(__file__).parents[2]
PATIENCE_MILLISECONDS = 60_000

STARTER = """
import subprocess, sys, threading
followed = [sys.executable, "-m", "analytics_assets.cli.followed", "http.server", "0", "--bind", "127.0.0.1"]
process = subprocess.Popen(followed, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True)
print(process.pid, process.stdout.readline(), flush=True)
threading.Event().wait()
"""


def test_a_second_ui_on_one_warehouse_is_refused_in_one_sentence(variables: dict[str, str], tmp_path: Path) -> None:
    """The daemons of both launched every tick of a schedule."""
    home = tmp_path / "home"
    home.mkdir()
    with FileLock(home / "dev.lock", thread_local=False):
        ended = run_cli("dev", "--port", "0", variables={**variables, "DAGSTER_HOME": str(home)})
    assert ended.code == 1
    assert f"A Dagster UI of this warehouse runs already ({home})" in ended.err
    assert "Traceback" not in ended.said


def test_what_the_command_has_started_ends_with_it_also_when_it_is_killed() -> None:
    """Daemon and web server worked on without it."""
    starter = subprocess.Popen(
        [sys.executable, "-u", "-c", STARTER],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
    )
    assert starter.stdout is not None
    with starter.stdout as output:
        followed = int(output.readline().split()[0])
        end = os.pidfd_open(followed)
        starter.kill()
        starter.wait()
        poll = select.poll()
        poll.register(end, select.POLLIN)
        assert poll.poll(PATIENCE_MILLISECONDS), "it lives on"
        os.close(end)
