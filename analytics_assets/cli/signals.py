"""One way to stop a command: a lost terminal and SIGTERM are treated like Ctrl-C."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType


@contextlib.contextmanager
def stopping_like_ctrl_c() -> Iterator[None]:
    """Treat a closed terminal and SIGTERM like Ctrl-C, so that the run ends red and releases the warehouse."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGHUP, signal.SIGTERM)}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:  # nohup
            signal.signal(number, _interrupt)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(number: int, frame: FrameType | None) -> None:
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as a shell's script starts what it ends with `&`
        raise KeyboardInterrupt
    signal.raise_signal(signal.SIGINT)  # handled by Dagster while the job runs, by Python before and after
