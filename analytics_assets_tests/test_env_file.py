"""A line of `.env` that sets nothing, or something else than was meant, is named, and what stands in it is not shown."""

from pathlib import Path

import pytest

from analytics_assets.setting_errors import SettingsError
from analytics_assets.settings import load_settings


@pytest.fixture
def env_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "workspace.yaml").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path / ".env"


def message() -> str:
    with pytest.raises(SettingsError) as refused:
        load_settings()
    return str(refused.value)


def test_a_file_that_is_no_utf_8_is_named(env_file: Path) -> None:
    """Each command ended in a traceback that named no file."""
    env_file.write_bytes("# Müller\n".encode("latin-1"))
    assert f"{env_file} is not a text in UTF-8; save it as one" in message()


@pytest.mark.parametrize(
    "line",
    [
        "ANALYTICS_API_KEY: geheim",
        "ANALYTICS_API_KEY geheim",
        'ANALYTICS_API_KEY="geheim',
        "ANALYTICS_API_KEY='geheim'geheim",
        "= geheim",
        "ANALYTICS_API_KEY=\ngeheim",
    ],
)
def test_a_line_that_sets_nothing_is_named_and_not_shown(line: str, env_file: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Such a line was logged and passed over; without its key, `run` loaded the demo."""
    env_file.write_text(f"# mine\n\n{line}\n\nANALYTICS_PAGE_SIZE=200\n")
    number = 3 + line.count("\n")
    assert f"{env_file} sets nothing in line {number}; write it as NAME=value" in message()
    assert "geheim" not in message() and not caplog.records


@pytest.mark.parametrize("name", ["analytics_api_key", "Analytics_Api_Key", "ANALYTICS-API-KEY"])
def test_a_variable_in_another_spelling_is_named_with_its_line(name: str, env_file: Path) -> None:
    env_file.write_text(f"ANALYTICS_PAGE_SIZE=200\n{name}=geheim\nbroken line\n")
    assert f"{env_file} sets {name} in line 2; ANALYTICS_API_KEY may be meant" in message()
    assert "sets nothing in line 3" in message() and "geheim" not in message()


def test_what_people_write_otherwise_is_read(env_file: Path) -> None:
    """Windows' editor begins a file with a mark, which made the first variable one of another program."""
    env_file.write_text(
        "ANALYTICS_API_KEY=a key\n\n# ANALYTICS_API_URL\nexport ANALYTICS_PAGE_SIZE = '200' # rows\nOTHER=\nother=${OTHER}\n",
        encoding="utf-8-sig",
    )
    settings = load_settings()
    assert settings.api_key is not None and settings.api_key.get_secret_value() == "a key"
    assert settings.page_size == 200


def test_a_file_that_may_not_be_read_is_named(env_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    env_file.touch()

    def refuse(*_: object, **__: object) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_text", refuse)
    assert f"{env_file} can't be read (Permission denied)" in message()


def test_a_link_to_nothing_is_named(env_file: Path, tmp_path: Path) -> None:
    """It counted as no file, so the command ran the demo."""
    env_file.symlink_to(tmp_path / "moved_away.env")
    assert f"{env_file} is a link that leads to no file" in message()
    env_file.unlink()
    env_file.symlink_to(env_file)
    assert f"{env_file} is a link that leads to no file" in message()


def test_a_folder_in_the_place_of_the_file_is_named_unless_it_is_a_virtual_environment(env_file: Path) -> None:
    """Docker makes a folder where the file to mount is missing; it counted as no file, so the command ran the demo."""
    env_file.mkdir()
    assert f"{env_file} is a folder, and no file with settings" in message()
    (env_file / "pyvenv.cfg").touch()
    assert load_settings().api_key is None


def test_a_setting_that_two_lines_set_differently_is_named_with_both(env_file: Path) -> None:
    """The last line held, and nobody was told."""
    env_file.write_text("ANALYTICS_API_KEY=geheim\nANALYTICS_PAGE_SIZE=200\n\nANALYTICS_API_KEY=alt\nOTHER=1\nOTHER=2\n")
    words = f"{env_file} sets ANALYTICS_API_KEY in line 1 and, to something else, in line 4; keep one"
    assert words in message() and "geheim" not in message()
    env_file.write_text("ANALYTICS_PAGE_SIZE=200\nANALYTICS_PAGE_SIZE=200\n")
    assert load_settings().page_size == 200
