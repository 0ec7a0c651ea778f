"""The command line called as a person calls it, but in this process, where Dagster is imported already."""

import contextlib
import io
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from analytics_assets.cli import main
from analytics_assets.demo.serving import DemoServer

KEY = "a-key-that-must-not-be-shown"


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """Everything that it said."""
        return self.out + self.err


def run_cli(*arguments: str, variables: Mapping[str, str]) -> Ended:
    """Run a command with these variables set and no others of this project."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANALYTICS_", "DAGSTER_"))}
    out, err = io.StringIO(), io.StringIO()
    with (
        mock.patch.dict(os.environ, {**kept, **variables}, clear=True),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            code = main(arguments)
        except SystemExit as ended:
            code = int(ended.code or 0)
    return Ended(code, out.getvalue(), err.getvalue())


def variables_for(server: DemoServer, warehouse: Path, dagster_home: Path, **others: str) -> dict[str, str]:
    """The variables that make a command read this server into this warehouse."""
    return {
        "ANALYTICS_API_KEY": server.api_key,
        "ANALYTICS_API_URL": server.url,
        "ANALYTICS_WORKSPACE_ID": server.workspace.id,
        "ANALYTICS_DUCKDB_PATH": str(warehouse),
        "ANALYTICS_PAGE_SIZE": "200",
        "ANALYTICS_REQUESTS_PER_SECOND": "10000",
        "ANALYTICS_RETRY_BACKOFF_FACTOR": "0",
        "ANALYTICS_START_DATE": "2024-01-01",
        "DAGSTER_HOME": str(dagster_home),
        **others,
    }
