"""Builds models and runs checks in the warehouse, several at a time, each as soon as all that it stands on is good.

What is built is given as queries; where they come from, and what the checks mean for a run, is known to the caller. Each
model is replaced in a transaction of its own, as dbt does it: readers and a model that fails see the old one.
"""

import time
from collections.abc import Callable, Generator, Mapping, Set
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import partial
from graphlib import TopologicalSorter
from queue import SimpleQueue
from typing import Any, Final, Literal

import duckdb

from analytics_assets.interruption import signals_kept
from analytics_assets.warehouse.built import Relation, kinds_of_relations, place
from analytics_assets.warehouse.counting import count
from analytics_assets.warehouse.more_memory import with_more_memory
from analytics_assets.warehouse.tables import literal, quoted

AT_A_TIME: Final = 2
ROW_GROUP: Final = 122_880
"""Rows that DuckDB gives to one thread. A query over more of them keeps all threads busy by itself, and two such queries only
take each other's memory: all models of 1,000,000 entries took 26 s and 1.0 GB two at a time, 19 s and 0.9 GB one by one. Over
fewer rows a second thread finds nothing to do and costs its search for it: those of 100,000 entries took 7 s of processor with
two threads for each, and 4.5 s with one."""
WHAT_IT_STANDS_ON: Final = (
    "Build what it stands on too: a + before the asset selects that in the UI and with `analytics-assets sync --select`; in "
    "Dagster's own commands it selects one level."
)
WHAT_HELPS_MEMORY: Final = "It got all that this machine has; a machine or container with more memory can build it."
CANCEL_AGAIN_SECONDS: Final = 0.05


@dataclass(frozen=True)
class Model:
    """A table or view, and what the warehouse says about it.

    `types` has the type of each column that a contract demands, in order; it is empty where there is none. `descriptions`
    has what each column means.
    """

    relation: Relation
    kind: Literal["table", "view"]
    query: str
    types: Mapping[str, str]
    description: str
    descriptions: Mapping[str, str]


@dataclass(frozen=True)
class Check:
    """A query for rows that should not be there; finding some keeps nothing back if it `only_warns`."""

    query: str
    only_warns: bool


Status = Literal["success", "pass", "warn", "fail", "error"]


@dataclass(frozen=True)
class Ended:
    """How a model or check ended, in dbt's words: `success` or `error`, and `pass`, `warn`, `fail` or `error`.

    `failures` is how many rows a check has found, `shown` what the caller wanted to know of it, `message` why it failed.
    """

    status: Status
    seconds: float
    failures: int | None = None
    shown: Any = None
    message: str | None = None

    @property
    def is_good(self) -> bool:
        """Whether what stands on it may be built."""
        return self.status in ("success", "pass", "warn")


Look = Callable[[duckdb.DuckDBPyConnection, str, int | None], Any]
"""What is wanted of a node that has ended: called with a connection, its name and the failures that a check has found."""


def build_all(
    con: duckdb.DuckDBPyConnection,
    nodes: Mapping[str, Model | Check],
    after: Mapping[str, Set[str]],
    look: Look,
    *,
    largest: int = 0,
) -> Generator[tuple[str, Ended]]:
    """Build models and run checks; gives each with how it ended as soon as it has, and nothing of one that was kept back.

    Args:
        con: a connection to the warehouse, for whose writer's lock the caller cares.
        nodes: what to build, by name.
        after: what has to be good before a node is built, of those that are built too.
        look: asked about each node that ended and did not fail by an error.
        largest: rows of the largest table that the models read.

    Raises:
        BaseException: what interrupts the caller; the queries that run are cancelled first.
    """
    _make_room(con, nodes)
    order = TopologicalSorter({node: {each for each in after[node] if each in nodes} for node in nodes})
    order.prepare()
    kept_back: set[str] = set()
    told: list[tuple[str, Ended]] = []
    running: dict[Future[Ended], tuple[str, duckdb.DuckDBPyConnection]] = {}
    over: SimpleQueue[Future[Ended]] = SimpleQueue()  # to wait for one is safe to interrupt, to wait for futures is not
    at_a_time = AT_A_TIME if largest < AT_A_TIME * ROW_GROUP else 1
    if at_a_time > 1:
        con.execute("SET threads = 1")
    with ThreadPoolExecutor(at_a_time, thread_name_prefix="models") as pool:
        try:
            while order.is_active():
                for node in order.get_ready():
                    if kept_back.isdisjoint(after[node]):
                        with signals_kept():
                            cursor = con.cursor()
                            future = pool.submit(_one, cursor, node, nodes[node], look)
                            running[future] = (node, cursor)
                            future.add_done_callback(over.put)
                    else:
                        kept_back.add(node)
                        order.done(node)
                yield from told  # while what has become ready by that is built
                told = []
                if running:
                    ended = over.get()
                    node, cursor = running.pop(ended)
                    cursor.close()
                    told.append((node, ended.result()))
                    if not told[-1][1].is_good:
                        kept_back.add(node)
                    order.done(node)
            yield from told
        except BaseException:
            with signals_kept():
                for waiting in running:
                    waiting.cancel()
                while wait(running, timeout=CANCEL_AGAIN_SECONDS).not_done:  # one that has not begun yet is not cancelled by it
                    for _, cursor in running.values():
                        cursor.interrupt()
            raise


def _make_room(con: duckdb.DuckDBPyConnection, nodes: Mapping[str, Model | Check]) -> None:
    """Make the schemas, and drop what lies at the place of a model and is of another kind."""
    models = [node for node in nodes.values() if isinstance(node, Model)]
    for schema in sorted({model.relation[0] for model in models}):
        con.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(schema)}")
    kinds = kinds_of_relations(con)
    for model in models:
        if (kind := kinds.get(model.relation, model.kind)) != model.kind:
            con.execute(f"DROP {kind} {place(model.relation)}")


def _one(con: duckdb.DuckDBPyConnection, name: str, node: Model | Check, look: Look) -> Ended:
    began = time.perf_counter()
    status: Status
    failures: int | None
    try:
        if isinstance(node, Model):
            with_more_memory(con, partial(_build, con, node))
            status, failures = "success", None
        else:
            failures = with_more_memory(con, partial(count, con, f"(\n{node.query}\n)"))
            status = "pass" if not failures else "warn" if node.only_warns else "fail"
    except (duckdb.Error, ContractError) as error:
        told, advice = _in_one_line(error), _advice(error)
        message = f"{told if told.endswith(('.', '?')) else f'{told}.'} {advice}" if advice else told
        return Ended("error", time.perf_counter() - began, message=message)
    return Ended(status, time.perf_counter() - began, failures, look(con, name, failures))


class ContractError(Exception):
    """A table has other columns than its contract says; its text names them."""


def _build(con: duckdb.DuckDBPyConnection, model: Model) -> None:
    """Replace a model in one transaction."""
    at, query = place(model.relation), f"(\n{model.query}\n)"
    if model.types:
        query = f"(SELECT {', '.join(map(quoted, model.types))} FROM {query} AS columns_of_the_contract)"
    con.execute("BEGIN TRANSACTION")
    try:
        con.execute(f"CREATE OR REPLACE {model.kind} {at} AS {query}")
        if model.types:
            _compare(con, at, model.types)
        comments = [f"COMMENT ON {model.kind} {at} IS {literal(model.description)}"]
        comments += [f"COMMENT ON COLUMN {at}.{quoted(name)} IS {literal(text)}" for name, text in model.descriptions.items()]
        con.execute(";\n".join(comments))
        con.execute("COMMIT")
    except BaseException:
        con.rollback()
        raise


def _compare(con: duckdb.DuckDBPyConnection, at: str, types: Mapping[str, str]) -> None:
    """Compare the columns of a table with its contract.

    Raises:
        ContractError: they differ.
    """
    demanded = ", ".join(f"CAST(NULL AS {type_}) AS {quoted(name)}" for name, type_ in types.items())
    wanted, found = (dict(_columns(con, query)) for query in (f"SELECT {demanded}", f"FROM {at}"))
    if wrong := [f"{name} is {found[name]} and should be {wanted[name]}" for name in wanted if found[name] != wanted[name]]:
        raise ContractError(f"its columns are not as its contract says: {', '.join(wrong)}")


def _columns(con: duckdb.DuckDBPyConnection, query: str) -> list[tuple[str, str]]:
    return [(name, str(type_)) for name, type_, *_ in con.execute(f"DESCRIBE {query}").fetchall()]


def _advice(error: Exception) -> str:
    """What to do about an error where DuckDB's words do not say it."""
    if isinstance(error, duckdb.CatalogException) and "Table with name" in str(error):
        return WHAT_IT_STANDS_ON
    return WHAT_HELPS_MEMORY if isinstance(error, duckdb.OutOfMemoryException) else ""


def _in_one_line(error: Exception) -> str:
    """What DuckDB says, without the line of the query that it points at and without what only its settings would change."""
    return " ".join(str(error).split("\n\nLINE ")[0].split("\n\nPossible solutions")[0].split())
