"""How a command ends when it can't do what it was asked: one sentence on stderr and an exit code.

Only the ways to end belong here; the sentences are written where the trouble is seen.
"""

import contextlib
import sys
from typing import Final

EXIT_OK: Final = 0
EXIT_FAILED: Final = 1
EXIT_USAGE: Final = 2
EXIT_INTERRUPTED: Final = 130


class CommandError(Exception):
    """The command can't go on; the message is one sentence that says what to do."""

    exit_code = EXIT_FAILED


class UsageError(CommandError):
    """The command was asked for something that can't be."""

    exit_code = EXIT_USAGE


def say(sentence: str) -> None:
    """Tell the person on stderr; a terminal that has gone away is no reason to stop."""
    with contextlib.suppress(OSError, ValueError):
        print(sentence, file=sys.stderr, flush=True)
