"""The wheel alone is the whole product: installed beside its dependencies, it syncs in a folder with nothing in it."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from analytics_assets_tests.rig import Rig

ROOT = Path(__file__).parent.parent
SOURCES = ("analytics_assets", "build_backend", "pyproject.toml", "setup.cfg", "README.md", "LICENSE")
LEFT_BY_OTHERS = shutil.ignore_patterns("__pycache__", "target", "logs", "dbt_packages", "*.egg-info")


def checked(*command: str, cwd: Path) -> str:
    """What a command prints, which must end well."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, cwd=cwd, env=kept, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """The command `analytics-assets` of a wheel, in an environment that has the dependencies but not this folder.

    The dependencies are those of this environment, so that nothing is asked of a package index.
    """
    sources, place = tmp_path / "sources", tmp_path / "venv"
    sources.mkdir()
    for name in SOURCES:
        path = ROOT / name
        if path.is_dir():
            shutil.copytree(path, sources / name, ignore=LEFT_BY_OTHERS)
        else:
            shutil.copy(path, sources / name)
    checked(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path / "dist"), ".", cwd=sources)
    (wheel,) = (tmp_path / "dist").iterdir()
    venv.create(place, symlinks=True)
    python = place / "bin" / "python"
    packages = Path(checked(str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=tmp_path).strip())
    # a folder that is named so is searched, but the .pth files in it, one of which leads to this checkout, are not read
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "--python", str(python)]
    checked(*pip, "install", "--no-deps", "--no-index", "--ignore-installed", str(wheel), cwd=tmp_path)
    shutil.rmtree(sources)
    where = checked(str(python), "-c", "import analytics_assets; print(analytics_assets.__file__)", cwd=tmp_path)
    assert Path(where.strip()).is_relative_to(place)
    return place / "bin" / "analytics-assets"


@pytest.mark.timeout(300)
def test_the_command_of_the_wheel_syncs_in_an_empty_folder(program: Path, tiny: Rig, tmp_path: Path) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANALYTICS_", "DAGSTER_", "PYTHONPATH"))}
    variables = {
        "ANALYTICS_API_KEY": tiny.api_key,
        "ANALYTICS_API_URL": tiny.api_url,
        "ANALYTICS_WORKSPACE_ID": tiny.workspace_id,
        "ANALYTICS_START_DATE": tiny.start.isoformat(),
        "ANALYTICS_PAGE_SIZE": "200",
        "ANALYTICS_REQUESTS_PER_SECOND": "10000",
    }
    done = subprocess.run([program, "sync"], cwd=folder, env={**kept, **variables}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    written = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert {"data/analytics.duckdb", "data/analytics_reader.duckdb", "data/report/overview.html"} <= written
    assert {path.name for path in folder.iterdir()} == {"data"}
