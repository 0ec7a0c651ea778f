"""What a program prints, without the colours that it takes every output to want.

Dagster colours its log also where that goes into a file, and no option or variable of it says otherwise.
"""

import contextlib
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Final, TextIO

COLOURS: Final = re.compile(rb"\x1b\[[0-9;]*m")
END_TIMEOUT_SECONDS: Final = 5.0


@contextmanager
def passed_on_without_colours(printed: IO[bytes], to: TextIO) -> Iterator[None]:
    """Pass on each line until the program has ended; leave the block when it has.

    Args:
        printed: the other end of the program's output. It is read to its end also where nothing can be written any longer, so
            that the program does not wait.
        to: an output of this process.
    """
    thread = threading.Thread(target=_pass_on, args=(printed, to), daemon=True)
    thread.start()
    try:
        yield
    finally:
        thread.join(END_TIMEOUT_SECONDS)


def _pass_on(printed: IO[bytes], to: TextIO) -> None:
    for line in printed:
        with contextlib.suppress(OSError, ValueError):
            to.write(COLOURS.sub(b"", line).decode(errors="replace"))
            to.flush()
