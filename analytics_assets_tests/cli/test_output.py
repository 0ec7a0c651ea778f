"""What is printed arrives whatever the terminal can show, and an output that can't be written is said in a sentence."""

import os
import shlex
import stat
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from analytics_assets_tests.cli.command import Ended, run_cli


def command(folder: Path, *arguments: str, to: Path | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
    """A command in a process of its own, whose output goes to a file where one is named."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANALYTICS_", "DAGSTER_"))}
    with (to or Path(os.devnull)).open("w") as file:
        return subprocess.run(
            [sys.executable, "-m", "analytics_assets.cli", *arguments],
            cwd=folder,
            env={**kept, **variables},
            stdout=file if to else subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )


def test_the_version_is_that_of_the_package() -> None:
    assert run_cli("--version", variables={}) == Ended(0, f"analytics-assets {version('analytics-assets')}\n", "")


def test_a_path_that_the_terminal_can_not_show_is_printed_with_escapes(tmp_path: Path) -> None:
    """It ended in a traceback of the encoding."""
    ended = command(tmp_path, "doctor", ANALYTICS_DUCKDB_PATH=str(tmp_path / "Büro" / "w.duckdb"), PYTHONIOENCODING="ascii")
    assert ended.returncode == 1 and "Traceback" not in ended.stderr
    assert f"{tmp_path}/B\\xfcro does not exist yet and can be made" in ended.stdout


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a file that is always full")
@pytest.mark.parametrize("arguments", [["doctor"], ["--help"], ["--version"], []])
def test_an_output_that_can_not_be_written_is_one_sentence(arguments: list[str], tmp_path: Path) -> None:
    """It was a traceback, or exit code 0 with nothing written."""
    ended = command(tmp_path, *arguments, to=Path("/dev/full"))
    assert (ended.returncode, ended.stderr) == (1, "The output can't be written (No space left on device).\n")


@pytest.mark.parametrize("redirection", [">&-", ">&- 2>&-", "| true"])
def test_an_output_that_nobody_wants_is_no_trouble(redirection: str, tmp_path: Path) -> None:
    """A closed output is no file at all for Python, and one whose reader has ended is reported by it when it ends."""
    line = f"{shlex.quote(sys.executable)} -m analytics_assets.cli --help {redirection}"
    ended = subprocess.run(["sh", "-c", line], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


def test_what_a_command_writes_can_be_changed_by_its_owner_and_group_alone(tmp_path: Path) -> None:
    """Under the umask 000 of some containers and cron jobs everybody on the machine could write the warehouse and the report."""
    at_end = (
        "import atexit, sys; from pathlib import Path; from analytics_assets import cli; "
        "atexit.register(lambda: Path('made').touch()); sys.argv[1:] = ['--version']; cli.program()"
    )
    line = f"umask 000; exec {shlex.quote(sys.executable)} -c {shlex.quote(at_end)}"
    assert subprocess.run(["sh", "-c", line], cwd=tmp_path, capture_output=True, check=False).returncode == 0
    assert stat.S_IMODE((tmp_path / "made").stat().st_mode) == 0o664
