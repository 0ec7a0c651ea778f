"""The key is nowhere: no file, no output, no event, no run configuration; and nothing is written where it does not belong."""

import base64
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from analytics_assets.demo.behaviour import RequestSeen
from analytics_assets.demo.faults import Fault
from analytics_assets.orchestration.dbt_nodes import PROJECT_DIR
from analytics_assets.setting_errors import SettingsError
from analytics_assets.warehouse.places import landing_folder
from analytics_assets.workspace_access import checked_access
from analytics_assets_tests.safety.conftest import KEY, Site
from analytics_assets_tests.safety.points import Point, Stop
from analytics_assets_tests.safety.processes import Processes

ROOT = Path(__file__).parents[2]

TWO_SYNCS = """
import logging, sys
logging.basicConfig(level=logging.DEBUG)
from analytics_assets.cli import main
sys.exit(10 * main(["sync", "--verbose"]) + main(["sync", "--verbose"]))
"""


def forms_of(key: str) -> set[bytes]:
    """The key as it might stand in a file: plain, escaped, quoted for an address, in base64 at any offset."""
    plain = key.encode()
    forms = {plain, repr(key)[1:-1].encode(), quote(key).encode(), quote(key, safe="").encode(), quote_plus(key).encode()}
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        for offset in range(3):
            # what comes before and behind the key changes the first and the last letters
            forms.add(encode(bytes(offset) + plain)[4:-4])
    return forms


def places_of_the_key(text: bytes, where: str) -> Iterator[str]:
    for form in forms_of(KEY):
        if form in text:
            yield f"{where} holds {form!r}"


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def assert_no_key_below(folder: Path) -> None:
    files = files_below(folder)
    assert files
    assert [found for path in files for found in places_of_the_key(path.read_bytes(), str(path))] == []


def test_the_forms_of_the_key_are_found() -> None:
    hidden = base64.b64encode(f'{{"X-Api-Key": "{KEY}"}}'.encode())
    assert list(places_of_the_key(hidden, "base64"))
    assert list(places_of_the_key(f"https://example.com/?key={quote_plus(KEY)}".encode(), "an address"))
    assert not list(places_of_the_key(b"nothing of it", "a text"))


def test_a_green_and_a_red_sync_show_the_key_nowhere_and_write_nothing_elsewhere(site: Site, tmp_path: Path) -> None:
    """In a process that starts from nothing, as verbose as Dagster, dlt and dbt can be; the server echoes the key."""
    tag_lists: list[RequestSeen] = []

    def note(request: RequestSeen) -> None:
        if request.resource == "tags":
            tag_lists.append(request)

    body = b'{"message": "Key ' + KEY.encode() + b' may not read tags", "code": 403}'
    site.server.behaviour.before_answer = note
    site.server.faults.add(Fault("status", "tags", status=403, body=body, times=None, when=lambda _: len(tag_lists) > 1))
    elsewhere = [tmp_path / name for name in ("home", "temporary", "elsewhere")]
    for folder in elsewhere:
        folder.mkdir()
    home, temporary, working = elsewhere
    project_before = sorted(PROJECT_DIR.iterdir())
    ended = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", TWO_SYNCS],
        cwd=working,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "PYTHONDONTWRITEBYTECODE": "1",
            "HOME": str(home),
            "TMPDIR": str(temporary),
            "RUNTIME__LOG_LEVEL": "DEBUG",
            "DBT_LOG_LEVEL": "debug",
            **site.variables(),
        },
        capture_output=True,
        check=False,
    )
    said = ended.stdout + ended.stderr
    assert ended.returncode == 1, said.decode()
    assert b"Sync failed: GET " in said
    assert b"answered 403" in said
    assert list(places_of_the_key(said, "the output")) == []
    assert_no_key_below(site.path.parent)
    with site.instance() as instance:
        runs = instance.get_run_records()
        events = [repr(instance.all_logs(run.dagster_run.run_id)) for run in runs]
    assert [run.dagster_run.status.value for run in runs] == ["FAILURE", "SUCCESS"]
    assert list(places_of_the_key("".join([*events, *map(repr, runs)]).encode(), "an event or a run")) == []
    assert [path for folder in elsewhere for path in folder.rglob("*")] == []
    assert sorted(PROJECT_DIR.iterdir()) == project_before


@pytest.mark.parametrize("point", ["extracted", "landed"])
def test_what_a_killed_sync_leaves_behind_holds_no_key(site: Site, processes: Processes, point: Point) -> None:
    """dlt keeps a trace of each step with the configuration that it has resolved."""
    killed = processes.start(site.order(), {"RUNTIME__LOG_LEVEL": "DEBUG"}, stop=Stop(point))
    killed.wait_until_it_stops()
    said = killed.kill().said
    assert files_below(landing_folder(site.path))
    assert_no_key_below(site.path.parent)
    assert list(places_of_the_key(said.encode(), "the output")) == []


@pytest.mark.parametrize(
    "key", ["geh\neim", "geheim\r\nX-Other: 1", "schl\u00fcssel-geheim", "\u043a\u043b\u044e\u0447-geheim", "geheim\x7f"]
)
def test_a_key_that_no_header_can_carry_is_refused_in_one_sentence_without_it(site: Site, key: str) -> None:
    site.api_key = key
    sentence = site.failing_sync(resources=["tags"])
    assert sentence.startswith("ANALYTICS_API_KEY holds characters that no key has")
    assert "geheim" not in sentence
    assert not site.server.requests


@pytest.mark.parametrize(
    "url",
    [
        "https://user:geheim@api.example.com",
        "https://geheim@api.example.com",
        "https://api.example.com/?key=geheim",
        "http://api.example.com",
        "http://127.0.0.1.example.com",
        "http://10.0.0.1:8080",
        "ftp://geheim.example.com",
    ],
)
def test_an_address_that_would_give_the_key_away_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(SettingsError) as refused:
        checked_access(api_key="geheim", api_url=url, workspace_id="5f")
    assert str(refused.value).startswith("ANALYTICS_API_URL must ")
    assert "geheim" not in str(refused.value)
    assert refused.value.__cause__ is None


@pytest.mark.parametrize(
    "url", ["http://localhost:8000", "http://127.0.0.1:1", "http://[::1]:8000", "https://api.example.com/api"]
)
def test_a_safe_address_is_taken(url: str) -> None:
    assert checked_access(api_key="k", api_url=url, workspace_id="5f").api_url == url


def test_the_objects_that_hold_the_key_do_not_show_it(site: Site) -> None:
    assert KEY not in repr(site.api)
    assert KEY not in repr(vars(site.api.access))
