"""The page as a browser takes it apart: its text, tags, tables, by section."""

from dataclasses import dataclass, field
from datetime import date
from html.parser import HTMLParser

from analytics_assets.report.figures import Figures, read_figures
from analytics_assets.report.page import render
from analytics_assets.report.quality_sections import CheckResult, Verified
from analytics_assets.warehouse.connection import connection
from analytics_assets_tests.dbt.conftest import Build

VOID = {"meta", "br", "path", "rect", "circle"}


@dataclass
class SectionOfPage:
    """A section: all its text, and its tables as rows of texts."""

    text: str = ""
    tables: list[list[list[str]]] = field(default_factory=list)


class Page(HTMLParser):
    """A page that was parsed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html = html
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.sections: dict[str, SectionOfPage] = {"head": SectionOfPage()}
        self.in_svg = ""
        self._open: list[str] = []
        self._section = "head"
        self.feed(html)
        assert not self._open, self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.tags.append((tag, attributes))
        if tag not in VOID:
            self._open.append(tag)
        here = self.sections[self._section]
        if tag == "section":
            self._section = attributes["id"] or ""
            self.sections[self._section] = SectionOfPage()
        elif tag == "table":
            here.tables.append([])
        elif tag == "tr":
            here.tables[-1].append([])
        elif tag in ("td", "th"):
            here.tables[-1][-1].append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag, tag

    def handle_data(self, data: str) -> None:
        if "style" in self._open:
            return
        here = self.sections[self._section]
        here.text += data
        if "svg" in self._open:
            self.in_svg += data
        if self._open and {"td", "th"} & set(self._open):
            here.tables[-1][-1][-1] += data


def figures_of(build: Build, as_of: date) -> Figures:
    """The figures of a build."""
    with connection(build.warehouse, read_only=True) as con:
        return read_figures(con, as_of)


def page_of(figures: Figures, checks: list[CheckResult] | None = None, last_verified: Verified | None = None) -> Page:
    """The page of these figures."""
    workspace = ("a-workspace", "api.example.com")
    return Page(render(figures, workspace=workspace, checks=checks, last_verified=last_verified))
