"""What stops a sync: each is one sentence on stderr and an exit code, and `doctor` says the same."""

import contextlib
import socket
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from dagster import DagsterInstance

from analytics_assets.cli.sync_run.asked_assets import asked_assets
from analytics_assets.definitions import build_definitions
from analytics_assets.demo.faults import Fault
from analytics_assets.demo.serving import DemoServer
from analytics_assets.settings import Settings
from analytics_assets.warehouse.places import lock_file
from analytics_assets_tests.cli.command import KEY, Ended, run_cli, variables_for

UNCHANGED = "The warehouse is as it was before."
SETTING_HINT = "Set it in the environment or in .env, see .env.example."

Variables = dict[str, str]


def sentence_of(ended: Ended) -> str:
    """The one sentence with which a sync failed."""
    sentences = [line for line in ended.err.splitlines() if line.startswith("Sync failed: ")]
    assert len(sentences) == 1, ended.said
    assert ended.err.endswith(f"{sentences[0]}\n{UNCHANGED}\n")
    assert "Traceback" not in ended.said
    assert ended.out == ""
    return sentences[0].removeprefix("Sync failed: ")


def assert_both_say(variables: Variables, ending: str) -> None:
    """A sync and the doctor end 1 with a sentence that ends so."""
    synced = run_cli("sync", "--select", "raw/tags", variables=variables)
    examined = run_cli("doctor", variables=variables)
    assert (synced.code, examined.code) == (1, 1)
    assert sentence_of(synced).endswith(ending)
    assert any(line.startswith("API") and line.endswith(ending) for line in examined.out.splitlines()), examined.out
    assert KEY not in synced.said + examined.said


def test_a_wrong_key_is_named(variables: Variables) -> None:
    assert_both_say(
        {**variables, "ANALYTICS_API_KEY": "another-key"},
        "answered 401 (Api key does not exist, code 4003): the key of ANALYTICS_API_KEY is wrong or has been withdrawn; "
        "make a new one.",
    )


def test_an_unknown_workspace_is_named(variables: Variables) -> None:
    assert_both_say(
        {**variables, "ANALYTICS_WORKSPACE_ID": "0" * 24},
        "answered 403 (Access Denied, code 403): the key of ANALYTICS_API_KEY may not read workspace ANALYTICS_WORKSPACE_ID; "
        "check both.",
    )


def test_a_server_that_is_not_there_is_named(variables: Variables) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}"
        assert_both_say(
            {**variables, "ANALYTICS_API_URL": url},
            ", after 4 attempts. Check ANALYTICS_API_URL, and that this machine reaches it.",
        )
        assert f"{url}/v1/workspaces/" in run_cli("doctor", variables={**variables, "ANALYTICS_API_URL": url}).out


def test_a_web_page_instead_of_the_api_is_named(server: DemoServer, variables: Variables) -> None:
    server.faults.add(Fault("html", times=None))
    assert_both_say(
        variables,
        "answered HTML instead of a list (unexpected character, expected a JSON value at byte 0); check ANALYTICS_API_URL, "
        "after 4 attempts.",
    )


def test_all_missing_variables_are_named_at_once(tmp_path: Path) -> None:
    ended = run_cli("sync", variables={"ANALYTICS_DUCKDB_PATH": str(tmp_path / "w.duckdb")})
    assert ended == Ended(
        1,
        "",
        "ANALYTICS_API_KEY is not set (make one in the API's user settings); "
        "ANALYTICS_API_URL is not set (the API's root, the part before /v1, for example https://api.example.com); "
        "ANALYTICS_WORKSPACE_ID is not set (the id in the address of the workspace's settings page). " + SETTING_HINT + " "
        "To look around first, `analytics-assets run` loads a demo.\n",
    )


@pytest.mark.parametrize("command", ["run", "sync", "dev", "verify"])
def test_a_workspace_whose_key_was_forgotten_is_not_the_demo(command: str, variables: Variables, tmp_path: Path) -> None:
    """The demo went into the warehouse of the workspace that address and id name, and a line said that both are ignored."""
    ended = run_cli(command, variables={name: value for name, value in variables.items() if name != "ANALYTICS_API_KEY"})
    assert ended == Ended(1, "", f"ANALYTICS_API_KEY is not set (make one in the API's user settings). {SETTING_HINT}\n")
    assert not list(tmp_path.iterdir())


def test_the_command_alone_prints_what_there_is() -> None:
    ended = run_cli(variables={})
    assert (ended.code, ended.err) == (0, "")
    assert all(command in ended.out for command in ("sync", "verify", "doctor", "dev"))


@pytest.mark.parametrize("command", ["sync", "run", "dev"])
def test_all_bad_variables_are_named_before_anything_starts(command: str, variables: Variables, tmp_path: Path) -> None:
    bad = {"ANALYTICS_PAGE_SIZE": "0", "ANALYTICS_START_DATE": "soon", "ANALYTICS_API_URL": "http://api.example.com"}
    ended = run_cli(command, variables={**variables, **bad})
    assert ended.code == 1
    assert all(name in ended.err for name in bad)
    assert ended.err.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--from", "2026-13"], "--from 2026-13: a month is written YYYY-MM, like {now}."),
        (["--to", "26-1"], "--to 26-1: a month is written YYYY-MM, like {now}."),
        (["--from", "2023-12"], "--from 2023-12 lies before the start of history, 2024-01 (ANALYTICS_START_DATE)."),
        (["--to", "9999-01"], "--to 9999-01 lies in the future; the current month is {now} (UTC)."),
        (["--from", "2024-03", "--to", "2024-02"], "--from 2024-03 lies after --to 2024-02."),
        (["--to", "2024-03", "--select", "raw/tags"], "--from and --to are months of raw/time_entries, which --select leaves "
         "out."),
        (["--select", "raw/tags and ("], "--select raw/tags and (: neither an asset nor a selection that Dagster understands "
         "(like raw/users+ or group:marts)."),
    ],
)  # fmt: skip
def test_what_can_not_be_asked_is_refused_with_exit_code_2(variables: Variables, arguments: list[str], sentence: str) -> None:
    now = f"{datetime.now(UTC):%Y-%m}"
    assert run_cli("sync", *arguments, variables=variables) == Ended(2, "", sentence.format(now=now) + "\n")


def test_an_asset_that_is_not_there_is_refused_with_those_that_are(variables: Variables) -> None:
    ended = run_cli("sync", "--select", "raw/tags,something", variables=variables)
    assert ended.code == 2
    assert ended.err.startswith("--select something: there is no such asset. The assets are marts/")
    misspelt = run_cli("sync", "--select", "raw/taskz", variables=variables)
    assert misspelt.err.startswith("--select raw/taskz: there is no such asset. Is raw/tasks meant? The assets are marts/")
    assert "raw/users, " in ended.err


def test_an_unknown_option_is_one_line(variables: Variables) -> None:
    ended = run_cli("sync", "--form", "2024-01", variables=variables)
    assert ended.code == 2
    assert ended.err == "analytics-assets: unrecognized arguments: --form 2024-01; see analytics-assets --help.\n"


def test_a_second_workspace_is_not_mixed_into_a_warehouse(
    synced: Ended, server: DemoServer, warehouse: Path, dagster_home: Path
) -> None:
    """Each sync would take the other workspace's rows for deleted."""
    assert synced.code == 0, synced.said
    first, other = server.workspace.id, "0" * 24
    variables = variables_for(server, warehouse, dagster_home, ANALYTICS_WORKSPACE_ID=other)
    sentence = (
        f"{warehouse} holds workspace {first} (read from 127.0.0.1), not workspace {other}: set ANALYTICS_DUCKDB_PATH "
        "to another file, or remove this one to start over."
    )
    ended = run_cli("sync", "--select", "raw/tags", variables=variables)
    assert (ended.code, sentence_of(ended)) == (1, sentence)
    assert not server.requests, "the refusal comes before the first request"
    assert sentence in run_cli("doctor", variables=variables).out


def test_a_workspace_that_the_api_refused_does_not_bind_the_warehouse(server: DemoServer, variables: Variables) -> None:
    """A mistyped id must be correctable without removing a file."""
    assert run_cli("sync", "--select", "raw/tags", variables={**variables, "ANALYTICS_WORKSPACE_ID": "0" * 24}).code == 1
    assert run_cli("sync", "--select", "raw/tags", variables=variables).code == 0


def test_a_sync_that_would_fail_at_once_begins_no_run(
    variables: Variables, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failed run shows every asset that it was to make as failed, though nothing was touched."""
    home = tmp_path / "home"
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    assert run_cli("sync", variables={**variables, "DAGSTER_HOME": str(home), "ANALYTICS_API_KEY": "another-key"}).code == 1
    with DagsterInstance.from_config(str(home)) as instance:
        assert instance.get_runs() == []


def test_models_are_built_without_the_api(synced: Ended, server: DemoServer, warehouse: Path, other_dagster_home: Path) -> None:
    assert synced.code == 0, synced.said
    variables = variables_for(server, warehouse, other_dagster_home, ANALYTICS_API_KEY="another-key")
    ended = run_cli("sync", "--select", "marts/dim_tags", variables=variables)
    assert (ended.code, len(server.requests)) == (0, 0), ended.said


def test_a_model_without_its_raw_table_is_named(variables: Variables) -> None:
    """The sentence was DuckDB's, about a list of parameters that nobody has written."""
    ended = run_cli("sync", "--select", "marts/dim_tags", variables=variables)
    assert ended.code == 1
    assert "Sync failed: Not all models could be built: dim_tags: " in ended.err
    assert "does not exist" in ended.err and "Build what it stands on too: a + before the asset selects that" in ended.err
    assert "`analytics-assets sync --select`" in ended.err, "in Dagster's own commands a + selects one level, and fails again"


def test_a_plus_before_an_asset_selects_all_that_it_stands_on_and_one_behind_it_all_that_stands_on_it() -> None:
    """As in the UI; it was the next level alone, so a mart with a + failed in a new warehouse."""
    graph = build_definitions(Settings()).resolve_asset_graph()
    whole = {key.to_user_string() for key in asked_assets("+marts/billing_monthly", graph)}
    assert {"raw/time_entries", "raw/users", "staging/stg_projects", "marts/fct_time_entries", "marts/billing_monthly"} <= whole
    assert "report/overview" not in whole and "marts/project_budgets" not in whole
    below = {key.to_user_string() for key in asked_assets("raw/tags+", graph)}
    assert {"raw/tags", "staging/stg_tags", "marts/dim_tags"} <= below and "raw/users" not in below
    assert asked_assets('+key:"raw/time_entries" or raw/ta*', graph) == asked_assets(
        "+raw/time_entries,raw/tags,raw/tasks", graph
    )
    assert asked_assets("group:raw and raw/time_entries", graph) == asked_assets("raw/time_entries", graph)


def test_the_whole_story_of_a_failure_is_shown_on_request_and_without_the_key(server: DemoServer, variables: Variables) -> None:
    server.faults.add(Fault("html", "tags", times=None))
    ended = run_cli("sync", "--verbose", "--select", "raw/tags,raw/clients", variables=variables)
    assert ended.code == 1
    assert "Stack Trace" in ended.err
    assert KEY not in ended.said


@pytest.mark.parametrize("command", [["sync", "--select", "raw/tags"], ["doctor"]])
def test_a_dagster_home_of_a_user_that_there_is_not_is_named(variables: Variables, command: list[str]) -> None:
    ended = run_cli(*command, variables={**variables, "DAGSTER_HOME": "~no-such-user/home"})
    assert ended.code == 1
    words = "DAGSTER_HOME begins with ~no-such-user, but no home of such a user is known; write the whole path."
    assert ended.err.splitlines()[-1:] == [words]


def test_a_dagster_home_that_can_not_be_made_is_named(variables: Variables, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ended = run_cli("sync", "--select", "raw/tags", variables={**variables, "DAGSTER_HOME": str(tmp_path / "file" / "home")})
    assert ended.code == 1
    assert ended.err == f"{tmp_path}/file/home can't be written (Not a directory); choose another place with DAGSTER_HOME.\n"


@pytest.mark.parametrize("command", [["sync", "--select", "raw/tags"], ["dev", "--port", "0"]])
def test_runs_that_can_not_be_kept_are_one_sentence(variables: Variables, tmp_path: Path, command: list[str]) -> None:
    """Where root had made the folder of Dagster, another user was shown two tracebacks of SQLite's."""
    home = tmp_path / "home"
    (home / "history" / "runs.db").mkdir(parents=True)
    ended = run_cli(*command, variables={**variables, "DAGSTER_HOME": str(home)})
    assert ended.code == 1
    words = f"{home} can't be written (unable to open database file); look at its owner and its disk, or choose another place"
    assert ended.err.splitlines()[-1].startswith(words), ended.err
    assert "Traceback" not in ended.said


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        (b"run_queue: [", "it is no text in YAML, see line 1"),
        (b"\xfc\xff", "it is no text in YAML"),
        (b"- telemetry", "it has no names and values"),
        (b"telemetri: {}", 'Received unexpected config entry "telemetri" at the root'),
    ],
)
def test_a_configuration_that_dagster_can_not_read_is_named(
    variables: Variables, tmp_path: Path, written: bytes, reason: str
) -> None:
    """The owner may change it, and each mistake was a traceback of YAML's or of Dagster's."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "dagster.yaml").write_bytes(written)
    ended = run_cli("sync", "--select", "raw/tags", variables={**variables, "DAGSTER_HOME": str(tmp_path / "home")})
    assert ended.code == 1
    words = f"{tmp_path}/home/dagster.yaml is no configuration of Dagster ({reason})"
    assert ended.err.splitlines()[-1] == f"{words}; correct it, or move it away, and it is made anew."
    assert "Traceback" not in ended.said


def test_a_lock_that_can_not_be_written_is_named_and_not_its_folder(variables: Variables, tmp_path: Path) -> None:
    """Where the lock was root's, another user was advised to choose another place, and so to read all anew."""
    warehouse = tmp_path / "analytics.duckdb"
    duckdb.connect(str(warehouse)).close()
    lock = lock_file(warehouse)
    lock.mkdir()
    for command in ("verify", "doctor"):
        ended = run_cli(command, variables={**variables, "ANALYTICS_DUCKDB_PATH": str(warehouse)})
        assert ended.code == 1
        assert f"{lock} can't be written (Is a directory); look at its owner" in ended.said
        assert "ANALYTICS_DUCKDB_PATH" not in ended.said


@pytest.mark.parametrize(
    "command", [["sync"], ["verify"], ["doctor"], ["report"], ["dev", "--port", "0"], ["export", "--to", "x"]]
)
def test_a_working_directory_that_is_deleted_is_one_sentence(variables: Variables, tmp_path: Path, command: list[str]) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    with contextlib.chdir(folder):
        folder.rmdir()
        ended = run_cli(*command, variables=variables)
    assert ended.code == 1
    assert ended.err == "The folder that this was started in is deleted; go to another one, for example with `cd`.\n"
