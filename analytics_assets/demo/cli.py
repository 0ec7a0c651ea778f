"""The command `analytics-assets demo-api`: the demo API in the foreground, for people and other programs.

Only arguments and what is printed belong here. The web server and the invented workspace are imported when
the command runs, so that reading the arguments of the other commands stays quick. A program that starts it as
`python -m analytics_assets.demo.cli` may hold it in hand by its standard input.
"""

import argparse
import errno
import ipaddress
import os
import signal
import sys
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime

DEFAULT_PORT = 8090
DEFAULT_KEY = "demo-key"
WENT_ON = "The late changes have happened."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.description = "Serve an invented time-tracking workspace on a loopback address, until interrupted."
    parser.add_argument("--port", type=_port, default=DEFAULT_PORT, help="port, 0 for a free one (%(default)s)")
    parser.add_argument("--host", type=_loopback, default="127.0.0.1", help="loopback address (%(default)s)")
    parser.add_argument("--seed", type=int, default=7, help="another seed, another workspace (%(default)s)")
    parser.add_argument("--users", type=_count, default=40, help="members of the workspace (%(default)s)")
    parser.add_argument("--entries", type=_count, default=60_000, help="time entries (%(default)s)")
    parser.add_argument("--months", type=_positive, default=36, help="months of history (%(default)s)")
    parser.add_argument("--today", type=_day, metavar="YYYY-MM-DD", help="day on which history ends (today, UTC)")
    parser.add_argument(
        "--envelope",
        choices=("data", "bare"),
        default="data",
        help='lists as {"data": [...]} or as bare arrays (%(default)s)',
    )
    parser.add_argument("--page-size-cap", type=_positive, metavar="ROWS", help="never serve longer pages")
    parser.add_argument("--rate-per-hour", type=_positive, metavar="REQUESTS", help="answer 429 above this")
    parser.add_argument("--latency-ms", type=float, default=0.0, help="pause before each answer (%(default)s)")
    parser.add_argument("--key", type=_key, default=DEFAULT_KEY, help="the key that is accepted (%(default)s)")
    parser.add_argument("--empty", action="store_true", help="serve a workspace with nothing in it")
    parser.add_argument("--quiet", action="store_true", help="print nothing but the ready line")
    parser.add_argument("--in-hand", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--taken-back", action="store_true", help=argparse.SUPPRESS)


def main(args: argparse.Namespace) -> int:
    """Serve until SIGINT or SIGTERM; 1 when the port can't be had.

    With `--in-hand` also until standard input is closed, as the operating system does when whoever holds the other end
    has ended. With `--taken-back` besides, the workspace is served as it was before its late changes; a line on standard
    input lets them happen, and `WENT_ON` is printed when they have.
    """
    from analytics_assets.demo.behaviour import Behaviour
    from analytics_assets.demo.build import build_workspace, empty_workspace
    from analytics_assets.demo.late_changes import take_back
    from analytics_assets.demo.serving import run

    behaviour = Behaviour(
        api_key=args.key,
        envelope=args.envelope,
        page_size_cap=args.page_size_cap,
        rate_limit_per_hour=args.rate_per_hour,
        latency_seconds=args.latency_ms / 1000,
    )
    if args.empty:
        workspace = empty_workspace()
    else:
        workspace = build_workspace(seed=args.seed, users=args.users, entries=args.entries, months=args.months, today=args.today)
    go_on = take_back(workspace, today=args.today or datetime.now(UTC).date(), seed=args.seed) if args.taken_back else None
    workspace.warm()
    if args.in_hand:
        threading.Thread(target=_follow_stdin, args=(go_on,), daemon=True).start()

    def announce(url: str) -> None:
        print(f"Demo API on {url}  workspace {workspace.id}  key {args.key}", flush=True)
        if not args.quiet:
            print(
                f"export ANALYTICS_API_URL={url}\n"
                f"export ANALYTICS_API_KEY={args.key}\n"
                f"export ANALYTICS_WORKSPACE_ID={workspace.id}",
                flush=True,
            )

    try:
        run(args.port, workspace, behaviour, host=args.host, on_ready=announce)
    except OSError as error:
        print(_sentence(error, args.host, args.port), file=sys.stderr)
        return 1
    return 0


def _follow_stdin(go_on: Callable[[], None] | None) -> None:
    """Let the late changes happen on each line, and end this process with the input."""
    for _ in sys.stdin:
        if go_on is not None:
            go_on()
            go_on = None
        print(WENT_ON, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)


def _sentence(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} on {host} is taken; choose another with --port, or --port 0 for a free one."
    if error.errno == errno.EACCES:
        return f"Port {port} on {host} is not yours to use; choose one above 1023 with --port."
    return f"The demo API can't listen on {host} port {port}: {error.strerror or error}."


def _loopback(text: str) -> str:
    if text == "localhost":
        return "127.0.0.1"
    try:
        is_loopback = ipaddress.ip_address(text).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback:
        raise argparse.ArgumentTypeError(f"{text} is no loopback address; the demo API serves this machine only")
    return text


def _key(text: str) -> str:
    if not text.strip() or not (text.isascii() and text.isprintable()):
        raise argparse.ArgumentTypeError("a key is plain ASCII text and not empty")
    return text


def _port(text: str) -> int:
    number = int(text)
    if not 0 <= number <= 65_535:
        raise argparse.ArgumentTypeError(f"{text} is no port; ports go from 0 to 65535")
    return number


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is no day; write it like 2025-06-30") from None


def _count(text: str) -> int:
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"{text} is below 0")
    return number


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is below 1")
    return number


def _main() -> int:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return main(parser.parse_args())


if __name__ == "__main__":
    sys.exit(_main())
