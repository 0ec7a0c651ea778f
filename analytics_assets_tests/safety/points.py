"""Named points on the way of the data at which a process stops, or its disk fills up.

The product knows nothing of them: each point wraps the function of dlt or of this project that stands there.
"""

import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, Final, Literal
from unittest import mock

import duckdb
from dlt import Pipeline
from dlt.destinations.impl.duckdb.duck import DuckDbCopyJob
from dlt.normalize import normalize

from analytics_assets.cli.sync_run import job
from analytics_assets.warehouse import building, publish

Point = Literal[
    "begun",
    "extracted",
    "normalising",
    "loading",
    "landed",
    "publishing",
    "before commit",
    "after commit",
    "building",
]


@dataclass(frozen=True)
class Stop:
    """At which point, at which passing of it, and what happens there.

    `fill_disk_at` makes every write beyond that many bytes of a file fail from then on; None stops the process until
    it is told to go on.
    """

    point: Point
    passing: int = 1
    fill_disk_at: int | None = None


@contextmanager
def stopping_at(stop: Stop, channel: Connection) -> Iterator[None]:
    """Have this process stop at the point, saying so on `channel` and waiting there for a word."""
    passed = 0

    def pass_by(detail: Any = None) -> None:
        nonlocal passed
        passed += 1
        if passed != stop.passing:
            return
        if stop.fill_disk_at is not None:
            _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (stop.fill_disk_at, hard))
            return
        channel.send(("reached", detail))
        channel.recv()

    with POINTS[stop.point](pass_by):
        yield


PassBy = Callable[..., None]


def _before(target: object, name: str) -> Callable[[PassBy], Any]:
    """The point before each call of a function."""

    @contextmanager
    def point(pass_by: PassBy) -> Iterator[None]:
        function = getattr(target, name)

        def stopped(*args: Any, **kwargs: Any) -> Any:
            pass_by()
            return function(*args, **kwargs)

        with mock.patch.object(target, name, stopped):
            yield

    return point


class _WatchedConnection:
    """A connection whose COMMIT is a point."""

    def __init__(self, con: duckdb.DuckDBPyConnection, before: PassBy, after: PassBy) -> None:
        self._con = con
        self._before = before
        self._after = after

    def execute(self, query: str, *args: Any) -> Any:
        if query != "COMMIT":
            return self._con.execute(query, *args)
        self._before()
        answer = self._con.execute(query)
        self._after()
        return answer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._con, name)


def _at_commit(*, after: bool) -> Callable[[PassBy], Any]:
    @contextmanager
    def point(pass_by: PassBy) -> Iterator[None]:
        real = publish.connection  # type: ignore[attr-defined]

        @contextmanager
        def watched(*args: Any, **kwargs: Any) -> Iterator[Any]:
            with real(*args, **kwargs) as con:
                yield _WatchedConnection(con, (lambda: None) if after else pass_by, pass_by if after else (lambda: None))

        with mock.patch.object(publish, "connection", watched):
            yield

    return point


def _after(target: object, name: str) -> Callable[[PassBy], Any]:
    """The point after each call of a function, in the thread that has called it."""

    @contextmanager
    def point(pass_by: PassBy) -> Iterator[None]:
        function = getattr(target, name)

        def stopped(*args: Any, **kwargs: Any) -> Any:
            answer = function(*args, **kwargs)
            pass_by()
            return answer

        with mock.patch.object(target, name, stopped):
            yield

    return point


POINTS: Final[dict[Point, Callable[[PassBy], Any]]] = {
    "begun": _before(job, "_say_where_it_is_from"),
    "extracted": _before(Pipeline, "normalize"),
    "normalising": _before(normalize, "w_normalize_files"),
    "loading": _before(DuckDbCopyJob, "run"),
    "landed": _before(publish, "ensure_tables"),
    "publishing": _before(publish, "_publish_table"),
    "before commit": _at_commit(after=False),
    "after commit": _at_commit(after=True),
    "building": _after(building, "_build"),
}
