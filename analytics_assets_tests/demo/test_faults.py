"""Each accident, as a client meets it, and which requests it hits."""

import json
import math
from typing import Any

import pytest
import requests

from analytics_assets.demo.faults import Fault
from analytics_assets.demo.records import ResourceName
from analytics_assets.demo.serving import DemoServer
from analytics_assets.demo.workspace import Workspace
from analytics_assets_tests.demo.conftest import Asker


def hit(api: Asker, fault: Fault, resource: ResourceName = "tags", **options: Any) -> requests.Response:
    """Ask once with the fault armed; it must have fired, and the next answer must be right again."""
    api.server.faults.add(fault)
    response = api.get(resource, **options)
    assert [fired.fault for fired in api.server.faults.fired] == [fault]
    assert api.server.requests[-1].fault == fault.kind
    assert api.rows(resource, **options)
    return response


@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 429, 500, 502, 503, 504])
def test_any_status_can_be_answered(api: Asker, status: int) -> None:
    response = hit(api, Fault("status", status=status))
    assert response.status_code == status
    assert response.json() == {"message": "Something went wrong.", "code": status}


def test_an_error_may_have_another_body_and_say_when_to_come_back(api: Asker) -> None:
    api.server.faults.add(
        Fault("status", status=502, body="html", retry_after="3"),
        Fault("status", status=503, body="empty", retry_after=""),
        Fault("status", status=400, body=b'{"message": "?", "code": 501}'),
    )
    html, empty, raw = (api.get("tags") for _ in range(3))
    assert html.text.startswith("<!DOCTYPE html>") and html.headers["Retry-After"] == "3"
    assert empty.content == b"" and empty.headers["Retry-After"] == ""
    assert raw.json()["code"] == 501


def test_a_dropped_connection_is_an_error_for_the_client(api: Asker) -> None:
    api.server.faults.add(Fault("drop"))
    with pytest.raises(requests.ConnectionError):
        api.get("tags")
    assert api.server.requests[-1].status is None
    assert api.rows("tags")


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("page_size", [1, 5000])
def test_a_truncated_body_is_an_error_for_the_client(api: Asker, user_id: str, chunked: bool, page_size: int) -> None:
    api.server.faults.add(Fault("truncate", chunked=chunked))
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        api.get("time_entries", user_id, page_size=page_size)
    assert api.rows("time_entries", user_id)


def test_json_can_be_cut_in_the_middle_of_a_whole_answer(api: Asker) -> None:
    with pytest.raises(requests.exceptions.JSONDecodeError):
        hit(api, Fault("cut_json")).json()


def test_html_with_status_200_is_no_json(api: Asker) -> None:
    response = hit(api, Fault("html"))
    assert response.status_code == 200 and response.headers["Content-Type"].startswith("text/html")


def test_an_empty_body_with_status_200_is_empty(api: Asker) -> None:
    response = hit(api, Fault("empty"))
    assert (response.status_code, response.content) == (200, b"")


@pytest.mark.parametrize("value", [{"message": "?"}, None, 42, "text", {"data": {"a": 1}}, {"data": None}, [1]])
def test_other_json_than_a_list_of_records_can_be_answered(api: Asker, value: object) -> None:
    response = hit(api, Fault("other_json", value=value))
    assert (response.status_code, response.json()) == (200, value)
    assert "Last-Page" not in response.headers


def test_other_json_is_a_message_unless_told_otherwise(api: Asker) -> None:
    assert set(hit(api, Fault("other_json")).json()) == {"message"}


def test_a_record_can_lack_its_id(api: Asker, workspace: Workspace) -> None:
    rows = hit(api, Fault("no_id", record_id=workspace.tags[2]["id"])).json()["data"]
    assert ["id" in row for row in rows[:4]] == [True, True, False, True]


def test_two_different_records_can_have_one_id(api: Asker, workspace: Workspace) -> None:
    rows = hit(api, Fault("twin_ids")).json()["data"]
    assert rows[0]["id"] == rows[1]["id"] and rows[0] != rows[1]
    alone = hit_alone(api, workspace)
    assert alone[0]["id"] == alone[1]["id"] and alone[0] != alone[1]


def hit_alone(api: Asker, workspace: Workspace) -> list[dict[str, Any]]:
    user = workspace.new("users")["id"]
    workspace.new_time_entry(user, "2026-05-01T08:00:00Z")
    api.server.faults.add(Fault("twin_ids"))
    return api.rows("time_entries", user)


def test_a_number_can_be_nan(api: Asker) -> None:
    response = hit(api, Fault("nan", field="hourlyRate.amount"), "projects")
    assert b":NaN" in response.content
    assert math.isnan(json.loads(response.content)["data"][0]["hourlyRate"]["amount"])


def test_a_page_can_be_huge(api: Asker) -> None:
    response = hit(api, Fault("huge", size_bytes=20_000_000), headers={"Accept-Encoding": "identity"})
    assert 20_000_000 < len(response.content) < 20_100_000 and response.json()


def test_a_body_can_come_in_drops(api: Asker, user_id: str) -> None:
    api.server.faults.add(Fault("drip", pieces=20, pause_seconds=0.001))
    dripped = api.rows("time_entries", user_id)
    assert dripped == api.rows("time_entries", user_id)
    assert [fired.fault.kind for fired in api.server.faults.fired] == ["drip"]


def test_a_server_can_fall_silent_until_the_client_gives_up(api: Asker) -> None:
    api.server.faults.add(Fault("stall"))
    with pytest.raises(requests.ReadTimeout):
        api.get("tags", timeout=0.1)
    assert api.rows("tags")


def test_a_silent_server_hangs_up_after_its_bound(api: Asker) -> None:
    api.server.faults.add(Fault("stall", hold_seconds=0.01))
    with pytest.raises(requests.ConnectionError):
        api.get("tags")


def test_an_answer_can_redirect(api: Asker) -> None:
    response = hit(api, Fault("redirect", location="http://127.0.0.1:9/login"), allow_redirects=False)
    assert (response.status_code, response.headers["Location"]) == (302, "http://127.0.0.1:9/login")


@pytest.mark.parametrize("value", ["text", 1.5, True, None, ["a"], {"b": 1}])
def test_a_field_can_have_another_type(api: Asker, value: object) -> None:
    rows = hit(api, Fault("wrong_type", field="timeEstimate.active", value=value), "projects").json()["data"]
    assert rows[0]["timeEstimate"]["active"] == value
    assert isinstance(rows[1]["timeEstimate"]["active"], bool)


def test_a_fault_of_a_row_can_hit_every_row(api: Asker) -> None:
    rows = hit(api, Fault("wrong_type", field="name", value=7, every_row=True)).json()["data"]
    assert {row["name"] for row in rows} == {7}


def test_records_can_have_an_unknown_field(api: Asker, workspace: Workspace) -> None:
    rows = hit(api, Fault("extra_field", field="mood", value={"a": [1]})).json()["data"]
    assert rows == [{**row, "mood": {"a": [1]}} for row in workspace.tags]


def test_a_slow_answer_is_a_right_one(api: Asker) -> None:
    assert hit(api, Fault("delay", pause_seconds=0.02)).json() == api.get("tags").json()


def test_a_body_can_be_no_gzip_although_it_says_so(api: Asker) -> None:
    api.server.faults.add(Fault("bad_gzip"))
    with pytest.raises(requests.exceptions.ContentDecodingError):
        api.get("tags")


def test_a_body_can_be_no_utf8(api: Asker) -> None:
    with pytest.raises(UnicodeDecodeError):
        hit(api, Fault("bad_utf8")).content.decode()


@pytest.mark.parametrize(("value", "header"), [(True, "true"), (False, "false"), (None, None)])
def test_the_last_page_header_can_lie(api: Asker, value: bool | None, header: str | None) -> None:
    response = hit(api, Fault("last_page", value=value), page_size=1)
    assert response.headers.get("Last-Page") == header


def test_a_fault_hits_only_the_requests_that_it_names(api: Asker, workspace: Workspace) -> None:
    first, second = (project["id"] for project in workspace.projects[:2])
    api.server.faults.add(Fault("status", "tasks", second, page=2, times=None))
    asked: list[tuple[ResourceName, str, int]] = [
        ("tags", "", 2),
        ("tasks", first, 2),
        ("tasks", second, 1),
        ("tasks", second, 2),
    ]
    statuses = [api.get(resource, parent, page=page).status_code for resource, parent, page in asked]
    assert statuses == [200, 200, 200, 503]


def test_a_request_without_page_asks_for_the_first(api: Asker) -> None:
    api.server.faults.add(Fault("status", page=1))
    assert api.get("tags").status_code == 503


def test_a_fault_can_choose_by_anything_in_the_request(api: Asker) -> None:
    api.server.faults.add(Fault("status", when=lambda request: request.query.get("page-size") == "9"))
    assert [api.get("tags", page_size=size).status_code for size in (8, 9)] == [200, 503]


def test_a_fault_lets_some_through_and_fires_so_many_times(api: Asker) -> None:
    fault = Fault("status", times=2, after=1)
    api.server.faults.add(fault)
    assert api.server.faults.pending == [fault]
    assert [api.get("tags").status_code for _ in range(5)] == [200, 503, 503, 200, 200]
    assert api.server.faults.pending == []
    assert [fired.request.path for fired in api.server.faults.fired] == [api.server.requests[0].path] * 2


def test_a_fault_without_times_fires_for_ever_until_the_plan_is_cleared(api: Asker) -> None:
    api.server.faults.add(Fault("status", times=None))
    assert {api.get("tags").status_code for _ in range(4)} == {503}
    api.server.faults.clear()
    assert api.get("tags").status_code == 200
    assert api.server.faults.fired == []


def test_of_two_faults_the_first_added_hits_first(api: Asker) -> None:
    api.server.faults.add(Fault("status", status=500), Fault("status", status=502))
    assert [api.get("tags").status_code for _ in range(3)] == [500, 502, 200]


def test_the_same_fault_added_twice_fires_twice(api: Asker) -> None:
    fault = Fault("status")
    api.server.faults.add(fault, fault)
    assert [api.get("tags").status_code for _ in range(3)] == [503, 503, 200]


def test_a_fault_of_rows_waits_for_an_answer_that_has_some(api: Asker, server: DemoServer, workspace: Workspace) -> None:
    user = workspace.new("users")["id"]
    server.faults.add(Fault("no_id", "time_entries", user))
    assert api.rows("time_entries", user) == [] and server.faults.fired == []
    workspace.new_time_entry(user, "2026-05-01T08:00:00Z")
    assert "id" not in api.rows("time_entries", user)[0]


def test_faults_that_replace_an_answer_hit_unknown_routes_and_wrong_keys_too(api: Asker, server: DemoServer) -> None:
    """A proxy in front of the API fails before anybody looks at the key."""
    server.faults.add(Fault("status", times=2))
    assert requests.get(f"{server.url}/v1/nothing").status_code == 503
    assert api.get("tags", headers={"X-Api-Key": "wrong"}).status_code == 503
    server.faults.add(Fault("truncate"))
    assert api.get("tags", headers={"X-Api-Key": "wrong"}).status_code == 401
    assert len(server.faults.fired) == 2
