"""How a sync grows with the history behind it: `python -m benchmarks.growth` measures it and writes it into docs/scaling.md."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.__main__ import FIRST, ROOT, compare, serving
from benchmarks.report import Machine, Measured

SIZES: Final = ((10_000, 10), (100_000, 50), (1_000_000, 100))
"""Time entries, and the members that they are of."""
KINDS: Final = {"ours": "first sync", "edited": "ten entries edited", "unchanged": "nothing changed"}
COLORS: Final = {"ours": "#3b6fb6", "edited": "#b65c3b", "unchanged": "#6b8f3b"}
WIDTH: Final = 640
HEIGHT: Final = 300
LEFT, RIGHT, TOP, BOTTOM = 60, 170, 36, 40
TICKS: Final = (5, 10, 20, 50, 100, 200)
DOCUMENT: Final = ROOT / "docs" / "scaling.md"
PICTURE: Final = ROOT / "docs" / "images" / "growth.svg"
PLACE: Final = re.compile(r"(<!-- written by python -m benchmarks\.growth -->\n).*?(<!-- end -->)", re.DOTALL)


@dataclass(frozen=True)
class Size:
    """What was measured for one size of the history."""

    entries: int
    members: int
    runs: dict[str, Measured]


def measured(entries: int, members: int) -> Size:
    """One run of each kind."""
    with serving(entries, members) as api:
        found = compare(api, entries, 1, {"ours": FIRST["ours"]})
    return Size(entries, members, {each.kind: each for each in found})


def table(sizes: Sequence[Size], machine: Machine) -> str:
    """The figures as a table of the document."""
    lines = [
        "| entries | members | " + " | ".join(KINDS.values()) + " | peak memory | requests first, later |",
        "| ---: | ---: | " + " | ".join("---:" for _ in KINDS) + " | ---: | ---: |",
    ]
    for size in sizes:
        first, later = size.runs["ours"], size.runs["unchanged"]
        seconds = " | ".join(f"{size.runs[kind].wall_seconds:.0f} s" for kind in KINDS)
        memory, requests = f"{first.peak_bytes / 2**20:,.0f} MB", f"{first.requests:,}, {later.requests:,}"
        lines.append(f"| {size.entries:,} | {size.members} | {seconds} | {memory} | {requests} |")
    where = f"{machine.processor}, {machine.cores} cores, {machine.memory_gib:.0f} GiB, Python {machine.python}"
    how = "one run each, from shell to prompt, against a server on the same machine"
    return "\n".join([*lines, "", f"Measured on: {where}; {how}.", ""])


def picture(sizes: Sequence[Size]) -> str:
    """Seconds over entries, both on logarithmic axes; readable in light and dark."""

    def x(entries: int) -> float:
        share = math.log(entries / sizes[0].entries) / math.log(sizes[-1].entries / sizes[0].entries)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def y(seconds: float) -> float:
        share = math.log(seconds / TICKS[0]) / math.log(TICKS[-1] / TICKS[0])
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)

    parts = [f'<text x="{LEFT}" y="20" font-weight="bold">Seconds of a sync, by the entries behind it</text>']
    for tick in TICKS:
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(tick):.1f}" y2="{y(tick):.1f}" stroke="#8c959f55"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y(tick) + 4:.1f}" text-anchor="end">{tick} s</text>')
    labels = [(x(size.entries), f"{size.entries:,}") for size in sizes]
    parts += [f'<text x="{left:.1f}" y="{HEIGHT - 14}" text-anchor="middle">{label}</text>' for left, label in labels]
    for kind, title in KINDS.items():
        points = [(x(size.entries), y(size.runs[kind].wall_seconds)) for size in sizes]
        line = " ".join(f"{left:.1f},{top:.1f}" for left, top in points)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{COLORS[kind]}" stroke-width="2"/>')
        parts += [f'<circle cx="{left:.1f}" cy="{top:.1f}" r="3.5" fill="{COLORS[kind]}"/>' for left, top in points]
        left, top = points[-1]
        parts.append(f'<text x="{left + 10:.1f}" y="{top + 4:.1f}">{title}</text>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="13">'
        "<style>text { fill: #24292f } @media (prefers-color-scheme: dark) { text { fill: #d0d7de } }</style>"
        f"{''.join(parts)}</svg>\n"
    )


def main() -> None:
    """Measure all sizes and write the table and the picture."""
    sizes = [measured(entries, members) for entries, members in SIZES]
    text = table(sizes, Machine.here())
    print(text)
    DOCUMENT.write_text(PLACE.sub(lambda found: f"{found[1]}{text}{found[2]}", DOCUMENT.read_text()))
    PICTURE.write_text(picture(sizes))


if __name__ == "__main__":
    main()
