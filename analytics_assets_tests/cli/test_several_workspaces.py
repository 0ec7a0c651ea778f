"""The commands with several workspaces: two that the key may read, and one that it may not."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from analytics_assets.cli.each_workspace import for_each_workspace
from analytics_assets.demo.serving import DemoServer
from analytics_assets.settings import Settings, settings_of
from analytics_assets_tests.cli.command import Ended, run_cli, variables_for
from analytics_assets_tests.team_database import Team
from analytics_assets_tests.tiny import tiny_workspace

FIRST, SECOND, REFUSED = "5f" * 12, "second", "not-ours"


@pytest.fixture(scope="module")
def two_workspaces() -> Iterator[DemoServer]:
    second = tiny_workspace()
    second.id = SECOND
    with DemoServer(tiny_workspace()) as server:
        server.neighbours.append(second)
        yield server


@pytest.fixture(scope="module")
def common_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("several") / "analytics.duckdb"


@pytest.fixture(scope="module")
def several(two_workspaces: DemoServer, common_file: Path) -> dict[str, str]:
    others = {"ANALYTICS_WORKSPACE_ID": f"{FIRST}, {REFUSED},{SECOND}"}
    return {**variables_for(two_workspaces, common_file, common_file.parent / "dagster"), **others}


@pytest.fixture(scope="module")
def synced_both(several: dict[str, str]) -> Ended:
    return run_cli("sync", variables=several)


def rows(file: Path, sql: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(file), read_only=True) as con:
        return con.execute(sql).fetchall()


def test_a_workspace_that_is_refused_holds_up_no_other_and_is_named(synced_both: Ended) -> None:
    assert synced_both.code == 1
    assert f"\n2 of 3 workspaces synced; not {REFUSED}, see above.\n" in synced_both.out
    assert f"/v1/workspaces/{REFUSED}/clients answered 403" in synced_both.err
    headings = [line for line in synced_both.out.splitlines() if line.startswith("Workspace ")]
    assert headings == [f"Workspace {FIRST} (1 of 3)", f"Workspace {REFUSED} (2 of 3)", f"Workspace {SECOND} (3 of 3)"]
    assert synced_both.out.count("Models: 31 of 31 built") == 2


def test_every_table_of_the_common_file_and_of_its_copy_says_whose_each_row_is(synced_both: Ended, common_file: Path) -> None:
    for file in (common_file, common_file.with_stem("analytics_reader")):
        assert rows(file, "SELECT count(*), count(DISTINCT workspace_id) FROM raw.users") == [(6, 2)]
        places = rows(file, "SELECT schema_name || '.' || table_name FROM duckdb_tables()")
        marked = rows(file, "SELECT schema_name || '.' || table_name FROM duckdb_columns() WHERE column_name = 'workspace_id'")
        assert sorted(places) == sorted(marked)
        worked = "SELECT workspace_id, sum(duration_seconds) FROM marts.fct_time_entries GROUP BY ALL ORDER BY ALL"
        (first, seconds), (second, same) = rows(file, worked)
        assert (first, second) == (FIRST, SECOND)
        assert seconds == same != 0


def test_each_workspace_has_a_warehouse_and_a_report_of_its_own(synced_both: Ended, common_file: Path) -> None:
    for workspace in (FIRST, SECOND):
        folder = common_file.parent / "workspaces" / workspace
        assert f"Warehouse: {folder / 'analytics.duckdb'} (" in synced_both.out
        assert rows(folder / "analytics.duckdb", "SELECT workspace_id FROM raw._workspace") == [(workspace,)]
        assert (folder / "report" / "overview.html").exists()
    assert synced_both.out.count(f"All workspaces: {common_file}\n") == 2
    # it named the common file, for which every sync would wait as long as the tool has it open
    assert synced_both.out.count(f"For BI tools: {common_file.with_stem(f'{common_file.stem}_reader')}\n") == 2
    assert not (common_file.parent / "workspaces" / REFUSED / "analytics.duckdb").exists()


def test_verify_compares_each_workspace(synced_both: Ended, several: dict[str, str]) -> None:
    ended = run_cli("verify", variables=several)
    assert ended.code == 1
    assert ended.out.count("The warehouse equals the API.") == 2
    assert f"2 of 3 workspaces equal the API; not {REFUSED}, see above." in ended.out
    readable = {**several, "ANALYTICS_WORKSPACE_ID": f"{FIRST},{SECOND}"}
    assert run_cli("verify", variables=readable).code == 0


def test_the_other_commands_go_through_all_workspaces(synced_both: Ended, several: dict[str, str], tmp_path: Path) -> None:
    doctor = run_cli("doctor", variables=several)
    assert doctor.code == 1
    assert all(f"workspace {each} of http" in doctor.out for each in (FIRST, REFUSED, SECOND))
    readable = {**several, "ANALYTICS_WORKSPACE_ID": f"{FIRST},{SECOND}"}
    report = run_cli("report", variables=readable)
    assert (report.code, report.out.count("overview.html")) == (0, 2)
    export = run_cli("export", "--to", str(tmp_path), "--select", "dim_users", variables=readable)
    assert export.code == 0, export.said
    assert rows(common_file_of(readable), f"SELECT DISTINCT workspace_id FROM '{tmp_path}/dim_users.parquet' ORDER BY ALL") == [
        (FIRST,),
        (SECOND,),
    ]


def test_postgres_gets_the_tables_of_all_workspaces(synced_both: Ended, several: dict[str, str], team: Team) -> None:
    destination = {"ANALYTICS_DESTINATION": "postgres", "ANALYTICS_DESTINATION_URL": team.url}
    delivering = {**several, "ANALYTICS_WORKSPACE_ID": f"{FIRST},{SECOND}", **destination}
    sent = run_cli("sync", "--select", "report/reader_copy,report/postgres", variables=delivering)
    assert sent.code == 0, sent.said
    assert team.rows("SELECT workspace_id, count(*)::int FROM marts.dim_users GROUP BY 1 ORDER BY 1") == [(FIRST, 3), (SECOND, 3)]
    assert sent.out.count("In Postgres: ") == 2
    equal = run_cli("verify", variables=delivering)
    assert (equal.code, equal.out.splitlines()[-2:]) == (
        0,
        [f"{common_file_of(several)} equals the warehouse of each.", f"Postgres equals {common_file_of(several)}."],
    )
    team.run(f"DELETE FROM marts.dim_users WHERE workspace_id = '{SECOND}'")
    changed = run_cli("verify", variables=delivering)
    assert changed.code == 1
    assert f"Postgres differs from {common_file_of(several)} in marts.dim_users." in changed.out


def test_verify_sees_what_the_common_file_lacks(
    synced_both: Ended, several: dict[str, str], common_file: Path, tmp_path: Path
) -> None:
    """Exports and deliveries are of that file: they had a number that no warehouse had, and all was said to be equal."""
    shutil.copytree(common_file.parent / "workspaces", tmp_path / "workspaces")
    copy = Path(shutil.copyfile(common_file, tmp_path / common_file.name))
    with duckdb.connect(str(copy)) as con:
        con.execute(f"UPDATE marts.billing_monthly SET amount = 1 WHERE workspace_id = '{SECOND}'")
    others = {"ANALYTICS_WORKSPACE_ID": f"{FIRST},{SECOND}", "ANALYTICS_DUCKDB_PATH": str(copy)}
    ended = run_cli("verify", variables={**several, **others})
    assert ended.code == 1, ended.said
    assert ended.out.endswith(
        "2 of 2 workspaces equal the API.\n"
        f"{copy} differs from the warehouse of workspace {SECOND} in marts.billing_monthly.\nRepair it:  analytics-assets sync\n"
    )
    copy.unlink()
    missing = run_cli("verify", variables={**several, **others})
    assert missing.code == 1 and f"{copy} is not there, which has the tables of all workspaces.\n" in missing.out


def common_file_of(variables: dict[str, str]) -> Path:
    """The file that the variables name."""
    return Path(variables["ANALYTICS_DUCKDB_PATH"])


def test_a_mistake_in_the_arguments_is_said_once(several: dict[str, str]) -> None:
    ended = run_cli("sync", "--from", "yesterday", variables=several)
    assert ended.code == 2
    assert ended.err.count("a month is written YYYY-MM") == 1


def test_assets_can_be_selected_of_each_workspace_and_of_one(synced_both: Ended, several: dict[str, str]) -> None:
    named = {**several, "ANALYTICS_WORKSPACE_ID": f"north={FIRST},{SECOND}"}
    of_each = run_cli("sync", "--select", "raw/tags", variables=named)
    assert of_each.code == 0, of_each.said
    headings = [line for line in of_each.out.splitlines() if line.startswith("Workspace ")]
    assert headings == [f"Workspace north={FIRST} (1 of 2)", f"Workspace {SECOND} (2 of 2)"]
    of_one = run_cli("sync", "--select", "north/raw/tags", variables=named)
    assert of_one.code == 0, of_one.said
    assert of_one.out.endswith("\n1 of 1 workspace synced.\n")
    of_none = run_cli("sync", "--select", "raw/nothing", variables=named)
    assert (of_none.code, of_none.err.count("there is no such asset")) == (2, 1)


def test_models_alone_are_built_in_the_warehouse_of_a_workspace_that_was_loaded_alone_until_now(
    synced_both: Ended, several: dict[str, str], common_file: Path, tmp_path: Path
) -> None:
    alone, its_place = tmp_path / "analytics.duckdb", tmp_path / "workspaces" / FIRST / "analytics.duckdb"
    shutil.copyfile(common_file.parent / "workspaces" / FIRST / "analytics.duckdb", alone)
    of_one = {"ANALYTICS_WORKSPACE_ID": f"north={FIRST},{SECOND}", "ANALYTICS_DUCKDB_PATH": str(alone)}
    ended = run_cli("sync", "--select", "north/marts/dim_tags", variables={**several, **of_one})
    assert ended.code == 0, ended.said
    assert not alone.exists()
    assert rows(its_place, "SELECT count(*) FROM raw.users") == rows(its_place, "SELECT count(*) FROM marts.dim_users") == [(3,)]


def test_another_file_in_the_place_of_the_common_one_is_said_before_all_history_is_read(
    two_workspaces: DemoServer, several: dict[str, str], tmp_path: Path
) -> None:
    with duckdb.connect(str(tmp_path / "analytics.duckdb")) as con:
        con.execute("CREATE TABLE of_somebody AS SELECT 1 AS one")
    asked = len(two_workspaces.requests)
    of_two = {"ANALYTICS_WORKSPACE_ID": f"{FIRST},{SECOND}", "ANALYTICS_DUCKDB_PATH": str(tmp_path / "analytics.duckdb")}
    ended = run_cli("sync", variables={**several, **of_two})
    assert ended.code == 1
    assert ended.err.count("holds tables that this project has not made, and it stays as it is") == 2
    assert f"0 of 2 workspaces synced; not {FIRST}, {SECOND}, see above." in ended.out
    assert len(two_workspaces.requests) == asked
    assert not (tmp_path / "workspaces").exists()


def test_what_nobody_has_foreseen_of_one_workspace_holds_up_no_other(capsys: pytest.CaptureFixture[str]) -> None:
    asked = []

    def do(of_one: Settings) -> int:
        asked.append(of_one.workspace_id)
        if of_one.workspace_id == "first":
            raise RuntimeError("nobody has foreseen this")
        return 0

    settings = settings_of({"ANALYTICS_WORKSPACE_ID": "first,second"})
    assert for_each_workspace(settings, do, done="synced") == 1
    assert asked == ["first", "second"]
    said = capsys.readouterr()
    assert said.out.endswith("\n1 of 2 workspaces synced; not first, see above.\n")
    assert said.err.endswith("RuntimeError: nobody has foreseen this\n")


def test_one_of_them_alone_is_not_read_into_the_common_file(synced_both: Ended, several: dict[str, str]) -> None:
    ended = run_cli("sync", variables={**several, "ANALYTICS_WORKSPACE_ID": SECOND})
    assert ended.code == 1
    assert "holds the tables of several workspaces" in ended.err
    assert "name all of them in ANALYTICS_WORKSPACE_ID again, or set ANALYTICS_DUCKDB_PATH to another file" in ended.err


def test_two_workspaces_that_could_be_taken_for_each_other_are_refused(several: dict[str, str]) -> None:
    twice = run_cli("sync", variables={**several, "ANALYTICS_WORKSPACE_ID": "a-b,a_b"})
    assert "ANALYTICS_WORKSPACE_ID names two workspaces whose ids or names differ in nothing but capitals and signs" in twice.err


@pytest.mark.parametrize("workspace", [FIRST, None])
def test_what_is_asked_of_one_workspace_is_not_answered_from_the_file_of_all(
    synced_both: Ended, several: dict[str, str], workspace: str | None
) -> None:
    """The report added up both workspaces and named one, and doctor found all that a sync needs, which then refused the file."""
    named = {name: value for name, value in several.items() if name != "ANALYTICS_WORKSPACE_ID"}
    variables = named if workspace is None else {**named, "ANALYTICS_WORKSPACE_ID": workspace}
    report = run_cli("report", variables=variables)
    assert (report.code, report.out) == (1, "")
    assert f"holds the tables of several workspaces ({FIRST}, {SECOND})" in report.err
    doctor = run_cli("doctor", variables=variables)
    assert doctor.code == 1
    assert re.search(r"^warehouse +wrong +.* holds the tables of several workspaces", doctor.out, re.MULTILINE), doctor.out
