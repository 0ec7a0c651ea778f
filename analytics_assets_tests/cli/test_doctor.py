import re
import socket
from pathlib import Path

from analytics_assets.cli.served import serving_lock
from analytics_assets.demo.behaviour import Behaviour
from analytics_assets.demo.build import empty_workspace
from analytics_assets.demo.serving import DemoServer
from analytics_assets_tests.cli.command import KEY, Ended, run_cli, variables_for
from analytics_assets_tests.team_database import Team

Variables = dict[str, str]


def verdicts(out: str) -> dict[str, str]:
    """Subject to verdict."""
    return dict(re.findall(r"^(\S+(?: \S+)?) +(ok|wrong|note) ", out, re.MULTILINE))


def test_doctor_finds_everything_right_with_at_most_four_requests(server: DemoServer, variables: Variables) -> None:
    ended = run_cli("doctor", variables=variables)
    assert ended.code == 0, ended.said
    assert {verdict for subject, verdict in verdicts(ended.out).items() if subject != "Dagster UI"} == {"ok"}
    assert set(verdicts(ended.out)) == {
        "settings", "API", "envelope", "entries", "Last-Page", "page size", "folder", "disk space", "warehouse",
        "Dagster home", "Dagster UI",
    }  # fmt: skip
    assert ended.out.endswith("A sync has all it needs.\n")
    assert len(server.requests) <= 4
    assert KEY not in ended.said


def test_doctor_counts_each_missing_variable_and_writes_nothing(tmp_path: Path) -> None:
    """It made the folders of a mistyped path, and three missing variables were one thing."""
    ended = run_cli("doctor", variables={"ANALYTICS_DUCKDB_PATH": str(tmp_path / "mistyped" / "w.duckdb")})
    assert (ended.code, ended.err) == (1, "")
    for name in ("ANALYTICS_API_KEY", "ANALYTICS_API_URL", "ANALYTICS_WORKSPACE_ID"):
        assert re.search(rf"^settings +wrong +{name} is not set", ended.out, re.MULTILINE)
    assert re.search(r"^settings +note +To look around first, `analytics-assets run` loads a demo\.$", ended.out, re.MULTILINE)
    assert ended.out.endswith("3 things are wrong, see above.\n")
    assert "does not exist yet and can be made" in ended.out
    assert list(tmp_path.iterdir()) == []


def test_doctor_does_not_wait_where_nobody_answers(variables: Variables) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}"
    ended = run_cli("doctor", variables={**variables, "ANALYTICS_API_URL": address, "ANALYTICS_RETRY_BACKOFF_FACTOR": "60"})
    assert verdicts(ended.out)["API"] == "wrong"
    assert "trying again in 0 s" in ended.err


def test_doctor_knows_a_ui_that_runs_for_this_warehouse(variables: Variables, other_dagster_home: Path) -> None:
    with serving_lock(other_dagster_home):
        assert "runs already for this warehouse" in run_cli("doctor", variables=variables).out
    assert "runs already for this warehouse" not in run_cli("doctor", variables=variables).out


def test_doctor_says_what_the_warehouse_holds(synced: Ended, server: DemoServer, warehouse: Path, dagster_home: Path) -> None:
    ended = run_cli("doctor", variables=variables_for(server, warehouse, dagster_home))
    assert ended.code == 0, ended.said
    assert re.search(rf"workspace {server.workspace.id}, loaded last .* UTC: \d+ users, 4 projects, 2 clients, ", ended.out)


def test_doctor_sees_bare_lists_and_a_missing_header_and_a_capped_page(server: DemoServer, variables: Variables) -> None:
    server.behaviour.envelope = "bare"
    server.behaviour.page_size_cap = 2
    ended = run_cli("doctor", variables=variables)
    assert ended.code == 0
    assert "bare lists" in ended.out
    assert "200 rows were asked for and 2 came, with more to follow: the server caps its pages" in ended.out
    server.behaviour.send_last_page = False
    assert verdicts(run_cli("doctor", variables=variables).out)["Last-Page"] == "note"


def test_doctor_tells_a_key_that_may_not_read_others_entries(server: DemoServer, variables: Variables) -> None:
    members = [row["id"] for row in server.workspace.records("users")]
    server.behaviour.refused_parents = {members[0]: (403, 403)}
    assert verdicts(run_cli("doctor", variables=variables).out)["entries"] == "note"
    server.behaviour.refused_parents = dict.fromkeys(members, (403, 403))
    ended = run_cli("doctor", variables=variables)
    assert ended.code == 1
    assert re.search(
        r"^entries +wrong +the API refuses them .*: check that the key of ANALYTICS_API_KEY", ended.out, re.MULTILINE
    )


def test_doctor_tells_a_folder_that_can_not_be_written_and_a_file_that_is_no_warehouse(
    variables: Variables, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("no warehouse")
    ended = run_cli("doctor", variables={**variables, "ANALYTICS_DUCKDB_PATH": str(tmp_path / "file" / "w.duckdb")})
    assert (ended.code, verdicts(ended.out)["folder"]) == (1, "wrong")
    assert "choose another place with ANALYTICS_DUCKDB_PATH" in ended.out
    ended = run_cli("doctor", variables={**variables, "ANALYTICS_DUCKDB_PATH": str(tmp_path / "file")})
    assert (ended.code, verdicts(ended.out)["warehouse"]) == (1, "wrong")


def test_doctor_of_an_empty_workspace_is_content(tmp_path: Path, dagster_home: Path) -> None:
    with DemoServer(empty_workspace(), Behaviour(api_key=KEY)) as empty:
        ended = run_cli("doctor", variables=variables_for(empty, tmp_path / "analytics.duckdb", dagster_home))
    assert ended.code == 0, ended.said
    assert verdicts(ended.out)["entries"] == "note"


def test_doctor_asks_the_database_that_tables_are_delivered_to(variables: Variables, team: Team) -> None:
    delivering = {**variables, "ANALYTICS_DESTINATION": "postgres", "ANALYTICS_DESTINATION_URL": team.url}
    assert verdicts(run_cli("doctor", variables=delivering).out)["Postgres"] == "ok"
    ended = run_cli("doctor", variables={**delivering, "ANALYTICS_DESTINATION_URL": "postgresql://me:secret@127.0.0.1:9/x"})
    assert verdicts(ended.out)["Postgres"] == "wrong" and "secret" not in ended.said
    assert "Postgres (127.0.0.1:9/x) refused: " in ended.out
