"""What a section of the page consists of: sentences, tables and drawings, ready to be put into the template.

Texts are plain here; the template escapes them. Drawings are SVG that holds no text of a user.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Bar:
    """A bar in a row of a table: its parts from below, in percent of the width, and a mark at a whole."""

    parts: Sequence[tuple[str, float]]
    mark: float | None = None


@dataclass(frozen=True)
class Cell:
    """A cell: a text with a quieter one beside it, or a bar."""

    text: str = ""
    detail: str = ""
    bar: Bar | None = None


@dataclass(frozen=True)
class Heading:
    """The heading of a column, and what stands in it."""

    text: str
    kind: Literal["name", "number", "text", "bar"] = "number"


@dataclass(frozen=True)
class Row:
    """A row of a table; `total` where it sums up others, `quiet` where it names what is not one of ours."""

    cells: Sequence[Cell]
    style: Literal["", "total", "quiet"] = ""


@dataclass(frozen=True)
class Table:
    """A table; `folded` is the line that opens it, for one that is not shown at once."""

    name: str
    headings: Sequence[Heading]
    rows: Sequence[Row]
    folded: str = ""


@dataclass(frozen=True)
class Chart:
    """The same drawing for a desk and for a phone, and what it shows in a sentence."""

    label: str
    wide: str
    narrow: str


@dataclass(frozen=True)
class Legend:
    """A colour of a chart, whose it is, and the sum."""

    style: str
    name: str
    value: str


@dataclass(frozen=True)
class Panel:
    """A small drawing with a name and a value: of one month, or one currency."""

    name: str
    value: str
    change: str = ""
    drawing: str = ""


@dataclass(frozen=True)
class Section:
    """A section: what was found, how it is counted, and the figures."""

    key: str
    title: str
    finding: str
    notes: Sequence[str] = ()
    panels: Sequence[Panel] = ()
    chart: Chart | None = None
    legend: Sequence[Legend] = ()
    tables: Sequence[Table] = ()
    queries: Sequence[str] = ()


def cells(*texts: str) -> list[Cell]:
    """Cells that hold nothing but a text."""
    return [Cell(text) for text in texts]
