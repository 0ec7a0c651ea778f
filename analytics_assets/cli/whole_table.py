"""Prints a table of figures on a terminal of any width.

What stands in the table is decided by the command that prints it.
"""

from typing import Final

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

AS_WIDE_AS_IT_LIKES: Final = 10_000


def print_whole(console: Console, table: Table) -> None:
    """Print the table without cutting a word or a figure in it, as rich would do where the terminal is narrow.

    The gaps between the columns become narrower first; a line that is longer than the terminal even so is left to it.
    """
    options = console.options.update(max_width=AS_WIDE_AS_IT_LIKES)
    if Measurement.get(console, options, table).maximum > console.width:
        table.padding = (0, 1, 0, 0)
        for column in table.columns:
            words = " ".join(str(each) for each in (column.header, *column.cells)).split()
            column.min_width = max(map(len, words), default=0)
    console.print(table, crop=False)
