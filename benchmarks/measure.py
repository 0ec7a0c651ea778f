"""How long a process takes, what it costs the processor, and how much memory it and its children hold at most.

Memory is read from `/proc`, so that this works on Linux alone; it is the sum of the resident memory of the whole tree, read
every 50 ms, in which pages that processes share count for each of them.
"""

import os
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

LOOK_SECONDS: Final = 0.05


@dataclass(frozen=True)
class Cost:
    """What a process cost: seconds on the wall, seconds of processor, and bytes of memory at its peak."""

    wall_seconds: float
    processor_seconds: float
    peak_bytes: int


def run(command: Sequence[str], environment: Mapping[str, str], log: Path) -> Cost:
    """Run a command to its end.

    Args:
        command: the command.
        environment: all of its variables.
        log: where its output goes.

    Raises:
        RuntimeError: it failed; the message has the end of its output.
    """
    with log.open("wb") as output:
        began = time.monotonic()
        process = subprocess.Popen(command, env=dict(environment), stdout=output, stderr=output, stdin=subprocess.DEVNULL)
        peaks = [0]
        over = threading.Event()
        watch = threading.Thread(target=_watch, args=(process.pid, peaks, over))
        watch.start()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        over.set()
        watch.join()
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} failed: {log.read_text(errors='replace')[-2000:]}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, peaks[0])


def _watch(pid: int, peaks: list[int], over: threading.Event) -> None:
    while not over.wait(LOOK_SECONDS):
        peaks[0] = max(peaks[0], sum(map(_resident_bytes, _tree(pid))))


def _tree(pid: int) -> list[int]:
    found, waiting = [], [pid]
    while waiting:
        found.append(waiting.pop())
        for children in Path(f"/proc/{found[-1]}/task").glob("*/children"):
            try:
                waiting += map(int, children.read_text().split())
            except OSError:
                continue  # it has ended meanwhile
    return found


def _resident_bytes(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0
