"""Warehouses with built dbt models, made once per test session however many processes run it.

Building takes seconds, so that the tests share a few builds and only read from them. Each build has a folder and a lock of
its own, so that two processes make two at a time.
"""

import contextlib
import json
import shutil
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, cast

import duckdb
import pytest
from dbt.artifacts.schemas.run import RunExecutionResult
from dbt.cli.main import dbtRunner, dbtRunnerResult
from dbt.contracts.graph.manifest import Manifest
from dbt.contracts.graph.nodes import ModelNode
from filelock import FileLock

import analytics_assets
from analytics_assets.orchestration.dbt_nodes import MANIFEST, changed_since_parsed
from analytics_assets.orchestration.dbt_run import parsed_project
from analytics_assets_tests.dbt.capacities import CAPACITIES
from analytics_assets_tests.dbt.history import AS_OF, DEFAULT_TIME_ZONE, Sync, invented_syncs
from analytics_assets_tests.dbt.invoice_promises import ROUNDING_RULES
from analytics_assets_tests.dbt.nasty import syncs_of
from analytics_assets_tests.dbt.warehouse import create_warehouse, fill, publish

DBT_PROJECT = Path(analytics_assets.__file__).parent / "dbt_project"
VARIABLES = {
    "default_time_zone": DEFAULT_TIME_ZONE,
    "as_of_date": AS_OF.isoformat(),
    "member_capacities": CAPACITIES,
    "rounding_rules": ROUNDING_RULES,
}
WITHOUT_UNIT_TESTS = ("--exclude-resource-type", "unit_test")
CHECKS_OF_FILES = ("capacities_are_of_known_members", "rounding_rules_are_of_known_clients")


@dataclass(frozen=True)
class Build:
    """A warehouse after `dbt build`, and what dbt said about each node."""

    warehouse: Path
    target: Path
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
        """What dbt knows about the project: as prepared, because builds of other processes write theirs meanwhile."""
        manifest: dict[str, Any] = json.loads(MANIFEST.read_text())
        return manifest


class Builder:
    """Runs dbt on a warehouse in a folder, in this process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "analytics.duckdb"
        self.target = folder / "target"
        self.manifest: Manifest | None = None

    @classmethod
    def of_session(cls, tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> "Builder":
        """A builder at the place that all processes of this test session share."""
        base = tmp_path_factory.getbasetemp()
        folder = (base if worker_id == "master" else base.parent) / "dbt_builds"
        folder.mkdir(exist_ok=True)
        return cls(folder)

    def once(self, name: str, prepare: Callable[[Path], object], *arguments: str, command: str = "build") -> Build:
        """A build that the processes of this test session share; the first that wants it makes it.

        Args:
            name: what it is called.
            prepare: makes the warehouse at a path.
            arguments: what is built, else all but the unit tests.
            command: of dbt.
        """
        place = Builder(self.folder / name)
        place.folder.mkdir(exist_ok=True)
        with FileLock(place.folder / "lock"):
            if not place.made(name):
                prepare(place.path)
                place.build(name, *(arguments or WITHOUT_UNIT_TESTS), command=command)
            return place.load(name)

    def build(self, name: str, *arguments: str, command: str = "build") -> Build:
        """`dbt build` of the warehouse at `path`, which goes to a place of its own afterwards."""
        done = self.invoke(*arguments, command=command)
        results = json.loads((self.target / "run_results.json").read_text())["results"]
        results = [result for result in results if not result["unique_id"].startswith("exposure.")]  # nothing is built for them
        if name not in WORKSPACES:  # the owner's files are about members and clients of those
            results = [result for result in results if _name(result["unique_id"]) not in CHECKS_OF_FILES]
        self.path.rename(self.folder / f"{name}.duckdb")
        (self.folder / f"{name}.json").write_text(
            json.dumps(
                {
                    "success": done.success,
                    "status": {_name(result["unique_id"]): result["status"] for result in results},
                    "messages": [result["message"] for result in results if result["status"] in ("error", "fail")],
                }
            )
        )
        return self.load(name)

    def invoke(self, *arguments: str, command: str = "build") -> dbtRunnerResult:
        """`dbt build` of the warehouse at `path`."""
        with self._surroundings():
            return dbtRunner(manifest=self.parsed()).invoke([command, *self._options(), *arguments])

    def refusal(self, variables: dict[str, object]) -> str:
        """What the check of the variables says that every run begins with; nothing where it takes them."""
        said: list[str] = []
        given = json.dumps({"warehouse_path": ":memory:", **variables})
        with self._surroundings():
            runner = dbtRunner(manifest=self.parsed(), callbacks=[lambda event: said.append(str(getattr(event.info, "msg", "")))])
            # not into the folder that builds are read from: it would write its own manifest over theirs
            elsewhere = ["--target-path", str(self.folder / "asked")]
            done = runner.invoke(["run-operation", "check_variables", *self._options(), *elsewhere, "--vars", given])
        return "" if done.success else "\n".join(said)

    def compile(self, *selected: str) -> list[tuple[str, str, str]]:
        """Place, kind and SQL of the selected models, in the order in which they depend on each other."""
        with self._surroundings():
            done = dbtRunner(manifest=self.parsed()).invoke(["compile", *self._options(), "--select", *selected])
        assert done.success, done.exception
        waiting = {result.node.unique_id: result.node for result in cast(RunExecutionResult, done.result).results}
        ordered: list[tuple[str, str, str]] = []
        while waiting:
            ready = {key: node for key, node in waiting.items() if not waiting.keys() & set(node.depends_on_nodes)}
            ordered += [
                (f"{node.schema}.{node.name}", str(node.config.materialized), str(node.compiled_code))
                for node in ready.values()
                if isinstance(node, ModelNode)
            ]
            waiting = {key: node for key, node in waiting.items() if key not in ready}
        return ordered

    def parsed(self) -> Manifest:
        """The project as dbt parsed it when it was set up, as in a sync: parsing takes ten seconds in each process."""
        if self.manifest is None:
            assert changed_since_parsed() is None, "run `make setup`"
            self.manifest = parsed_project(self.path)
        return self.manifest

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

    def load(self, name: str) -> Build:
        """A build that was made before, perhaps by another process."""
        record = json.loads((self.folder / f"{name}.json").read_text())
        return Build(warehouse=self.folder / f"{name}.duckdb", target=self.target, **record)

    def made(self, name: str) -> bool:
        """Whether that build has been made."""
        return (self.folder / f"{name}.json").exists()


def _name(unique_id: str) -> str:
    kind, _, *names = unique_id.split(".")
    return names[-1] if kind == "unit_test" else names[0]


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
def unit_tested(builder: Builder, empty: Build) -> Build:
    """The unit tests of the models, which take longer than a build."""
    return builder.once(
        "unit_tested", lambda path: shutil.copy(empty.warehouse, path), "--select", "test_type:unit", command="test"
    )


@pytest.fixture(scope="session")
def broken(builder: Builder, empty: Build) -> Build:
    """A warehouse that was built, and whose raw projects then had a row twice when it was built again."""

    def prepare(path: Path) -> None:
        shutil.copy(empty.warehouse, path)
        with duckdb.connect(str(path)) as connection:
            connection.execute("insert into raw.projects (id) values ('twice'), ('twice')")
            connection.execute("insert into raw.time_entries (id, project_id) values ('e', 'twice')")

    return builder.once("broken", prepare, *WITHOUT_UNIT_TESTS, "--select", "dim_projects+")


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
    """One of the nasty workspaces, with all marts and those of their tests that look at nothing else."""
    only_marts = ("--indirect-selection", "cautious", "--select", "+path:models/marts")
    return builder.once(name, lambda path: publish_all(path, WORKSPACES[name]), *WITHOUT_UNIT_TESTS, *only_marts)


@pytest.fixture(scope="session")
def mixed(builder: Builder) -> Build:
    """The nasty workspace of many currencies, in which every mart has rows."""
    return nasty_build(builder, "mixed_currencies")
