"""A Python module run in a session of its own that ends with the process that started it, however that ends.

Started as `python -m analytics_assets.cli.followed MODULE ARGUMENTS` with a pipe as its standard input, whose other end
only the starting process holds: the operating system closes it with that process, kill -9 included.
"""

import os
import runpy
import signal
import sys
import threading


def _end_with_starter() -> None:
    """Wait for the end of the pipe, then end this session: the module and whatever it has started."""
    os.read(sys.stdin.fileno(), 1)
    os.killpg(os.getpgid(0), signal.SIGKILL)


if __name__ == "__main__":
    threading.Thread(target=_end_with_starter, daemon=True).start()
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
