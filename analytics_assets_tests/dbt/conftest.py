"""Warehouses with built dbt models, made once per test session however many processes run it.

Building takes seconds, so that the tests share a few builds and only read from them. Each build has a folder and a lock of
its own, so that two processes make two at a time.
"""

import contextlib
import json
import shutil
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
from dagster import Failure
from dbt.cli.main import dbtRunner, dbtRunnerResult
from dbt.contracts.graph.manifest import Manifest
from filelock import FileLock

import analytics_assets
from analytics_assets.orchestration.dbt_compiler import check_variables, parsed_project
from analytics_assets.orchestration.dbt_nodes import MANIFEST, DbtNodes, changed_since_parsed, load_nodes
from analytics_assets.orchestration.dbt_queries import queries_for
from analytics_assets.warehouse.building import build_all
from analytics_assets.warehouse.connection import connection
from analytics_assets_tests.dbt.capacities import CAPACITIES
from analytics_assets_tests.dbt.history import AS_OF, DEFAULT_TIME_ZONE, Sync, invented_syncs
from analytics_assets_tests.dbt.invoice_promises import ROUNDING_RULES
from analytics_assets_tests.dbt.nasty import syncs_of
from analytics_assets_tests.dbt.warehouse import create_warehouse, fill, publish

DBT_PROJECT = Path(analytics_assets.__file__).parent / "dbt_project"
VARIABLES: dict[str, Any] = {
    "default_time_zone": DEFAULT_TIME_ZONE,
    "as_of_date": AS_OF.isoformat(),
    "member_capacities": CAPACITIES,
    "rounding_rules": ROUNDING_RULES,
}
Chosen = Callable[[DbtNodes, str], bool]
CHECKS_OF_FILES = ("capacities_are_of_known_members", "rounding_rules_are_of_known_clients")


@dataclass(frozen=True)
class Build:
    """A warehouse after its models were built, and how each node ended; `skipped` are those that were kept back."""

    warehouse: Path
    success: bool
    status: dict[str, str]
    messages: list[str]

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        with duckdb.connect(str(self.warehouse), read_only=True) as connection:
            connection.execute("set TimeZone = 'UTC'")
            return connection.execute(query).fetchall()

    def records(self, query: str) -> list[dict[str, Any]]:
        """The rows of a query by column name."""
        with duckdb.connect(str(self.warehouse), read_only=True) as connection:
            connection.execute("set TimeZone = 'UTC'")
            result = connection.execute(query)
            names = [column[0] for column in result.description]
            return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

    def nodes_with(self, status: str) -> set[str]:
        """Names of the nodes that ended so."""
        return {name for name, ended in self.status.items() if ended == status}

    @property
    def manifest(self) -> dict[str, Any]:
        """What dbt knows about the project."""
        manifest: dict[str, Any] = json.loads(MANIFEST.read_text())
        return manifest


class Builder:
    """Builds the models in warehouses in a folder, as a sync does."""

    def __init__(self, folder: Path, nodes: DbtNodes | None = None) -> None:
        self.folder = folder
        self.path = folder / "analytics.duckdb"
        self.target = folder / "target"
        self.nodes = nodes or load_nodes()

    @classmethod
    def of_session(cls, tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> "Builder":
        """A builder at the place that all processes of this test session share."""
        assert changed_since_parsed() is None, "run `make setup`"
        base = tmp_path_factory.getbasetemp()
        folder = (base if worker_id == "master" else base.parent) / "dbt_builds"
        folder.mkdir(exist_ok=True)
        return cls(folder)

    @property
    def queries(self) -> Mapping[str, str]:
        """The models and checks as dbt compiles them for the variables of these tests, once per session."""
        with FileLock(self.folder / "lock of the queries"):
            return queries_for(VARIABLES, self.path)

    def once(self, name: str, prepare: Callable[[Path], object], chosen: Chosen = lambda nodes, node: True) -> Build:
        """A build that the processes of this test session share; the first that wants it makes it.

        Args:
            name: what it is called.
            prepare: makes the warehouse at a path.
            chosen: says of each model and check whether it is built, else all are.
        """
        place = Builder(self.folder / name, self.nodes)
        place.folder.mkdir(exist_ok=True)
        record = place.folder / "ended.json"
        with FileLock(place.folder / "lock"):
            if not record.exists():
                prepare(place.path)
                record.write_text(json.dumps(place.build(self.queries, chosen, of_a_workspace=name in WORKSPACES)))
        return Build(warehouse=place.path, **json.loads(record.read_text()))

    def build(self, queries: Mapping[str, str], chosen: Chosen, *, of_a_workspace: bool) -> dict[str, Any]:
        """Build the warehouse at `path`; how it and each node ended."""
        names = {node: self.nodes.name(node) for node in self.nodes.in_order if chosen(self.nodes, node)}
        if not of_a_workspace:  # the owner's files are about members and clients of those
            names = {node: name for node, name in names.items() if name not in CHECKS_OF_FILES}
        status, messages = dict.fromkeys(names.values(), "skipped"), []
        to_build = {node: self.nodes.to_build(node, queries[node]) for node in names}
        with connection(self.path) as con:
            for node, ended in build_all(con, to_build, {node: self.nodes.waits_for(node) for node in names}, lambda *_: None):
                status[names[node]] = ended.status
                if not ended.is_good:
                    messages.append(f"{names[node]}: {ended.message or ended.failures}")
        return {"success": not messages, "status": status, "messages": messages}

    def by_hand(self, *arguments: str, command: str = "build") -> dbtRunnerResult:
        """What dbt itself does with the warehouse at `path`."""
        with self._surroundings():
            return dbtRunner(manifest=self._parsed()).invoke([command, *self._options(), *arguments])

    def refusal(self, variables: dict[str, Any]) -> str:
        """What the check of the variables says before models are compiled for them; nothing where it takes them."""
        with self._surroundings():
            try:
                check_variables(VARIABLES | variables)
            except Failure as error:
                return error.description or ""
        return ""

    def _parsed(self) -> Manifest:
        """The project as dbt parsed it when it was set up: parsing takes ten seconds in each process."""
        return parsed_project(self.path)

    @contextlib.contextmanager
    def _surroundings(self) -> Iterator[None]:
        # what dbt warns of in Python is not about this project
        with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings(action="ignore"):
            patch.setenv("ANALYTICS_DBT_DUCKDB_PATH", str(self.path))
            patch.setenv("DO_NOT_TRACK", "1")
            yield

    def _options(self) -> list[str]:
        return [
            *("--quiet", "--vars", json.dumps(VARIABLES)),
            *("--project-dir", str(DBT_PROJECT), "--profiles-dir", str(DBT_PROJECT)),
            *("--target-path", str(self.target), "--log-path", str(self.folder), "--log-level-file", "none"),
        ]


@pytest.fixture(scope="session")
def builder(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Builder:
    """The builder of this session."""
    return Builder.of_session(tmp_path_factory, worker_id)


@pytest.fixture(scope="session")
def lived_in(builder: Builder) -> Build:
    """The invented workspace after seven syncs."""
    return builder.once("lived_in", lambda path: publish_all(path, invented_syncs()))


@pytest.fixture(scope="session")
def empty(builder: Builder) -> Build:
    """A warehouse whose raw tables are all empty."""
    return builder.once("empty", create_warehouse)


@pytest.fixture(scope="session")
def broken(builder: Builder, empty: Build) -> Build:
    """A warehouse that was built, and whose raw projects then had a row twice when it was built again."""

    def prepare(path: Path) -> None:
        shutil.copy(empty.warehouse, path)
        with duckdb.connect(str(path)) as connection:
            connection.execute("insert into raw.projects (id) values ('twice'), ('twice')")
            connection.execute("insert into raw.time_entries (id, project_id) values ('e', 'twice')")

    return builder.once("broken", prepare, stands_on_projects)


@pytest.fixture(scope="session")
def undated(builder: Builder) -> Build:
    """A warehouse of ordinary entries, and one without a start."""

    def prepare(path: Path) -> None:
        create_warehouse(path)
        fill(path, entries=1_000, last_day=date(2025, 4, 14))
        with duckdb.connect(str(path)) as connection:
            connection.execute(
                "insert into raw.time_entries (id, user_id, time_interval__end, billable, hourly_rate__amount, _loaded_at) "
                "values ('undated', 'u0', '2025-01-01 00:00:00+00', true, 100, '2025-01-01 00:00:00+00')"
            )

    return builder.once("undated", prepare)


def stands_on_projects(nodes: DbtNodes, node: str) -> bool:
    """Whether a node is the dimension of projects, or made from it."""
    projects = next(model for model in nodes.models if nodes.name(model) == "dim_projects")
    return node == projects or any(stands_on_projects(nodes, parent) for parent in nodes.parents(node))


def publish_all(path: Path, syncs: list[Sync]) -> None:
    """A warehouse after some syncs."""
    create_warehouse(path)
    for sync in syncs:
        publish(path, sync.rows, at=sync.at, window=sync.window)


WORKSPACES: dict[str, list[Sync]] = {
    # yen have no minor unit, a dinar has a thousand, and a unit of account of Chile has ten thousand
    "mixed_currencies": syncs_of(14, rates=["EUR", "JPY", "KWD", None, None], costs=["EUR", "CLF", "KWD"], entries=400),
    # no rate says which currency the workspace has
    "rates_without_currency": syncs_of(16, rates=[None], costs=["PLN", None], entries=300),
}


def nasty_build(builder: Builder, name: str) -> Build:
    """One of the nasty workspaces, with all marts."""
    return builder.once(name, lambda path: publish_all(path, WORKSPACES[name]))


@pytest.fixture(scope="session")
def mixed(builder: Builder) -> Build:
    """The nasty workspace of many currencies, in which every mart has rows."""
    return nasty_build(builder, "mixed_currencies")
