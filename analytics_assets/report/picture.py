"""The hours by week as a picture by itself, for a place that shows no page: the UI of Dagster, which takes Markdown."""

from base64 import b64encode
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Final

from analytics_assets.report.charts import Series, stacked_bars
from analytics_assets.report.figures import Figures
from analytics_assets.report.hours_sections import WIDE, weeks_of

STYLE: Final = Path(__file__).with_name("overview.css")
STANDALONE: Final = "svg { background: var(--page); }"
"""What the page around it gives a drawing otherwise."""


def hours_picture(figures: Figures) -> str | None:
    """Bars of all hours of the last weeks as an image in Markdown, which asks for nothing from anywhere.

    It holds numbers and dates and no name. None where no time was tracked in those weeks.
    """
    seconds: Counter[date] = Counter()
    for row in figures.weeks:
        seconds[row.week] += row.tracked_seconds
    if not any(seconds.values()):
        return None
    weeks = weeks_of(figures)
    drawing = stacked_bars(weeks, [Series("c0", [seconds[week] / 3600 for week in weeks])], width=WIDE)
    style = f"<style>{STYLE.read_text(encoding='utf-8')}{STANDALONE}</style>"
    svg = drawing.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1).replace(">", f">{style}", 1)
    return f"![Hours by week](data:image/svg+xml;base64,{b64encode(svg.encode()).decode()})"
