"""Runs `analytics-assets export`: writes marts as Parquet or CSV files into a folder, and prints a line for each.

Arguments and output belong here; the files are written in `warehouse/export.py`. Nothing is read from the API, so that
no key is needed.
"""

import argparse
import logging
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from analytics_assets.cli.checked_settings import loaded_settings
from analytics_assets.cli.errors import EXIT_OK, CommandError, UsageError
from analytics_assets.cli.signals import stopping_like_ctrl_c
from analytics_assets.setting_values import place_of
from analytics_assets.warehouse.errors import WarehouseError
from analytics_assets.warehouse.export import MARTS, open_marts


def main(args: argparse.Namespace) -> int:
    """Run the command."""
    if not args.to.strip():
        raise UsageError("--to names no folder; write . for this one.")
    settings = loaded_settings()
    logging.getLogger("analytics_assets").addHandler(logging.StreamHandler())  # a wait for the warehouse is said
    try:
        folder = place_of(place_of(Path(args.to)).absolute())
    except ValueError as error:
        raise UsageError(f"--to {error}.") from None
    try:
        with stopping_like_ctrl_c(), open_marts(settings.duckdb_path) as marts:
            names = marts.names if args.select is None else asked_marts(args.select, marts.names)
            for mart in marts.export(names, folder, args.format):
                print(f"{mart.path}: {mart.rows:,} row{'' if mart.rows == 1 else 's'}", flush=True)
    except WarehouseError as error:
        raise CommandError(str(error)) from None
    return EXIT_OK


def asked_marts(text: str, there: Sequence[str]) -> Sequence[str]:
    """The marts that `--select` means, each once, in the order of those that there are.

    Args:
        text: names, with or without `marts/` before them and with `*` for any part, separated by commas.
        there: the marts of the warehouse.

    Raises:
        UsageError: a name is that of no mart, or there is no name.
    """
    list_of_all = f"The marts are {', '.join(there)}."
    asked: set[str] = set()
    for part in (part.strip() for part in text.split(",")):
        if not part:
            continue
        found = {name for name in there if fnmatchcase(name, part.removeprefix(f"{MARTS}/"))}
        if not found:
            raise UsageError(f"--select {part}: there is no such mart. {list_of_all}")
        asked |= found
    if not asked:
        raise UsageError(f"--select names no mart. {list_of_all}")
    return [name for name in there if name in asked]
