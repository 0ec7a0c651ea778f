"""What is delivered to Postgres is the warehouse, value by value; or Postgres stays as it was, and one sentence says why."""

from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import duckdb
import pytest
from sqlalchemy import text

from analytics_assets.warehouse.errors import WarehouseError
from analytics_assets.warehouse.team import postgres
from analytics_assets.warehouse.team.delivery import deliver, tables_that_differ
from analytics_assets.warehouse.team.postgres import Postgres, PostgresReceiver
from analytics_assets.warehouse.team.postgres_session import shown_address
from analytics_assets_tests.deploy.postgres import PASSWORD
from analytics_assets_tests.rig import Rig
from analytics_assets_tests.team_database import Team
from analytics_assets_tests.warehouse.own import change

LONG: Final = "x_" + "ä" * 40
QUOTED: Final = '"select ""it"""'
ODD_TEXTS: Final = ("", " ", "NULL", "\\N", "a\tb\nc\r\nd", 'it\'s "quoted", \\ and, commas;', "日本語 🕰️ \u202e", "x" * 100_000)


def refusal(path: Path, url: str) -> str:
    """The sentence of a delivery that must be refused."""
    with pytest.raises(WarehouseError) as caught:
        deliver(path, Postgres(url))
    assert PASSWORD not in str(caught.value) and quote(PASSWORD, safe="") not in str(caught.value)
    return str(caught.value)


def test_each_value_of_each_type_arrives_as_it_is(team: Team, warehouse: Path) -> None:
    change(
        warehouse,
        "CREATE TABLE marts.odd (n INTEGER, s VARCHAR, b BOOLEAN, i BIGINT, h HUGEINT, f DOUBLE, m DECIMAL(18, 2), "
        "w DECIMAL(38, 4), d DATE, t TIMESTAMPTZ, j JSON, l VARCHAR[], u UUID, "
        f"{QUOTED} VARCHAR, {LONG}1 INTEGER, {LONG}2 INTEGER)",
        f"""INSERT INTO marts.odd VALUES
            (1, 's', true, {2**63 - 1}, {10**37}, 0.1, 9999999999999999.99, 9999999999999999999999999999999999.9999,
             '9999-12-31', '9999-12-31T23:59:59.999999Z', '{{"b": 1.00000000000000000001, "a": [null, "ü"], "a": 1}}',
             ['x', NULL, ''], '6a1f5b3c-0000-4000-8000-000000000001', 'x', 1, 2),
            (2, '', false, {-(2**63)}, {-(10**37)}, -1.7976931348623157e308, -0.01, -0.0001, '0001-01-01',
             '1970-01-01T00:00:00.000001Z', 'null', [], NULL, '', 3, 4),
            (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)""",
    )
    with duckdb.connect(str(warehouse)) as con:
        con.executemany("INSERT INTO marts.odd (n, s) VALUES (?, ?)", [[10 + n, each] for n, each in enumerate(ODD_TEXTS)])
    deliver(warehouse, Postgres(team.url))
    assert tables_that_differ(warehouse, Postgres(team.url)) == []
    with duckdb.connect(str(warehouse), read_only=True) as con:
        con.execute("SET TimeZone = 'UTC'")
        there = con.execute("SELECT * REPLACE (u::VARCHAR AS u, epoch_us(t) AS t) FROM marts.odd ORDER BY n").fetchall()
        columns = [column[0] for column in con.description]
    arrived = team.rows("SELECT * FROM marts.odd ORDER BY n")
    names = [
        name for (name,) in team.rows("SELECT attname FROM pg_attribute WHERE attrelid = 'marts.odd'::regclass AND attnum > 0")
    ]
    assert names[:-2] == columns[:-2] and len(set(names)) == len(columns)
    texts = team.rows("SELECT j::text, (extract(epoch FROM t) * 1000000)::bigint FROM marts.odd ORDER BY n")
    for row, found, (json, moment) in zip(there, arrived, texts, strict=True):
        expected = dict(zip(columns, row, strict=True))
        assert (expected.pop("j"), expected.pop("t")) == (json, moment)
        got = dict(zip(columns, found, strict=True))
        assert {name: got[name] for name in expected} == expected


def test_the_sign_that_no_text_of_postgres_holds_arrives_as_an_unknown_one(team: Team, warehouse: Path) -> None:
    """The API can send it; one such description made each delivery red, for good."""
    change(
        warehouse,
        "UPDATE raw.tags SET name = 'a' || chr(0) || 'b' WHERE id = '1'",
        "CREATE TABLE marts.lists AS SELECT ['x', NULL, chr(0)] AS l, NULL::JSON AS j WHERE false",
        """INSERT INTO marts.lists VALUES (['x', NULL, chr(0)], '"\\u0000"'), (NULL, NULL)""",
    )
    deliver(warehouse, Postgres(team.url))
    assert tables_that_differ(warehouse, Postgres(team.url)) == [] and deliver(warehouse, Postgres(team.url)).sent == []
    assert team.rows("SELECT name FROM raw.tags ORDER BY id") == [("a\ufffdb",), ("two",)]
    assert team.rows("SELECT l, j::text FROM marts.lists") == [(["x", None, "\ufffd"], '"\\u0000"'), (None, None)]


def test_columns_that_are_called_like_those_of_each_table_get_another_name(team: Team, warehouse: Path) -> None:
    """A field of the API with such a name made each delivery red."""
    change(warehouse, "CREATE TABLE marts.odd AS SELECT 1 AS ctid, 2 AS xmin, 3 AS n")
    deliver(warehouse, Postgres(team.url))
    assert tables_that_differ(warehouse, Postgres(team.url)) == []
    assert deliver(warehouse, Postgres(team.url)).sent == []
    names = "SELECT column_name FROM information_schema.columns WHERE table_name = 'odd' ORDER BY ordinal_position"
    ctid, xmin, n = (name for (name,) in team.rows(names))
    assert ctid.startswith("ctid_") and xmin.startswith("xmin_") and n == "n"


def test_names_comments_and_schemas_arrive_and_views_and_notes_stay(team: Team, warehouse: Path) -> None:
    change(
        warehouse,
        "COMMENT ON TABLE marts.dim_tags IS 'One row per tag; it''s all.'",
        "COMMENT ON COLUMN marts.dim_tags.tag_id IS 'Its id.'",
        "CREATE TABLE raw._built (node VARCHAR)",
    )
    made = deliver(warehouse, Postgres(team.url))
    assert made.rows == {"marts.dim_tags": 2, "raw.tags": 2, "raw_history.tags": 0}
    assert team.rows("SELECT obj_description('marts.dim_tags'::regclass), col_description('marts.dim_tags'::regclass, 1)") == [
        ("One row per tag; it's all.", "Its id.")
    ]
    tables = "SELECT table_schema || '.' || table_name FROM information_schema.tables WHERE table_schema IN ('raw', 'staging')"
    assert {name for (name,) in team.rows(tables)} == {"raw.tags", "raw._delivered"}


def test_only_tables_that_have_changed_are_sent_again(team: Team, warehouse: Path) -> None:
    assert set(deliver(warehouse, Postgres(team.url)).sent) == {"marts.dim_tags", "raw.tags", "raw_history.tags"}
    assert deliver(warehouse, Postgres(team.url)).sent == []
    change(warehouse, "UPDATE raw.tags SET name = 'three' WHERE id = '2'")
    assert deliver(warehouse, Postgres(team.url)).sent == ["raw.tags"]
    assert team.rows("SELECT id, name FROM raw.tags ORDER BY id") == [("1", "one"), ("2", "three")]
    team.run("DELETE FROM marts.dim_tags")
    assert deliver(warehouse, Postgres(team.url)).sent == ["marts.dim_tags"]
    team.run("DROP TABLE raw.tags")
    assert tables_that_differ(warehouse, Postgres(team.url)) == ["raw.tags"]
    assert deliver(warehouse, Postgres(team.url)).sent == ["raw.tags"]
    team.run("UPDATE raw.tags SET name = 'somebody else''s' WHERE id = '1'")
    assert tables_that_differ(warehouse, Postgres(team.url)) == ["raw.tags"]
    assert deliver(warehouse, Postgres(team.url)).sent == ["raw.tags"]
    assert tables_that_differ(warehouse, Postgres(team.url)) == []


@pytest.mark.parametrize("done", ["DROP COLUMN name", "RENAME COLUMN name TO called", "ADD COLUMN theirs integer"])
def test_a_column_that_somebody_takes_away_comes_back(team: Team, warehouse: Path, done: str) -> None:
    """The rows still were those of the delivery, so it was never sent again, and where rows changed each delivery was refused."""
    deliver(warehouse, Postgres(team.url))
    team.run(f"ALTER TABLE raw.tags {done}")
    is_missing = ["raw.tags"] if "ADD" not in done else []
    assert tables_that_differ(warehouse, Postgres(team.url)) == is_missing
    assert deliver(warehouse, Postgres(team.url)).sent == is_missing
    change(warehouse, "UPDATE raw.tags SET name = 'three' WHERE id = '2'")
    assert deliver(warehouse, Postgres(team.url)).sent == ["raw.tags"]
    assert tables_that_differ(warehouse, Postgres(team.url)) == [] and deliver(warehouse, Postgres(team.url)).sent == []
    assert team.rows("SELECT id, name FROM raw.tags ORDER BY id") == [("1", "one"), ("2", "three")]


def test_views_and_permissions_of_others_outlive_a_delivery_and_a_new_column(team: Team, warehouse: Path) -> None:
    deliver(warehouse, Postgres(team.url))
    team.run("CREATE VIEW public.own AS SELECT tag_name FROM marts.dim_tags")
    team.run("CREATE ROLE bi; GRANT SELECT ON marts.dim_tags TO bi")
    change(warehouse, "ALTER TABLE marts.dim_tags ADD COLUMN is_deleted BOOLEAN", "UPDATE marts.dim_tags SET is_deleted = true")
    deliver(warehouse, Postgres(team.url))
    assert team.rows("SELECT count(*) FROM public.own") == [(2,)]
    assert team.rows("SELECT DISTINCT is_deleted FROM marts.dim_tags") == [(True,)]
    assert team.rows("SELECT has_table_privilege('bi', 'marts.dim_tags', 'SELECT')") == [(True,)]
    team.run("DROP OWNED BY bi; DROP ROLE bi")


def test_a_column_of_another_type_and_a_table_that_is_gone_are_followed(team: Team, warehouse: Path) -> None:
    deliver(warehouse, Postgres(team.url))
    change(warehouse, "ALTER TABLE marts.dim_tags ALTER tag_id TYPE BIGINT", "DROP TABLE raw_history.tags")
    deliver(warehouse, Postgres(team.url))
    assert team.rows("SELECT tag_id FROM marts.dim_tags ORDER BY 1") == [(1,), (2,)]
    assert team.rows("SELECT to_regclass('raw_history.tags') IS NULL") == [(True,)]


def test_a_delivery_that_is_refused_half_way_leaves_everything_as_it_was(team: Team, warehouse: Path) -> None:
    deliver(warehouse, Postgres(team.url))
    team.run("CREATE VIEW public.own AS SELECT id FROM raw.tags")
    change(
        warehouse,
        "UPDATE marts.dim_tags SET tag_name = 'newer'",
        "CREATE TABLE marts.another AS SELECT 1 AS a",
        "ALTER TABLE raw.tags ALTER id TYPE BIGINT",
    )
    sentence = refusal(warehouse, team.url)
    assert "cannot drop table raw.tags because other objects depend on it" in sentence and shown_address(team.url) in sentence
    assert team.rows("SELECT DISTINCT tag_name FROM marts.dim_tags ORDER BY 1") == [("one",), ("two",)]
    assert team.rows("SELECT to_regclass('marts.another') IS NULL") == [(True,)]
    team.run("DROP VIEW public.own")
    assert set(deliver(warehouse, Postgres(team.url)).sent) == {"marts.another", "marts.dim_tags", "raw.tags"}


def test_who_reads_during_a_delivery_sees_what_was_there_before(
    team: Team, warehouse: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(warehouse, Postgres(team.url))
    change(warehouse, "INSERT INTO marts.dim_tags VALUES ('3', 'three')", "DELETE FROM raw.tags")
    seen: list[list[tuple[Any, ...]]] = []
    send = PostgresReceiver.send

    def watched(*args: Any) -> None:
        send(*args)
        seen.append(team.rows("SELECT (SELECT count(*) FROM raw.tags), (SELECT count(*) FROM marts.dim_tags)"))

    monkeypatch.setattr(PostgresReceiver, "send", watched)
    deliver(warehouse, Postgres(team.url))
    assert seen == [[(2, 2)], [(2, 2)]]
    assert team.rows("SELECT (SELECT count(*) FROM raw.tags), (SELECT count(*) FROM marts.dim_tags)") == [(0, 3)]


def test_a_reader_who_does_not_end_holds_no_delivery_for_ever(
    team: Team, warehouse: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A column could not be added while a forgotten session had read the table, and all other readers waited behind that."""
    monkeypatch.setattr(postgres, "LONGEST_WAIT", "1ms")
    deliver(warehouse, Postgres(team.url))
    change(warehouse, "INSERT INTO marts.dim_tags VALUES ('3', 'three')", "ALTER TABLE raw.tags ADD COLUMN colour VARCHAR")
    with team.engine.connect() as reader:
        reader.execute(text("SELECT * FROM raw.tags"))
        assert "canceling statement due to lock timeout" in refusal(warehouse, team.url)
    assert team.rows("SELECT count(*) FROM marts.dim_tags") == [(2,)]
    assert set(deliver(warehouse, Postgres(team.url)).sent) == {"marts.dim_tags", "raw.tags"}


def test_a_table_of_somebody_else_is_not_touched(team: Team, warehouse: Path) -> None:
    team.run("CREATE SCHEMA raw; CREATE TABLE raw.tags (mine integer); INSERT INTO raw.tags VALUES (42)")
    assert refusal(warehouse, team.url).startswith("Postgres has a table raw.tags that this project has not made: ")
    assert team.rows("SELECT * FROM raw.tags") == [(42,)]
    assert team.rows("SELECT to_regclass('marts.dim_tags') IS NULL") == [(True,)]


def test_a_second_workspace_is_not_delivered_over_the_first(team: Team, tiny: Rig) -> None:
    tiny.sync(resources=("tags",))
    deliver(tiny.path, Postgres(team.url))
    assert deliver(tiny.path, Postgres(team.url)).sent == []
    change(tiny.path, "UPDATE raw._workspace SET workspace_id = 'another'", "DELETE FROM raw.tags")
    sentence = refusal(tiny.path, team.url)
    assert sentence.startswith(f"Postgres holds workspace {tiny.workspace_id}, not workspace another: ")
    assert team.rows("SELECT count(*) FROM raw.tags") == [(len(tiny.workspace.tags),)]


@pytest.mark.parametrize("wrong", ["password", "port", "database"])
def test_a_database_that_can_not_be_reached_is_a_sentence_without_the_password(team: Team, warehouse: Path, wrong: str) -> None:
    server, _, _ = team.url.rpartition("/")
    host, _, _ = server.rpartition(":")
    url = {
        "password": f"{server.replace('%3Dthe', '%3Da')}/postgres",
        "port": f"{host}:9/postgres",
        "database": f"{server}/nothing",
    }[wrong]
    sentence = refusal(warehouse, url)
    assert sentence.startswith(f"Postgres ({shown_address(url)}) refused: ") and sentence.endswith(".")
    assert "\n" not in sentence and "@" not in shown_address(url)
