"""The command line `analytics-assets`.

Only the list of commands and the handling of errors belong here. Each command is a module that is imported when it is
used, because Dagster and dlt take seconds to import and `--help` must not.
"""

import argparse
import atexit
import contextlib
import os
import signal
import stat
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Final, NamedTuple, NoReturn

from analytics_assets.cli.errors import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_OK, EXIT_USAGE, CommandError, say
from analytics_assets.cli.output import set_up_output
from analytics_assets.cli.served import USUAL_PORT
from analytics_assets.collector import collect_seldom
from analytics_assets.demo import cli as demo_cli

PROGRAM: Final = "analytics-assets"


class Command(NamedTuple):
    """A command: the module whose `main(args)` runs it, and its text in `--help`."""

    module: str
    help: str


COMMANDS: Final[dict[str, Command]] = {
    "run": Command("analytics_assets.cli.commands.run", "the main job: sync your workspace, or without a key the demo workspace"),
    "sync": Command("analytics_assets.cli.commands.sync", "read the API into the warehouse and build the models on top"),
    "verify": Command("analytics_assets.cli.commands.verify", "read the API again and compare every value with the warehouse"),
    "report": Command("analytics_assets.cli.commands.report", "write the report from the warehouse and say where it lies"),
    "export": Command("analytics_assets.cli.commands.export", "write marts as Parquet or CSV files into a folder"),
    "dev": Command("analytics_assets.cli.commands.dev", "open the Dagster UI on this machine"),
    "doctor": Command(
        "analytics_assets.cli.commands.doctor", "check settings, API, key, workspace and warehouse, and report each"
    ),
    "demo-api": Command("analytics_assets.demo.cli", "serve an invented workspace on a loopback address"),
}


class _Parser(argparse.ArgumentParser):
    """A parser that reports an error in one line."""

    def error(self, message: str) -> NoReturn:
        say(f"{self.prog}: {message}; see {self.prog} --help.")
        sys.exit(EXIT_USAGE)


class _Version(argparse.Action):
    """Prints the version of the installed package, which is looked for only then, and ends."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: Any = None
    ) -> NoReturn:
        """Print it."""
        from importlib.metadata import PackageNotFoundError, version

        try:
            print(PROGRAM, version(PROGRAM))
        except PackageNotFoundError:
            raise CommandError(f"{PROGRAM} is not installed here, so it has no version; `make setup` installs it.") from None
        parser.exit()


class _Joined(argparse.Action):
    """Joins what an option was given several times with commas; argparse would forget all but the last."""

    def __call__(self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: Any = None) -> None:
        """Add what was given to what was given before."""
        before = getattr(namespace, self.dest)
        setattr(namespace, self.dest, values if before is None else f"{before},{values}")


def build_parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    parser = _Parser(PROGRAM, description="A time-tracking workspace behind a REST API, as a warehouse you can trust.")
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and end")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    parsers = {name: commands.add_parser(name, help=command.help, description=command.help) for name, command in COMMANDS.items()}
    for name in ("run", "sync"):
        parsers[name].add_argument("--verbose", action="store_true", help="show Dagster's log, and tracebacks of failures")
    for name, verb in (("sync", "read"), ("verify", "compare")):
        parsers[name].add_argument("--from", dest="first", metavar="YYYY-MM", help=f"first month of time entries to {verb}")
        parsers[name].add_argument("--to", dest="last", metavar="YYYY-MM", help="last month; by default the current one")
    parsers["sync"].add_argument(
        "--select",
        action=_Joined,
        metavar="ASSETS",
        help="only these: keys such as raw/tasks,raw/projects or marts/*, or a selection in Dagster's own syntax, such as "
        "+marts/billing_monthly for a mart and all that it stands on",
    )
    parsers["report"].add_argument("--open", action="store_true", help="open it in the browser")
    export_format = ("parquet", "csv")
    parsers["export"].add_argument("--to", required=True, metavar="FOLDER", help="the folder, made if it does not exist")
    parsers["export"].add_argument("--format", choices=export_format, default=export_format[0], help="by default %(default)s")
    parsers["export"].add_argument(
        "--select", action=_Joined, metavar="MARTS", help="only these, such as fct_time_entries,dim_*; else all"
    )
    parsers["dev"].add_argument("--port", type=int, default=USUAL_PORT, help="port of the UI, 0 for a free one (%(default)s)")
    demo_cli.add_arguments(parsers["demo-api"])
    return parser


def program() -> int:
    """Run the command that was typed, for a process that ends with it; the exit code is that of `main`.

    What is registered for the end of a process is done here, and the rest of Python's own end left out: it takes a second
    to take apart all that Dagster and dlt are made of, object by object.
    """
    collect_seldom()
    output = set_up_output()
    os.umask(os.umask(0) | stat.S_IWOTH)  # a number from here is invoiced: what anybody may write, anybody may change
    code = EXIT_FAILED
    try:
        code = main()
        sys.stdout.flush()
    except SystemExit as ended:  # of argparse, which leaves its help to be flushed
        code = int(ended.code or EXIT_OK)
        with contextlib.suppress(OSError):
            sys.stdout.flush()
    except OSError:
        if output.failure is None:
            raise
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C at the end would print a traceback
    if output.failure is not None:
        code = EXIT_FAILED
        if not isinstance(output.failure, BrokenPipeError):  # its reader has closed that on purpose
            say(f"The output can't be written ({output.failure.strerror or output.failure}).")
    atexit._run_exitfuncs()  # noqa: SLF001  # Python has no public name for it
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):
            stream.flush()
    os._exit(code)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        0 when it succeeded, 1 when it failed, 2 when its arguments are wrong, 130 when it was interrupted.
    """
    parser = build_parser()
    arguments = sys.argv[1:] if argv is None else argv
    if not arguments:
        parser.print_help()
        return EXIT_OK
    try:
        args = parser.parse_args(arguments)
        _refuse_a_folder_that_is_gone()
        return int(import_module(COMMANDS[args.command].module).main(args))
    except CommandError as error:
        say(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        say("Interrupted.")
        return EXIT_INTERRUPTED


def _refuse_a_folder_that_is_gone() -> None:
    """Raise if the working directory was deleted: settings and their paths are looked for from there.

    Raises:
        CommandError: it was.
    """
    try:
        Path.cwd()
    except FileNotFoundError:
        raise CommandError("The folder that this was started in is deleted; go to another one, for example with `cd`.") from None
