"""The files in which answers are kept: what of them is lost, damaged, or of somebody else."""

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from analytics_assets.source import kept_answers
from analytics_assets.warehouse.places import answers_folder
from analytics_assets_tests.pipeline.metered import kept_of, lists_asked, stop_at, users
from analytics_assets_tests.rig import Rig


def test_neither_the_key_nor_a_parameter_is_among_what_is_kept(metered: Rig) -> None:
    metered.api_key = metered.server.behaviour.api_key = "a-key-that-nobody-may-see"
    metered.extra_params = {"time_entries": {"token": "nor-may-this-be-seen"}}
    stop_at(metered, users(metered)[-1])
    files = [file for file in answers_folder(metered.path).rglob("*") if file.is_file()]
    assert len(files) > 2
    for secret in (metered.api_key, "nor-may-this-be-seen"):
        assert not any(secret.encode() in file.read_bytes() for file in files)


def cut(file: Path) -> None:
    """What a process leaves that is killed while it writes."""
    file.write_bytes(file.read_bytes()[:-1])


def spoil(file: Path) -> None:
    """What a bad disk makes of a file."""
    content = bytearray(file.read_bytes())
    content[-2] ^= 1
    file.write_bytes(content)


def empty(file: Path) -> None:
    """A line in which nothing is said."""
    file.write_bytes(b"\n")


@pytest.mark.parametrize("damage", [cut, spoil, empty, Path.unlink])
def test_a_damaged_answer_is_asked_for_again(metered: Rig, damage: Callable[[Path], object]) -> None:
    first, _, last = users(metered)
    stop_at(metered, last)
    damage(kept_of(metered, first))
    metered.sync()
    metered.assert_equals_api()
    assert lists_asked(metered) == {first, last}


def test_a_folder_that_can_not_be_written_costs_requests_and_no_sync(metered: Rig, caplog: pytest.LogCaptureFixture) -> None:
    answers_folder(metered.path).write_text("a file in its place")
    with caplog.at_level(logging.WARNING):
        metered.sync()
    metered.assert_equals_api()
    assert "Answers can't be kept for a sync after this one" in caplog.text


def test_a_link_in_place_of_the_folder_is_not_followed_with_another_key(metered: Rig, tmp_path: Path) -> None:
    stop_at(metered, users(metered)[-1])
    folder, elsewhere = answers_folder(metered.path), tmp_path / "elsewhere"
    folder.rename(elsewhere)
    folder.symlink_to(elsewhere)
    metered.api_key = metered.server.behaviour.api_key = "another-key"
    metered.sync()
    assert lists_asked(metered) == {*users(metered)}
    assert not folder.is_symlink()


def test_a_file_that_can_not_be_read_costs_its_requests_and_no_sync(metered: Rig) -> None:
    first, _, last = users(metered)
    stop_at(metered, last)
    unreadable = kept_of(metered, first)
    unreadable.unlink()
    unreadable.mkdir()
    metered.sync()
    metered.assert_equals_api()
    assert first in lists_asked(metered)


def test_answers_of_another_key_that_can_not_be_removed_are_not_used(
    metered: Rig, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    stop_at(metered, users(metered)[-1])
    monkeypatch.setattr(kept_answers, "forget_answers", lambda _: None)
    before = kept_of(metered, users(metered)[0]).read_bytes()
    metered.api_key = metered.server.behaviour.api_key = "another-key"
    with caplog.at_level(logging.WARNING):
        metered.sync()
    assert lists_asked(metered) == {*users(metered)}
    assert "they are of another key and can't be removed" in caplog.text
    assert kept_of(metered, users(metered)[0]).read_bytes() == before, "and nothing of this key is added to them"
