"""What a sync would stumble over later is found by `doctor`, which waits for nothing."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pytest

from analytics_assets.demo.faults import Fault
from analytics_assets.demo.serving import DemoServer
from analytics_assets.warehouse.places import ledger_file
from analytics_assets_tests.cli.command import Ended, run_cli

Variables = dict[str, str]


def assert_found(ended: Ended, subject: str, words: str) -> None:
    """The one thing that is wrong is this one."""
    assert ended.code == 1, ended.said
    assert re.search(rf"^{subject} +wrong +.*{re.escape(words)}", ended.out, re.MULTILINE), ended.out
    assert ended.out.endswith("\n1 thing is wrong, see above.\n")
    assert "Traceback" not in ended.said


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("MEMBER_CAPACITIES", None, "which can't be read (No such file or directory)"),
        ("MEMBER_CAPACITIES", "member,hours_per_week\nada@example.com,many\n", "where line 2 has 'many' hours; write a number"),
        ("ROUNDING_RULES", "client,minutes\n", "where the first line must name the columns client, minutes, direction"),
    ],
)
def test_a_file_of_the_owner_that_a_sync_would_refuse(
    name: str, text: str | None, words: str, variables: Variables, tmp_path: Path
) -> None:
    """A sync had all it needs, and failed in the step of the marts."""
    file = tmp_path / "own.csv"
    if text is not None:
        file.write_text(text)
    ended = run_cli("doctor", variables={**variables, f"ANALYTICS_{name}": str(file)})
    assert_found(ended, "settings", words)
    assert f"ANALYTICS_{name} names {file}, " in ended.out


def test_files_of_the_owner_that_can_be_used(variables: Variables, tmp_path: Path) -> None:
    (tmp_path / "capacities.csv").write_text("member,hours_per_week\nada@example.com,30\n")
    (tmp_path / "rounding.csv").write_text("client,minutes,direction\n,15,up\nAcme,6,nearest\n")
    own = {
        "ANALYTICS_MEMBER_CAPACITIES": str(tmp_path / "capacities.csv"),
        "ANALYTICS_ROUNDING_RULES": str(tmp_path / "rounding.csv"),
    }
    ended = run_cli("doctor", variables={**variables, **own})
    assert ended.code == 0, ended.said
    assert "capacities.csv has 1 line that can be used" in ended.out
    assert "rounding.csv has 2 lines that can be used" in ended.out


def test_a_variable_that_begins_like_a_setting_and_is_none(variables: Variables) -> None:
    """Three months of lookback were asked for, and nothing said that two were read."""
    others = {"ANALYTICS_LOOKBACK": "3", "ANALYTICS_TIME_ZONE": "Europe/Berlin"}
    ended = run_cli("doctor", variables={**variables, **others})
    assert ended.code == 0, ended.said
    words = "not used, because there are no such settings: ANALYTICS_LOOKBACK, ANALYTICS_TIME_ZONE; see .env.example"
    assert re.search(rf"^settings +note +{re.escape(words)}$", ended.out, re.MULTILINE), ended.out
    assert "no such settings" not in run_cli("doctor", variables=variables).out
    refused = {"ANALYTICS_API_KEY": "wrong"}  # which ends a sync at its first request
    assert f"Variables {words}.\n" in run_cli("sync", variables={**variables, **others, **refused}).err
    assert "no such settings" not in run_cli("sync", variables={**variables, **refused}).err


def test_a_disk_without_room_is_named_with_the_setting_that_chooses_another(
    variables: Variables, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It said how much was free, and neither where nor what to do."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=2**29))
    ended = run_cli("doctor", variables={**variables, "ANALYTICS_DUCKDB_PATH": str(tmp_path / "data" / "w.duckdb")})
    words = f"0.5 GiB free in {tmp_path}, 1 GiB is needed; make room there, or choose another disk with ANALYTICS_DUCKDB_PATH"
    assert_found(ended, "disk space", words)


def test_a_dagster_home_that_can_not_be_made(variables: Variables, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ended = run_cli("doctor", variables={**variables, "DAGSTER_HOME": str(tmp_path / "file" / "home")})
    assert_found(ended, "Dagster home", f"({tmp_path}/file is a file); choose another place with DAGSTER_HOME")


def test_a_folder_that_is_a_link_to_a_disk_that_is_not_there(variables: Variables, tmp_path: Path) -> None:
    """It could be made, said `doctor`; a sync then said of a folder in it that the file exists."""
    (link := tmp_path / "data").symlink_to(tmp_path / "unplugged")
    named = {name: value for name, value in variables.items() if name != "DAGSTER_HOME"}
    of_link = {**named, "ANALYTICS_DUCKDB_PATH": str(link / "w.duckdb")}
    ended = run_cli("doctor", variables=of_link)
    assert (ended.code, ended.out.splitlines()[-1]) == (1, "3 things are wrong, see above.")  # what lies beside it too
    assert f"wrong  {link} can't be written ({link} is a link to nothing); choose another place" in ended.out
    refused = run_cli("sync", variables=of_link)
    reason = f"{link} is a file or a link to nothing"
    assert refused.err == f"{link}/dagster can't be written ({reason}); choose another place with ANALYTICS_DUCKDB_PATH.\n"


def test_a_file_that_is_a_link_to_a_disk_that_is_not_there(variables: Variables, tmp_path: Path) -> None:
    """It did not exist yet and the first sync would make it, said `doctor`; a sync could not."""
    (link := tmp_path / "w.duckdb").symlink_to(tmp_path / "unplugged" / "w.duckdb")
    ended = run_cli("doctor", variables={**variables, "ANALYTICS_DUCKDB_PATH": str(link)})
    assert_found(ended, "warehouse", f"{link} is a link to {tmp_path}/unplugged/w.duckdb, where no file can be")


def test_a_place_of_the_copy_for_readers_that_is_taken(variables: Variables, tmp_path: Path) -> None:
    """A folder, a text or another program's database; the sync failed at its end, after all was loaded."""
    text, other = tmp_path / "thesis.txt", tmp_path / "other.duckdb"
    text.write_text("my thesis")
    with duckdb.connect(str(other)) as con:
        con.execute("create table t as select 1 as x")
    (tmp_path / "folder").mkdir()
    for place in (text, other, tmp_path / "folder"):
        ended = run_cli("doctor", variables={**variables, "ANALYTICS_READER_PATH": str(place)})
        assert_found(ended, "for BI tools", f"{place} is no copy of a warehouse and stays as it is; set ANALYTICS_READER_PATH")
    ended = run_cli("doctor", variables={**variables, "ANALYTICS_READER_PATH": str(text / "copy.duckdb")})
    assert_found(ended, "for BI tools", f"({text} is a file); choose another place with ANALYTICS_READER_PATH")


def test_a_ceiling_without_room_is_said_at_once(server: DemoServer, variables: Variables) -> None:
    """It waited for up to an hour, in silence until then."""
    ended = run_cli("doctor", variables={**variables, "ANALYTICS_REQUESTS_PER_HOUR": "1"})
    room = r"ANALYTICS_REQUESTS_PER_HOUR leaves no room now, the next may go at \S+ UTC \(in 60 min\); run doctor again then\n"
    assert ended.code == 0, ended.said
    assert re.search(rf"^entries +note +were not asked for: {room}", ended.out, re.MULTILINE), ended.out
    again = run_cli("doctor", variables={**variables, "ANALYTICS_REQUESTS_PER_HOUR": "1"})
    assert re.search(rf"^API +note +was not asked: {room}", again.out, re.MULTILINE), again.out
    assert again.out.endswith("Nothing is wrong so far; not all could be checked, see above.\n")
    assert len(server.requests) == 1


def test_a_ceiling_without_room_for_another_attempt_is_said_at_once(server: DemoServer, variables: Variables) -> None:
    server.faults.add(Fault("status", status=500, times=1))
    ended = run_cli("doctor", variables={**variables, "ANALYTICS_REQUESTS_PER_HOUR": "1"})
    assert re.search(r"^API +note +was not asked: ANALYTICS_REQUESTS_PER_HOUR leaves no room", ended.out, re.MULTILINE), (
        ended.said
    )


def test_a_long_pause_that_the_server_asks_for_is_not_waited_for(server: DemoServer, variables: Variables) -> None:
    server.faults.add(Fault("status", status=429, retry_after="600", times=None))
    ended = run_cli("doctor", variables=variables)
    assert_found(ended, "API", "only, because the API asks for a pause")


def test_a_count_of_requests_that_can_not_be_used_is_named(variables: Variables) -> None:
    """The check of the pace said so, and the next one ended in a traceback."""
    ledger = ledger_file(Path(variables["ANALYTICS_DUCKDB_PATH"]))
    ledger.mkdir(parents=True)
    ended = run_cli("doctor", variables={**variables, "ANALYTICS_REQUESTS_PER_HOUR": "1000"})
    assert_found(ended, "pace", f"{ledger}, which counts the requests of the last hour, can't be used")


def test_doctor_imports_no_dagster(tmp_path: Path) -> None:
    """It takes seconds, and doctor is what people run again and again."""
    code = "import sys\nfrom analytics_assets.cli import main\nmain(['doctor'])\nsys.exit('dagster' in sys.modules)"
    ended = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
