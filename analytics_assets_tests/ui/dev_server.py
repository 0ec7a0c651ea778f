"""The real command `analytics-assets dev` in a test's hand: its process, its address, and what its GraphQL says of runs.

Starting, asking and ending it belong here. What a person sees of it in a browser is `walk.py`'s business.
"""

import contextlib
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

PATIENCE_SECONDS: Final = 180.0
"""How long anything may take that takes some seconds on a machine with nothing else to do."""
GLANCES_PER_SECOND: Final = 4
END_SECONDS: Final = 60.0
LINES_SHOWN: Final = 40
LOCATION: Final = "analytics_assets.definitions"
ENDED_OTHERWISE: Final = ("FAILURE", "CANCELED", "CANCELING")

REPOSITORIES: Final = "{ repositoriesOrError { ... on RepositoryConnection { nodes { name } } } }"
RUNS: Final = """
query runs($job: String!) {
  runsOrError(filter: {pipelineName: $job}) { ... on Runs { results { runId status tags { key value } } } }
}
"""

Found = TypeVar("Found")


@dataclass(frozen=True)
class Run:
    """A run as GraphQL tells it."""

    id: str
    status: str
    tags: Mapping[str, str]


class DevServer:
    """A UI that runs, and the folder in which it was started."""

    def __init__(self, process: subprocess.Popen[bytes], folder: Path, log: Path) -> None:
        self.folder = folder
        self._process = process
        self._log = log
        self.url = self.wait_for("the address of the UI", self._address)
        self.wait_for("the definitions", self._loaded)

    def wait_for(self, what: str, look: Callable[[], Found | None]) -> Found:
        """Look again and again until there is something; fail where it does not come, or the command has ended."""
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            if found := look():
                return found
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(1 / GLANCES_PER_SECOND)
                raise AssertionError(f"The command ended by itself before there was {what}:\n{self.last_lines()}")
        raise AssertionError(f"After {PATIENCE_SECONDS:g} seconds there is not yet {what}:\n{self.last_lines()}")

    def runs(self, job: str) -> list[Run]:
        """The runs of a job, the newest first."""
        results = self._ask(RUNS, job=job)["runsOrError"]["results"]
        return [Run(each["runId"], each["status"], {tag["key"]: tag["value"] for tag in each["tags"]}) for each in results]

    def wait_until_green(self, job: str, tag: str, value: str) -> Run:
        """Wait until the newest run of the job with this tag has ended green; fail as soon as it ends otherwise."""

        def green() -> Run | None:
            for run in self.runs(job):
                if run.tags.get(tag) == value:
                    assert run.status not in ENDED_OTHERWISE, f"The run {run.id} ended otherwise:\n{self.last_lines()}"
                    return run if run.status == "SUCCESS" else None
            return None

        return self.wait_for(f"a green run of {job} with {tag} {value}", green)

    def last_lines(self) -> str:
        """What the command has said last."""
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-LINES_SHOWN:])

    def _address(self) -> str | None:
        said = re.search(r"Dagster UI on (http://[\d.:]+)", self._log.read_text(errors="replace"))
        return said[1] if said else None

    def _loaded(self) -> bool:
        with contextlib.suppress(ConnectionRefusedError):
            return bool(self._ask(REPOSITORIES)["repositoriesOrError"].get("nodes"))
        return False

    def _ask(self, query: str, **variables: str) -> Any:
        address = urlsplit(self.url).netloc
        with contextlib.closing(http.client.HTTPConnection(address, timeout=PATIENCE_SECONDS)) as connection:
            body = json.dumps({"query": query, "variables": variables})
            connection.request("POST", "/graphql", body, {"Content-Type": "application/json"})
            answer = json.load(connection.getresponse())
        assert "errors" not in answer, answer["errors"]
        return answer["data"]


@contextlib.contextmanager
def dev_server(folder: Path, log: Path, variables: Mapping[str, str]) -> Iterator[DevServer]:
    """The command in an empty folder, on a free port; at the end Ctrl-C, which has to end it."""
    command = [str(Path(sys.executable).with_name("analytics-assets")), "dev", "--port", "0"]
    with log.open("wb") as said:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **variables},
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield DevServer(process, folder, log)
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(END_SECONDS)
        finally:
            process.kill()  # what it has started ends with it
            process.wait()
