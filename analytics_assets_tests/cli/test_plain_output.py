"""The log of `dev` in a file is text, and the programs behind it never wait for an output that fails."""

import io
import subprocess
import sys

from analytics_assets.cli.plain_output import passed_on_without_colours

COLOURED = r"print('\x1b[32m2026-01-01\x1b[0m - \x1b[1;34mINFO\x1b[0m - started'); print('Zo\xeb')"


def printed_by(code: str, to: io.StringIO) -> int:
    with subprocess.Popen([sys.executable, "-X", "utf8", "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        with passed_on_without_colours(process.stdout, to):
            return process.wait()


def test_colours_are_left_out() -> None:
    """A log that was kept in a file was full of the codes of a terminal."""
    to = io.StringIO()
    assert printed_by(COLOURED, to) == 0
    assert to.getvalue() == "2026-01-01 - INFO - started\nZoë\n"


def test_a_program_goes_on_when_nothing_can_be_written_any_longer() -> None:
    """More than a pipe holds, which would wait for a reader."""
    to = io.StringIO()
    to.close()
    assert printed_by("print('x' * 1_000_000)", to) == 0
