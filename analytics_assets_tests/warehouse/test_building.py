"""Models are built in the order in which they stand on each other, and leave what was there when they can't be."""

import threading
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from analytics_assets.warehouse.building import ROW_GROUP, Check, Ended, Model, build_all
from analytics_assets.warehouse.connection import connection


@pytest.fixture
def con(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to a new warehouse."""
    with connection(tmp_path / "analytics.duckdb") as opened:
        yield opened


def table(name: str, query: str, **types: str) -> Model:
    """A mart."""
    return Model(("marts", name), "table", query, types, "A table's description.", {})


def built(con: duckdb.DuckDBPyConnection, nodes: dict[str, Model | Check], after: dict[str, set[str]]) -> dict[str, Ended]:
    """How each node ended."""
    every = {node: after.get(node, set()) for node in nodes}
    return dict(build_all(con, nodes, every, lambda con, node, failures: (node, failures)))


def test_what_stands_on_a_failed_check_or_model_is_kept_back_and_the_rest_is_built(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("CREATE SCHEMA marts; CREATE TABLE marts.child AS SELECT 'old' AS row; CREATE TABLE marts.broken AS SELECT 1")
    nodes: dict[str, Model | Check] = {
        "grandchild": table("grandchild", "FROM marts.child"),
        "child": table("child", "FROM marts.parent"),
        "fails": Check("FROM marts.parent", only_warns=False),
        "warns": Check("FROM marts.parent", only_warns=True),
        "passes": Check("FROM marts.parent WHERE false", only_warns=False),
        "parent": table("parent", "SELECT 'new' AS row"),
        "broken": table("broken", "SELECT row::INTEGER FROM marts.parent"),
        "on the broken": table("on_the_broken", "FROM marts.broken"),
        "on a warning": table("on_a_warning", "FROM marts.parent"),
    }
    ended = built(
        con,
        nodes,
        {
            "grandchild": {"child"},
            "child": {"parent", "fails"},
            "fails": {"parent"},
            "warns": {"parent"},
            "passes": {"parent"},
            "broken": {"parent"},
            "on the broken": {"broken"},
            "on a warning": {"parent", "warns", "passes", "none of this build"},
        },
    )
    assert {node: (each.status, each.failures, each.shown) for node, each in ended.items()} == {
        "parent": ("success", None, ("parent", None)),
        "fails": ("fail", 1, ("fails", 1)),
        "warns": ("warn", 1, ("warns", 1)),
        "passes": ("pass", 0, ("passes", 0)),
        "broken": ("error", None, None),
        "on a warning": ("success", None, ("on a warning", None)),
    }
    assert (
        ended["broken"].message == "Conversion Error: Could not convert string 'new' to INT32 when casting from source column row"
    )
    assert con.execute("SELECT row FROM marts.child").fetchall() == [("old",)]
    assert con.execute("FROM marts.broken").fetchall() == [(1,)]


def test_columns_are_those_of_the_contract_in_its_order_and_others_fail_the_model(con: duckdb.DuckDBPyConnection) -> None:
    query = "SELECT 1 AS first, 2::DECIMAL(38, 4) AS second, 3 AS not_in_it"
    good = table("good", query, second="numeric(38, 4)", first="integer")
    other = table("other", query, second="numeric(38, 2)", first="bigint")
    missing = table("missing", query, third="integer")
    ended = built(con, {"good": good, "other": other, "missing": missing}, {})
    assert ended["good"].status == "success"
    assert con.execute("DESCRIBE marts.good").fetchall()[0][:2] == ("second", "DECIMAL(38,4)")
    assert [row[0] for row in con.execute("DESCRIBE marts.good").fetchall()] == ["second", "first"]
    assert ended["other"].message == (
        "its columns are not as its contract says: second is DECIMAL(38,4) and should be DECIMAL(38,2), "
        "first is INTEGER and should be BIGINT"
    )
    assert ended["missing"].message is not None
    assert "third" in ended["missing"].message
    assert con.execute("SELECT table_name, comment FROM duckdb_tables()").fetchall() == [("good", "A table's description.")]


def test_a_column_that_is_described_and_not_there_fails_the_model(con: duckdb.DuckDBPyConnection) -> None:
    ended = built(con, {"view": Model(("staging", "v"), "view", "SELECT 1 AS one", {}, "A view.", {"two": "Not there."})}, {})
    assert ended["view"].status == "error"
    assert con.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall() == []


def test_an_end_in_the_middle_cancels_the_query_that_runs(con: duckdb.DuckDBPyConnection) -> None:
    """It would have gone on for hours, with the process waiting for it."""
    endless = table(
        "endless", "SELECT count(*) AS n FROM range(1000000000) AS a, range(1000000000) AS b WHERE a.range + b.range = -1"
    )
    building = build_all(
        con, {"endless": endless, "quick": table("quick", "SELECT 1 AS one")}, {"endless": set(), "quick": set()}, lambda *_: None
    )
    assert next(building)[0] == "quick"
    building.close()
    assert con.execute("SELECT table_name FROM duckdb_tables()").fetchall() == [("quick",)]


def test_models_of_a_large_table_are_built_one_at_a_time(con: duckdb.DuckDBPyConnection) -> None:
    """Two at a time, those of a million entries took each other's memory: a third longer, and with more of it."""
    nodes: dict[str, Model | Check] = {f"m{n}": table(f"m{n}", f"SELECT {n} AS n FROM range(1000)") for n in range(20)}
    after: dict[str, set[str]] = {node: set() for node in nodes}
    ended = build_all(con, nodes, after, lambda *_: threading.current_thread().name, largest=2 * ROW_GROUP)
    assert len({outcome.shown for _, outcome in ended}) == 1
