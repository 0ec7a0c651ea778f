"""A table of figures is whole on a terminal of any width."""

from io import StringIO

import pytest
from rich.console import Console
from rich.table import Table

from analytics_assets.cli.whole_table import print_whole

HEADINGS = ("resource", "read", "new", "changed", "deleted", "rows", "requests", "retries", "seconds")
FIGURES = ("time_entries", "58,490", "53,440", "0", "0", "58,490", "38", "0", "2.8")


def printed(width: int) -> list[str]:
    table = Table(*HEADINGS, box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_row(*FIGURES)
    stream = StringIO()
    print_whole(Console(file=stream, width=width), table)
    return stream.getvalue().splitlines()


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_no_figure_and_no_name_is_cut(width: int) -> None:
    """On a terminal of 80 columns the summary of a sync said `time_entr...`, and on one of 40 verify said `1,...` rows."""
    headings, figures = (line.split() for line in printed(width))
    assert (tuple(headings), tuple(figures)) == (HEADINGS, FIGURES)


def test_a_line_fits_into_the_usual_width_of_a_terminal() -> None:
    assert max(len(line.rstrip()) for line in printed(80)) <= 80
