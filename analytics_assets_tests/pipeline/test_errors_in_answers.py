"""Answers of status 200 that carry words or an error beside their list."""

from typing import Any

import pytest

from analytics_assets.demo.faults import Fault
from analytics_assets_tests.rig import Rig


@pytest.mark.parametrize(
    "envelope",
    [
        {"data": [], "message": "Something went wrong", "code": 500},
        {"data": [], "message": "Access denied"},
        {"data": [], "error": "timeout"},
        {"data": [], "errors": [{"detail": "x"}]},
        {"data": [], "success": False},
        {"data": [], "status": 503},
        {"data": [], "code": "500"},
        {"data": [], "status": "error"},
        {"data": [], "Error": "x"},
        {"data": [], "ok": False},
        {"data": [], "success": "false"},
        {"data": [], "detail": "the database is down"},
    ],
    ids=lambda envelope: "+".join(f"{name}={value}" for name, value in envelope.items() if name != "data"),
)
def test_an_answer_of_200_that_carries_an_error_beside_an_empty_list_is_an_error(tiny: Rig, envelope: dict[str, Any]) -> None:
    """It was taken for a list without rows, and deleted all of them."""
    tiny.sync()
    fault = Fault("other_json", "clients", value=envelope, times=None)
    tiny.server.faults.add(fault)
    sentence = tiny.failing_sync()
    assert "answered 200 with an error in it" in sentence and "after 4 attempts" in sentence
    tiny.server.faults.clear()
    tiny.server.faults.add(Fault("other_json", "clients", value=envelope))
    tiny.sync()
    tiny.assert_equals_api()


def test_words_beside_a_list_with_rows_are_no_error(tiny: Rig) -> None:
    tiny.server.faults.add(Fault("other_json", "tags", value={"data": tiny.workspace.tags, "message": "ok", "code": 200}))
    tiny.assert_reads_the_api("tags")
