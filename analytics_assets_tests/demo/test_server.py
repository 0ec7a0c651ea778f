"""The server's habits: what api.md says of the specification and of live servers, and each switch for it."""

import datetime as dt
from typing import Any

import pytest
import requests

from analytics_assets.demo.behaviour import RequestSeen
from analytics_assets.demo.records import RESOURCE_NAMES, ResourceName
from analytics_assets.demo.serving import DemoServer
from analytics_assets.demo.workspace import Workspace
from analytics_assets_tests.demo.conftest import Asker

HOUR = dt.timedelta(hours=1)


def parent_of(resource: ResourceName, workspace: Workspace) -> str:
    parents: dict[str, str] = {"time_entries": workspace.users[0]["id"], "tasks": workspace.projects[0]["id"]}
    return parents.get(resource, "")


@pytest.mark.parametrize("resource", RESOURCE_NAMES)
def test_the_pages_of_every_resource_make_up_the_whole_list(api: Asker, workspace: Workspace, resource: ResourceName) -> None:
    parent = parent_of(resource, workspace)
    rows: list[Any] = []
    page, last = 0, "false"
    while last == "false":
        page += 1
        response = api.get(resource, parent, page=page, page_size=5)
        rows += response.json()["data"]
        last = response.headers["Last-Page"]
    children = {"time_entries": workspace.time_entries, "tasks": workspace.tasks}.get(resource)
    expected = children[parent] if children is not None else workspace.records(resource)
    assert rows == [row for row in expected if "LIMITED" not in str(row.get("status"))]
    assert page == max(1, -(-len(rows) // 5))


def test_the_default_page_has_fifty_rows(api: Asker, server: DemoServer, user_id: str) -> None:
    assert len(api.rows("time_entries", user_id)) == 50
    server.behaviour.default_page_size = 7
    assert len(api.rows("time_entries", user_id)) == 7


def test_past_the_end_the_list_is_empty_and_the_last(api: Asker, user_id: str) -> None:
    for page in (1000, 10**12):
        response = api.get("time_entries", user_id, page=page)
        assert (response.status_code, response.json()) == (200, {"data": []})
        assert response.headers["Last-Page"] == "true"


def test_a_full_page_that_ends_the_list_is_the_last(api: Asker, workspace: Workspace) -> None:
    assert api.get("clients", page_size=len(workspace.clients)).headers["Last-Page"] == "true"
    assert api.get("clients", page_size=len(workspace.clients) - 1).headers["Last-Page"] == "false"


def test_the_bare_envelope_answers_arrays(api: Asker, server: DemoServer, workspace: Workspace) -> None:
    server.behaviour.envelope = "bare"
    assert api.get("tags").json() == workspace.tags
    assert api.get("tags", page=99).json() == []


def test_a_page_size_above_the_maximum_is_refused_or_capped(api: Asker, server: DemoServer, user_id: str) -> None:
    assert api.get("time_entries", user_id, page_size=5000).status_code == 200
    refused = api.get("time_entries", user_id, page_size=5001)
    assert refused.status_code == 400 and set(refused.json()) == {"message", "code"}
    server.behaviour.over_max, server.behaviour.max_page_size = "cap", 3
    assert len(api.rows("time_entries", user_id, page_size=5001)) == 3


def test_a_page_size_cap_shortens_pages_without_a_word(api: Asker, server: DemoServer, user_id: str) -> None:
    everything = api.rows("time_entries", user_id, page_size=5000)
    server.behaviour.page_size_cap = 4
    assert api.rows("time_entries", user_id, page_size=5000, page=2) == everything[4:8]


@pytest.mark.parametrize("query", [{"page": 0}, {"page": "x"}, {"page": -1}, {"page_size": 0}, {"page_size": ""}])
def test_pages_that_are_no_numbers_above_zero_are_refused(api: Asker, query: dict[str, Any]) -> None:
    assert api.get("tags", **query).status_code == 400


def test_misspelt_parameters_are_ignored(api: Asker, workspace: Workspace) -> None:
    assert api.rows("tags", pagesize=1, pgae="x") == workspace.tags


def test_the_last_page_header_can_be_left_out(api: Asker, server: DemoServer) -> None:
    server.behaviour.send_last_page = False
    assert "Last-Page" not in api.get("tags").headers


def test_a_server_that_ignores_page_answers_the_first_for_ever(api: Asker, server: DemoServer) -> None:
    first = api.rows("tags", page_size=3)
    server.behaviour.ignores_page = True
    again = api.get("tags", page=50, page_size=3)
    assert again.json()["data"] == first and again.headers["Last-Page"] == "false"


def test_a_missing_or_wrong_key_is_401(api: Asker, server: DemoServer) -> None:
    url = f"{server.url}/v1/workspaces/{server.workspace.id}/users"
    missing, wrong = requests.get(url), requests.get(url, headers={"x-api-key": "wrong"})
    assert (missing.status_code, wrong.status_code) == (401, 401)
    assert set(missing.json()) == {"message", "code"} and missing.json() != wrong.json()
    server.behaviour.api_key = "wrong"
    assert requests.get(url, headers={"x-api-key": server.api_key}).status_code == 200
    assert requests.get(url, params={"api_key": "wrong"}).status_code == 401


def test_an_unknown_workspace_is_403_and_an_unknown_route_404(api: Asker, server: DemoServer) -> None:
    assert api.session.get(f"{server.url}/v1/workspaces/{'0' * 24}/users").status_code == 403
    for path in ("/", "/v1/user", f"/v1/workspaces/{server.workspace.id}/user/1/time-entrie", "/v2//x"):
        response = api.session.get(server.url + path)
        assert response.status_code == 404 and set(response.json()) == {"message", "code"}
    tags = f"{server.url}/v1/workspaces/{server.workspace.id}/tags"
    assert api.session.post(tags, json={}).status_code == 405


@pytest.mark.parametrize("resource", ["time_entries", "tasks"])
def test_an_unknown_parent_is_400_with_code_501(api: Asker, resource: ResourceName) -> None:
    response = api.get(resource, "f" * 24)
    assert (response.status_code, response.json()["code"]) == (400, 501)


def test_refused_parents_answer_as_told_and_others_stay_readable(api: Asker, server: DemoServer, workspace: Workspace) -> None:
    first, second, third = (user["id"] for user in workspace.users[:3])
    server.behaviour.refused_parents = {first: (400, 501), second: (403, 403)}
    answers = [api.get("time_entries", user) for user in (first, second, third)]
    assert [answer.status_code for answer in answers] == [400, 403, 200]
    assert [answer.json()["code"] for answer in answers[:2]] == [501, 403]


def test_limited_members_are_listed_only_when_asked_for(api: Asker, server: DemoServer, workspace: Workspace) -> None:
    def statuses(**query: str) -> set[str]:
        return {row["status"] for row in api.rows("users", **query)}

    usual = {"ACTIVE", "DELETED", "NOT_REGISTERED", "PENDING_EMAIL_VERIFICATION"}
    assert statuses() == usual
    assert statuses(account_statuses="LIMITED") == usual | {"LIMITED"}
    assert api.rows("users", account_statuses="LIMITED,LIMITED_DELETED") == workspace.users
    server.behaviour.account_statuses = "filter"
    assert statuses(account_statuses="LIMITED,DELETED") == {"LIMITED", "DELETED"}
    assert statuses() == usual
    limited = next(user["id"] for user in workspace.users if user["status"] == "LIMITED")
    assert api.rows("time_entries", limited)


@pytest.mark.parametrize("resource", ["projects", "clients", "tags"])
def test_archived_rows_are_left_out_or_alone_when_asked(api: Asker, workspace: Workspace, resource: ResourceName) -> None:
    workspace.new(resource, archived=True)
    kept, gone = api.rows(resource, archived="false"), api.rows(resource, archived="true")
    assert {row["archived"] for row in kept} == {False} and {row["archived"] for row in gone} == {True}
    assert len(kept) + len(gone) == len(api.rows(resource))
    assert api.get(resource, archived="maybe").status_code == 400


@pytest.fixture
def hourly(workspace: Workspace) -> str:
    """A member with entries that start at 00, 01, ... 05 o'clock and last a day."""
    user = str(workspace.new("users")["id"])
    start = dt.datetime(2026, 5, 1, tzinfo=dt.UTC)
    for hour in range(6):
        workspace.new_time_entry(user, start + hour * HOUR, start + (24 + hour) * HOUR)
    return user


def hours(api: Asker, user: str, start: int | None = None, end: int | None = None) -> list[int]:
    window = {"start": start, "end": end}
    query = {name: f"2026-05-01T{hour:02d}:00:00Z" for name, hour in window.items() if hour is not None}
    return [int(row["timeInterval"]["start"][11:13]) for row in api.rows("time_entries", user, **query)]


def test_the_window_compares_the_start_of_an_entry_only(api: Asker, hourly: str) -> None:
    assert hours(api, hourly) == [5, 4, 3, 2, 1, 0]
    assert hours(api, hourly, 2, 4) == [4, 3, 2]
    assert hours(api, hourly, start=4) == [5, 4]
    assert hours(api, hourly, end=1) == [1, 0]
    assert hours(api, hourly, 4, 2) == []
    assert hours(api, hourly, 6) == hours(api, hourly, 6, 23) == []


def test_the_window_can_leave_its_edges_out(api: Asker, server: DemoServer, hourly: str) -> None:
    server.behaviour.window_inclusive = False
    assert hours(api, hourly, 2, 4) == [3]


def test_the_window_is_wall_clock_of_the_account(api: Asker, server: DemoServer, hourly: str) -> None:
    """Two hours east of Greenwich, 04:00 on the wall is 02:00 UTC, whatever the Z in the request says."""
    server.behaviour.window_offset = 2 * HOUR
    assert hours(api, hourly, 4, 6) == [4, 3, 2]
    server.behaviour.window_offset = -HOUR
    assert hours(api, hourly, 2, 4) == [5, 4, 3]


def test_the_window_can_be_ignored(api: Asker, server: DemoServer, hourly: str) -> None:
    server.behaviour.honours_window = False
    assert len(hours(api, hourly, 2, 4)) == 6


@pytest.mark.parametrize("start", ["yesterday", "2026-02-30T00:00:00Z", "0001-01-01T00:00:00Z", ""])
def test_a_window_that_is_no_date_is_refused(api: Asker, server: DemoServer, user_id: str, start: str) -> None:
    server.behaviour.window_offset = HOUR
    assert api.get("time_entries", user_id, start=start).status_code == 400


def test_requests_above_the_rate_are_429_until_the_second_is_over(api: Asker, server: DemoServer) -> None:
    now = [100.0]
    server.behaviour.clock = lambda: now[0]
    server.behaviour.rate_limit_per_second, server.behaviour.retry_after = 2, "7"
    answers = [api.get("tags") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].headers["Retry-After"] == "7"
    now[0] = 101.0
    assert api.get("tags").status_code == 200


def test_requests_above_the_hourly_rate_are_429_until_the_hour_is_over(api: Asker, server: DemoServer) -> None:
    now = [100.0]
    server.behaviour.clock = lambda: now[0]
    server.behaviour.rate_limit_per_hour = 3
    answers = [api.get("tags") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert "Retry-After" not in answers[3].headers
    now[0] = 3700.0
    assert api.get("tags").status_code == 200


def test_latency_delays_each_answer(api: Asker, server: DemoServer) -> None:
    server.behaviour.latency_seconds = 0.05
    assert api.get("tags").elapsed >= dt.timedelta(seconds=0.05)


def test_answers_are_compressed_for_clients_that_accept_it(api: Asker, server: DemoServer, user_id: str) -> None:
    packed = api.get("time_entries", user_id, page_size=5000)
    plain = api.get("time_entries", user_id, page_size=5000, headers={"Accept-Encoding": "identity"})
    assert packed.headers["Content-Encoding"] == "gzip" and "Content-Encoding" not in plain.headers
    assert packed.json() == plain.json()
    assert int(packed.headers["Content-Length"]) < len(plain.content) / 3
    server.behaviour.gzip = False
    assert "Content-Encoding" not in api.get("time_entries", user_id).headers


def test_a_hook_may_change_the_workspace_between_pages(
    api: Asker, server: DemoServer, workspace: Workspace, user_id: str
) -> None:
    """Rows added while somebody pages shift others to the next page, where they are seen twice."""

    def add_before_page_two(request: RequestSeen) -> None:
        if request.page == 2:
            workspace.new_time_entry(user_id, "2026-05-19T23:00:00Z")

    server.behaviour.before_answer = add_before_page_two
    first = api.rows("time_entries", user_id, page=1)
    second = api.rows("time_entries", user_id, page=2)
    assert second[0] == first[-1]
