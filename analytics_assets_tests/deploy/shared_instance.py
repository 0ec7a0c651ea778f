"""The processes of a team's deployment without containers: code server, web server and daemon on one Postgres.

Starting them and asking the web server belong here; what they have to do is said by the tests.
"""

import contextlib
import http.client
import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final
from unittest import mock

from dagster import DagsterInstance

from analytics_assets_tests.deploy.programs import PATIENCE_SECONDS, Program, free_port, program

ROOT: Final = Path(__file__).parents[2]
DEPLOY: Final = ROOT / "deploy"
HOST: Final = "127.0.0.1"
LOCATION: Final = "analytics_assets"
REPOSITORY: Final = "__repository__"

LOADED: Final = "{ repositoriesOrError { ... on RepositoryConnection { nodes { name location { name } } } } }"


class SharedInstance:
    """A Dagster instance of several processes.

    Each process gets the variables that its container gets: the settings of the workspace go to the code server alone.
    """

    def __init__(self, folder: Path, database: Mapping[str, str], settings: Mapping[str, str]) -> None:
        self._folder = folder
        self._ends_with = ExitStack()
        self._port = free_port()
        self.home = folder / "home"
        self.home.mkdir()
        self.printed = folder / "compute_logs"
        shutil.copy(DEPLOY / "dagster.yaml", self.home)
        self.variables = {
            **database,
            "DAGSTER_HOME": str(self.home),
            "DAGSTER_COMPUTE_LOGS": str(self.printed),
            "DAGSTER_CODE_SERVER_HOST": HOST,
            "DAGSTER_CODE_SERVER_PORT": str(free_port()),
        }
        self._settings = {name: value for name, value in settings.items() if name.startswith("ANALYTICS_")}

    @contextlib.contextmanager
    def running(self) -> Iterator["SharedInstance"]:
        """Code server and web server run; what was started later ends with them."""
        with self._ends_with:
            port = self.variables["DAGSTER_CODE_SERVER_PORT"]
            module = ("-m", "analytics_assets.definitions", "--location-name", LOCATION)
            code_server = self._start("dagster", "api", "grpc", "-h", HOST, "-p", port, *module, **self._settings)
            code_server.wait_until_it_says("Started Dagster code server")
            web_server = self._start("dagster-webserver", "-h", HOST, "-p", str(self._port), *self._workspace)
            web_server.wait_for("the definitions", self._loaded)
            yield self

    def start_daemon(self) -> Program:
        """Start what launches runs."""
        return self._start("dagster-daemon", "run", *self._workspace)

    def ask(self, query: str, **variables: Any) -> Any:
        """The web server's answer to a question in GraphQL."""
        with contextlib.closing(http.client.HTTPConnection(HOST, self._port, timeout=PATIENCE_SECONDS)) as connection:
            body = json.dumps({"query": query, "variables": variables})
            connection.request("POST", "/graphql", body, {"Content-Type": "application/json"})
            answer = json.load(connection.getresponse())
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    @contextlib.contextmanager
    def instance(self) -> Iterator[DagsterInstance]:
        """The instance in this process, by the same configuration."""
        with mock.patch.dict(os.environ, self.variables), DagsterInstance.from_config(str(self.home)) as instance:
            yield instance

    @property
    def _workspace(self) -> tuple[str, str]:
        return ("-w", str(DEPLOY / "workspace.yaml"))

    def _start(self, name: str, *arguments: str, **settings: str) -> Program:
        folder = self._folder / name
        folder.mkdir()
        command = [str(Path(sys.executable).with_name(name)), *arguments]
        variables = {**self.variables, **settings}
        return self._ends_with.enter_context(program(command, variables=variables, folder=folder, log=folder / "log"))

    def _loaded(self) -> bool | None:
        with contextlib.suppress(ConnectionRefusedError):
            nodes = self.ask(LOADED)["repositoriesOrError"].get("nodes")
            return nodes == [{"name": REPOSITORY, "location": {"name": LOCATION}}] or None
        return None
