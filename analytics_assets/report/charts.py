"""Charts as SVG text: bars by week, a line of shares, sparklines.

Only numbers and dates stand in a chart, never a name: names are in the page around it, where they are escaped. Colours
are classes of the page's style, so that one drawing serves light and dark.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from math import ceil, floor, log10
from typing import Final

from analytics_assets.report.words import day_and_month

LEFT: Final = 46
RIGHT: Final = 8
TOP: Final = 12
BOTTOM: Final = 26
HEIGHT: Final = 240
LABEL_WIDTH: Final = 64


@dataclass(frozen=True)
class Series:
    """Values over the weeks of a chart, and the class of their colour."""

    style: str
    values: Sequence[float]


def stacked_bars(weeks: Sequence[date], series: Sequence[Series], *, width: int) -> str:
    """Bars by week, the first series at the bottom; the last week is one that is not over."""
    top = _round_up(max((sum(values) for values in zip(*(each.values for each in series), strict=True)), default=0.0))
    frame = _Frame(weeks, width, top)
    parts = []
    for index in range(len(weeks)):
        below = 0.0
        so_far = " so-far" if index == len(weeks) - 1 else ""
        for each in series:
            value = each.values[index]
            if value > 0:
                y, under = frame.y(below + value), frame.y(below)
                parts.append(
                    f'<rect class="{each.style}{so_far}" x="{frame.x(index) + frame.step * 0.12:.1f}" y="{y:.1f}" '
                    f'width="{frame.step * 0.76:.1f}" height="{under - y:.1f}"/>'
                )
            below += value
    return frame.svg([f"{tick:,.2f}".rstrip("0").rstrip(".") for tick in frame.ticks], parts)


def share_line(weeks: Sequence[date], shares: Sequence[float | None], *, width: int) -> str:
    """A line of shares from 0 to 100 %; weeks without a share are gaps, the last week is one that is not over."""
    frame = _Frame(weeks, width, 100.0)
    points = [
        None if share is None else (frame.x(index) + frame.step / 2, frame.y(share * 100)) for index, share in enumerate(shares)
    ]
    parts = []
    for index in range(1, len(points)):
        before, here = points[index - 1], points[index]
        if before and here:
            style = "line so-far" if index == len(points) - 1 else "line"
            parts.append(f'<path class="{style}" d="M{before[0]:.1f} {before[1]:.1f}L{here[0]:.1f} {here[1]:.1f}"/>')
    parts += [f'<circle class="dot" cx="{point[0]:.1f}" cy="{point[1]:.1f}" r="2.5"/>' for point in points if point]
    return frame.svg([f"{tick:.0f} %" for tick in frame.ticks], parts)


def sparkline(values: Sequence[float], *, width: int = 156, height: int = 28) -> str:
    """Small bars without axes, the last one marked; values below zero hang under the line."""
    high, low = max(0.0, *values), min(0.0, *values)
    span, step = (high - low) or 1.0, width / len(values)
    zero = high / span * height
    parts = []
    for index, value in enumerate(values):
        tall = abs(value) / span * height
        style = "spark last" if index == len(values) - 1 else "spark"
        y = zero - tall if value >= 0 else zero
        parts.append(
            f'<rect class="{style}" x="{index * step + 1:.1f}" y="{y:.1f}" width="{step - 2:.1f}" height="{max(tall, 0.7):.1f}"/>'
        )
    return (
        f'<svg viewBox="0 0 {width} {height + 1}" width="{width}" height="{height + 1}" aria-hidden="true">{"".join(parts)}</svg>'
    )


class _Frame:
    """The axes that a chart is drawn into."""

    def __init__(self, weeks: Sequence[date], width: int, top: float) -> None:
        self.weeks = weeks
        self.width = width
        self.top = top
        self.step = (width - LEFT - RIGHT) / len(weeks)
        self.ticks = [top * part / 4 for part in range(5)] if top >= 4 else [0.0, top]

    def x(self, index: int) -> float:
        return LEFT + index * self.step

    def y(self, value: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / self.top)

    def svg(self, labels: Sequence[str], parts: Sequence[str]) -> str:
        """The whole drawing: grid, labels and what is drawn in it."""
        grid = [
            f'<path class="grid" d="M{LEFT} {self.y(tick):.1f}H{self.width - RIGHT}"/>'
            f'<text x="{LEFT - 6}" y="{self.y(tick) + 4:.1f}" text-anchor="end">{label}</text>'
            for tick, label in zip(self.ticks, labels, strict=True)
        ]
        every = max(1, ceil(LABEL_WIDTH / self.step))
        middles = {index: self.x(index) + self.step / 2 for index in range(every // 2, len(self.weeks), every)}
        dates = [
            f'<text x="{x:.1f}" y="{HEIGHT - 8}" text-anchor="middle">{day_and_month(self.weeks[index])}</text>'
            for index, x in middles.items()
            if x + LABEL_WIDTH / 2 <= self.width
        ]
        size = f'viewBox="0 0 {self.width} {HEIGHT}" width="{self.width}" height="{HEIGHT}"'
        return f'<svg {size} aria-hidden="true">{"".join([*grid, *parts, *dates])}</svg>'


def _round_up(value: float) -> float:
    """The next number above that divides into four plain steps."""
    if value <= 0:
        return 4.0
    unit = 10.0 ** floor(log10(value))
    return next(step * unit for step in (1, 1.2, 1.6, 2, 2.4, 3.2, 4, 6, 8, 10) if step * unit >= value)
