"""Errors that end a command with one sentence on stderr and an exit code.

Only the types and the exit codes belong here; the sentences are written where the error is found.
"""

import contextlib
import sys
from typing import Final

EXIT_OK: Final = 0
EXIT_FAILED: Final = 1
EXIT_USAGE: Final = 2
EXIT_INTERRUPTED: Final = 130


class CommandError(Exception):
    """The command can't continue; the message is one sentence that says what to do."""

    exit_code = EXIT_FAILED


class UsageError(CommandError):
    """The arguments of the command are wrong."""

    exit_code = EXIT_USAGE


def say(sentence: str) -> None:
    """Print a sentence to stderr; a closed terminal does not stop the command."""
    with contextlib.suppress(OSError, ValueError):
        print(sentence, file=sys.stderr, flush=True)
