"""The page: figures and the results of checks → one HTML file without scripts that asks for nothing from anywhere.

What a section says is decided in the modules of the sections; here they get their order and the template.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from analytics_assets.report.budgets_section import budgets
from analytics_assets.report.capacity_section import capacity
from analytics_assets.report.changes_section import changes
from analytics_assets.report.figures import Figures
from analytics_assets.report.hours_sections import billable_share, glance, hours_by_week, weeks_of
from analytics_assets.report.money_section import clients
from analytics_assets.report.quality_sections import CheckResult, Verified, about, checked, quality, synced, verified
from analytics_assets.report.queries import QUERIES
from analytics_assets.report.view import Section
from analytics_assets.report.words import day

TEMPLATE: Final = "overview.html"
SECTIONS: Final[tuple[Callable[[Figures], Section], ...]] = (
    glance,
    hours_by_week,
    billable_share,
    clients,
    capacity,
    budgets,
    changes,
)


def render(
    figures: Figures,
    *,
    workspace: tuple[str, str] | None,
    checks: Sequence[CheckResult] | None,
    checks_of: datetime | None = None,
    last_verified: Verified | None = None,
) -> str:
    """The HTML of the report; the same figures give the same text.

    Args:
        figures: what the marts say.
        workspace: id of the workspace and the host that it was read from.
        checks: how the checks of the data ended; None where that is not known.
        checks_of: when that was known, where the page is written later.
        last_verified: the last comparison with the API; None where there was none.
    """
    sections = [section(figures) for section in SECTIONS]
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(TEMPLATE).render(
        is_synced=bool(figures.last_sync),
        period=f"{day(weeks_of(figures)[0])} to {day(figures.as_of)}",
        workspace=workspace,
        synced=synced(figures),
        checked=checked(checks, checks_of),
        verified="" if checks is None and last_verified is None else verified(last_verified),
        has_unmet=any(not check.passed for check in checks or ()),
        sections=[*sections, quality(checks, checks_of), about(sections, figures)],
        queries=QUERIES,
        as_of=figures.as_of,
    )


def preview(figures: Figures) -> str:
    """The tiles of the page as a table in Markdown, which holds numbers and dates only."""
    tiles = glance(figures).panels
    rows = [f"| {tile.name} | {tile.value} | {tile.change} |" for tile in tiles]
    return "\n".join(["| what | value | change |", "|---|---:|---|", *rows])
