"""`export` writes marts as files that a spreadsheet and a BI tool read as they are meant."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from analytics_assets.cli import build_parser
from analytics_assets.warehouse.export import FORMATS
from analytics_assets.warehouse.writer_lock import writing
from analytics_assets_tests.cli.command import Ended, run_cli

NASTY = ["=1+1", "+49 30", "-5", "@SUM(A1)", "\tx", "\rx", "\nx", "\uff1d1+1"]
PLAIN = ["", "a=1", 'O\'Brien, "Ltd"', "'tis", "two\nlines", "\N{SNOWMAN}"]


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A warehouse with two small marts, made by hand."""
    path = tmp_path / "small.duckdb"
    with duckdb.connect(str(path)) as con:
        con.execute("create schema marts; create table marts.dim_tags as select 't1' as tag_id, 'one' as tag_name")
        con.execute(
            "create table marts.dim_clients (name varchar, number bigint, amount decimal(38, 4), part double, "
            "day date, made_at timestamptz, labels varchar[])"
        )
        con.executemany(
            "insert into marts.dim_clients values (?, -7, -1.5, -0.25, '2025-01-02', '2025-01-02 03:04:05+00', ['=a'])",
            [[text] for text in [*NASTY, *PLAIN]],
        )
        con.execute("insert into marts.dim_clients (name) values (null)")
    return path


def export(warehouse: Path, *arguments: str) -> Ended:
    return run_cli("export", *arguments, variables={"ANALYTICS_DUCKDB_PATH": str(warehouse)})


def rows_of(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_every_mart_becomes_a_parquet_file_with_its_rows_and_its_types(synced: Ended, warehouse: Path, tmp_path: Path) -> None:
    assert synced.code == 0, synced.said
    folder = tmp_path / "new" / "folder"
    ended = export(warehouse, "--to", str(folder))
    assert (ended.code, ended.err) == (0, "")
    lines = []
    with duckdb.connect(str(warehouse), read_only=True) as con:
        marts = [name for (name,) in con.execute("select table_name from duckdb_tables() where schema_name = 'marts'").fetchall()]
        for mart in sorted(marts):
            file = folder / f"{mart}.parquet"
            types = [row[:2] for row in con.execute(f"describe marts.{mart}").fetchall()]
            assert [row[:2] for row in con.execute(f"describe from '{file}'").fetchall()] == types, mart
            for one, other in ((f"marts.{mart}", f"'{file}'"), (f"'{file}'", f"marts.{mart}")):
                assert con.execute(f"from {one} except all from {other}").fetchall() == [], mart
            rows = con.execute(f"select count(*) from marts.{mart}").fetchall()[0][0]
            lines.append(f"{file}: {rows:,} row{'' if rows == 1 else 's'}\n")
    assert ended.out == "".join(lines)
    assert len(list(folder.iterdir())) == len(marts) > 10


def test_a_text_that_a_spreadsheet_would_take_for_a_formula_gets_an_apostrophe_and_nothing_else_does(
    small: Path, tmp_path: Path
) -> None:
    assert export(small, "--to", str(tmp_path), "--format", "csv", "--select", "dim_clients").code == 0
    header, *rows = rows_of(tmp_path / "dim_clients.csv")
    assert header == ["name", "number", "amount", "part", "day", "made_at", "labels"]
    assert sorted(row[0] for row in rows) == sorted(["", *(f"'{text}" for text in NASTY), *PLAIN])
    values = ["-7", "-1.5000", "-0.25", "2025-01-02", "2025-01-02 03:04:05+00", "['=a']"]
    assert [row for row in rows if row[1:] != values] == [[""] * 7], "the row without any value"
    assert (tmp_path / "dim_clients.csv").read_text().count('\n"",') == 1, "an empty text differs from no value"


def test_a_formula_stays_as_it_is_in_parquet_where_it_does_nothing(small: Path, tmp_path: Path) -> None:
    assert export(small, "--to", str(tmp_path), "--select", "marts/dim_clients").code == 0
    names = duckdb.sql(f"select name from '{tmp_path / 'dim_clients.parquet'}' where name is not null").fetchall()
    assert sorted(name for (name,) in names) == sorted([*NASTY, *PLAIN])


@pytest.mark.parametrize("file_format", FORMATS)
def test_the_same_rows_give_the_same_file_in_whatever_order_they_lie(small: Path, tmp_path: Path, file_format: str) -> None:
    file, arguments = tmp_path / f"dim_clients.{file_format}", ("--to", str(tmp_path), "--format", file_format)
    assert export(small, *arguments).code == 0
    first = file.read_bytes()
    with duckdb.connect(str(small)) as con:
        con.execute("create or replace table marts.dim_clients as from marts.dim_clients order by hash(name)")
    assert export(small, *arguments).code == 0
    assert file.read_bytes() == first


def test_marts_are_chosen_by_name_and_by_star(small: Path, tmp_path: Path) -> None:
    for asked, expected in (("dim_t*", ["dim_tags"]), ("marts/dim_tags, dim_clients", ["dim_clients", "dim_tags"])):
        ended = export(small, "--to", str(tmp_path), "--select", asked)
        assert [Path(line.split(":")[0]).stem for line in ended.out.splitlines()] == expected
    assert f"{tmp_path / 'dim_tags.parquet'}: 1 row\n" in ended.out


def test_select_can_be_given_several_times(small: Path, tmp_path: Path) -> None:
    """Only the last one counted, and nothing said so."""
    folder = tmp_path / "out"
    assert export(small, "--select", "dim_tags", "--to", str(folder), "--select", "dim_clients").code == 0
    assert sorted(file.name for file in folder.iterdir()) == ["dim_clients.parquet", "dim_tags.parquet"]
    parsed = build_parser().parse_args(["sync", "--select", "raw/tags", "--select", "raw/users,raw/tasks"])
    assert parsed.select == "raw/tags,raw/users,raw/tasks"


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (
            ["--select", "dim_tags,dim_teams"],
            2,
            "--select dim_teams: there is no such mart. The marts are dim_clients, dim_tags.",
        ),
        (["--select", " ,"], 2, "--select names no mart. The marts are dim_clients, dim_tags."),
        (
            ["--to", "~no-such-user/x"],
            2,
            "--to begins with ~no-such-user, but no home of such a user is known; write the whole path.",
        ),
        (["--to", "/b\udcffd"], 2, "--to leads to /b\\udcffd, which is no text in UTF-8; choose a place whose path is."),
        (["--to", "{small}"], 1, "{small} can't be written (it is a file); choose another place with --to."),
        (["--to", "{small}/x"], 1, "{small}/x can't be written (it is a file); choose another place with --to."),
    ],
)
def test_what_can_not_be_exported_is_refused_in_a_sentence(
    small: Path, tmp_path: Path, arguments: list[str], code: int, sentence: str
) -> None:
    ended = export(small, "--to", str(tmp_path / "out"), *(argument.format(small=small) for argument in arguments))
    assert ended == Ended(code, "", sentence.format(small=small) + "\n")
    assert not (tmp_path / "out").exists()


def test_a_folder_in_the_place_of_a_file_is_named(small: Path, tmp_path: Path) -> None:
    """It said that the folder which was asked for could not be written, because it is one."""
    (in_the_way := tmp_path / "out" / "dim_tags.parquet").mkdir(parents=True)
    ended = export(small, "--to", str(tmp_path / "out"), "--select", "dim_tags")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err == f"{in_the_way} can't be written (it is a folder); choose another place with --to.\n"


def test_a_folder_without_a_name_is_not_the_one_that_the_command_is_typed_in(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--to "$EXPORTS"` with a variable that is not set put all files between those of the project."""
    monkeypatch.chdir(tmp_path)
    ended = export(small, "--to", "")
    assert (ended.code, ended.said) == (2, "--to names no folder; write . for this one.\n")
    assert list(tmp_path.iterdir()) == [small]


def test_the_parser_offers_the_formats_that_there_are() -> None:
    assert [build_parser().parse_args(["export", "--to", "x", "--format", each]).format for each in FORMATS] == list(FORMATS)
    assert run_cli("export", "--to", "x", "--format", "xls", variables={}).code == 2
    assert "--to" in run_cli("export", variables={}).err


def test_a_warehouse_that_is_missing_or_bare_says_what_to_run(tmp_path: Path) -> None:
    missing, bare = tmp_path / "missing.duckdb", tmp_path / "bare.duckdb"
    duckdb.connect(str(bare)).close()
    assert export(missing, "--to", str(tmp_path / "out")) == Ended(
        1, "", f"{missing} does not exist, so there is nothing to export; `analytics-assets run` makes it.\n"
    )
    assert export(bare, "--to", str(tmp_path / "out")) == Ended(
        1, "", f"{bare} has no marts yet; `analytics-assets sync` builds them.\n"
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bare.duckdb"]


def test_an_export_works_beside_readers_and_while_a_sync_reads_the_api(small: Path, tmp_path: Path) -> None:
    with writing(small, "a sync"), duckdb.connect(str(small), read_only=True):
        done = subprocess.run(
            [sys.executable, "-m", "analytics_assets.cli", "export", "--to", str(tmp_path / "out")],
            env={**os.environ, "ANALYTICS_DUCKDB_PATH": str(small)},
            capture_output=True,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, "")


HOLD = """
import duckdb, sys
con = duckdb.connect(sys.argv[1])
print("held", flush=True)
sys.stdin.readline()
con.close()
"""


def test_an_export_waits_for_a_program_that_writes_the_file_and_says_so(small: Path, tmp_path: Path) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(small)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert holder.stdin and holder.stdout and holder.stdout.readline() == "held\n"
    waiting = subprocess.Popen(
        [sys.executable, "-m", "analytics_assets.cli", "export", "--to", str(tmp_path / "out")],
        env={**os.environ, "ANALYTICS_DUCKDB_PATH": str(small)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert waiting.stderr
    said = waiting.stderr.readline()
    holder.communicate("\n")
    out, _ = waiting.communicate()
    assert said.startswith("Waiting for the warehouse: python")
    assert (waiting.returncode, len(out.splitlines())) == (0, 2)
