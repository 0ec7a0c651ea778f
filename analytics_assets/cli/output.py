"""The output of the process: it shows what its encoding does not have with escapes, and knows whether it could be written.

It has to know by itself, because argparse passes over an output that fails, and Python forgets what it could not write.
"""

import io
import os
import sys
from typing import Any, TextIO


class Output(io.FileIO):
    """The file behind the standard output.

    Attributes:
        failure: why it could not be written, None where it could.
        replaced: what it was before, which closes the file when nobody refers to it any longer.
    """

    failure: OSError | None = None
    replaced: TextIO | None = None

    def write(self, data: Any, /) -> int:
        """Write bytes; a first failure is noted, and the rest goes nowhere."""
        try:
            return super().write(data)
        except OSError as error:
            self.failure = self.failure or error
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.fileno())
            raise


def set_up_output() -> Output:
    """Put such a file behind the standard output, and let neither output of this process refuse a character."""
    # a job that was started with a closed output; Python has none at all then
    sys.stdout, sys.stderr = (open(os.devnull, "w") if each is None else each for each in (sys.stdout, sys.stderr))  # noqa: SIM115
    if isinstance(sys.stderr, io.TextIOWrapper):
        sys.stderr.reconfigure(errors="backslashreplace")
    output = Output(sys.stdout.fileno(), "w", closefd=False)
    output.replaced = sys.stdout
    buffer = io.BufferedWriter(output)
    sys.stdout = io.TextIOWrapper(buffer, output.replaced.encoding, "backslashreplace", line_buffering=output.isatty())
    return output
