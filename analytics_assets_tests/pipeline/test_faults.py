"""Each fault of each list, at its first, middle and last page: mended by another attempt, or refused in one sentence.

What an attempt may mend is armed by the dozen for a single sync; what lasts must end it after four attempts at most
and must leave the warehouse as it was.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import cycle, product
from typing import Any, Final

import pytest

from analytics_assets.demo.behaviour import RequestSeen
from analytics_assets.demo.faults import Fault
from analytics_assets.demo.serving import DemoServer
from analytics_assets.demo.workspace import Workspace
from analytics_assets.source.columns import RESOURCE_NAMES, TABLES, ResourceName
from analytics_assets.source.http import HttpLimits
from analytics_assets_tests.rig import Rig
from analytics_assets_tests.tiny import MONTHS, entry_of, month, only_entries, tiny_workspace

FaultArguments = dict[str, Any]

TRANSIENT: Final[dict[str, tuple[FaultArguments, str]]] = {
    "429": ({"kind": "status", "status": 429}, "answered 429 (Something went wrong., code 429)"),
    "500": ({"kind": "status", "status": 500, "body": "html"}, "answered 500"),
    "502": ({"kind": "status", "status": 502, "body": "empty"}, "answered 502"),
    "503": ({"kind": "status", "status": 503}, "answered 503"),
    "504": ({"kind": "status", "status": 504, "body": b"\xff"}, "answered 504"),
    "drop": ({"kind": "drop"}, "the connection failed ("),
    "truncate": ({"kind": "truncate"}, "the body was cut off after"),
    "truncate_chunked": ({"kind": "truncate", "chunked": True}, "the body was cut off after"),
    "stall": ({"kind": "stall"}, "no answer in time ("),
    "drip": ({"kind": "drip", "pieces": 100, "pause_seconds": 0.005}, "the body drips in too slowly"),
    "html": ({"kind": "html"}, "answered HTML instead of a list"),
    "empty": ({"kind": "empty"}, "answered an empty body instead of a list"),
    "cut_json": ({"kind": "cut_json"}, "answered a body that is not valid JSON instead of a list"),
    "nan": ({"kind": "nan"}, "answered a body that is not valid JSON instead of a list"),
    "bad_gzip": ({"kind": "bad_gzip"}, "the body can't be decompressed"),
    "bad_utf8": ({"kind": "bad_utf8"}, "answered a body that is not valid JSON instead of a list"),
}
LASTING: Final[dict[str, tuple[FaultArguments, str]]] = {
    "null": ({"kind": "other_json", "value": None}, "expected a list of records, bare or under `data`, and got null"),
    "number": ({"kind": "other_json", "value": 7}, "and got a number"),
    "text": ({"kind": "other_json", "value": "sorry"}, "and got a text"),
    "message": ({"kind": "other_json"}, "and got an object with the fields message"),
    "no_fields": ({"kind": "other_json", "value": {}}, "and got an object with the fields (none)"),
    "data_null": ({"kind": "other_json", "value": {"data": None}}, "an object with the fields data whose `data` is null"),
    "data_object": ({"kind": "other_json", "value": {"data": {"id": "1"}}}, "whose `data` is an object with the fields id"),
    "numbers": ({"kind": "other_json", "value": [1, 2]}, "expected records and found a number"),
    "lists": ({"kind": "other_json", "value": {"data": [[]]}}, "expected records and found a list"),
    "no_id": ({"kind": "no_id"}, "has no `id` (its fields: "),
    "id_null": ({"kind": "wrong_type", "field": "id", "value": None}, "has no `id` (its fields: "),
    "id_empty": ({"kind": "wrong_type", "field": "id", "value": ""}, "has no `id` (its fields: "),
    "id_object": ({"kind": "wrong_type", "field": "id", "value": {"oid": "1"}}, "has an `id` that is neither a text nor "),
    "id_true": ({"kind": "wrong_type", "field": "id", "value": True}, "has an `id` that is neither a text nor "),
    "twin_ids": ({"kind": "twin_ids"}, "two different records of "),
    "wrong_type": (
        {"kind": "wrong_type", "value": {"un": "expected"}},
        'the value {"un":"expected"} does not fit the declared type',
    ),
    "redirect": ({"kind": "redirect"}, "redirects to /login"),
    "401": ({"kind": "status", "status": 401}, "the key of ANALYTICS_API_KEY is wrong"),
    "418": ({"kind": "status", "status": 418}, "answered 418 (Something went wrong., code 418): the API refuses to answer"),
    "204": ({"kind": "status", "status": 204, "body": "empty"}, "answered 204, which is not a list of records"),
}
PAGE_SIZE: Final = 2
PAGES: Final = {"first": 1, "middle": 2, "last": 3}
Case = tuple[str, ResourceName, str]


def three_pages_of_each(workspace: Workspace) -> Workspace:
    """Five of each resource, or more: three pages of two, the last of them short."""
    for number in range(2):
        workspace.new("clients", name=f"Client {number}")
        workspace.new("tags", name=f"Tag {number}")
        workspace.new("user_groups", name=f"Group {number}")
        workspace.new("users", name=f"Member {number}")
        workspace.new("projects", name=f"Project {number}")
    for number in range(3):
        workspace.new("tasks", workspace.projects[0]["id"], name=f"More {number}")
    for number in range(3, 0, -1):
        workspace.delete("time_entries", entry_of(workspace, "Ada", number)["id"])
    return workspace


def place(rig: Rig, resource: ResourceName, page: str) -> FaultArguments:
    """Where a fault is armed: the first member's or project's list, of those that have three pages."""
    parents = {"time_entries": rig.workspace.users, "tasks": rig.workspace.projects}
    parent = parents[resource][0]["id"] if resource in parents else None
    return {"resource": resource, "parent_id": parent, "page": PAGES[page]}


def sample_of(kinds: dict[str, Any]) -> list[Case]:
    """Each kind once, and with them each resource and each page at least once."""
    places = cycle(product(PAGES, RESOURCE_NAMES))
    return [(kind, resource, page) for kind, (page, resource) in zip(kinds, places, strict=False)]


def short_times(kind: str) -> HttpLimits:
    """Limits under which a silent or dripping server is soon given up."""
    return {"stall": replace(LIMITS, read_timeout_seconds=0.2), "drip": replace(LIMITS, body_timeout_factor=0.01)}.get(
        kind, LIMITS
    )


LIMITS: Final = HttpLimits(requests_per_second=10_000, backoff_factor=0, read_timeout_seconds=5)


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """A warehouse that was synced once; since failed syncs change nothing, all of them share it."""
    with DemoServer(three_pages_of_each(tiny_workspace())) as server:
        rig = Rig(server, tmp_path_factory.mktemp("loaded"), page_size=PAGE_SIZE, start=month(MONTHS - 1).first_moment.date())
        rig.sync()
        rig.assert_equals_api()
        yield rig


@pytest.fixture
def loaded(warehouse: Rig) -> Rig:
    """The warehouse, its server without faults and its limits as they were."""
    warehouse.server.reset()
    warehouse.limits, warehouse.page_size = LIMITS, PAGE_SIZE
    return warehouse


def refuse(rig: Rig, case: Case, *, by_sync: bool) -> None:
    """The fault lasts: one sentence, four attempts at most, and after a sync nothing has changed."""
    kind, resource, page = case
    arguments, words = {**TRANSIENT, **LASTING}[kind]
    where = place(rig, resource, page)
    rig.server.reset()
    rig.limits = short_times(kind)
    rig.server.faults.add(Fault(**arguments, **where, times=None))
    sentence = rig.failing_sync(resources=[resource]) if by_sync else rig.failing_read(resource)
    assert words in sentence, sentence
    assert rig.server.url in sentence or f"raw.{resource}, column " in sentence
    attempts = rig.asked(resource, where["parent_id"], where["page"])
    assert len(attempts) == (4 if kind in TRANSIENT else 1)
    assert rig.meter.retries == len(attempts) - 1


@pytest.mark.parametrize("case", sample_of(LASTING), ids="-".join)
def test_an_answer_that_can_not_be_believed_is_refused_at_once_in_one_sentence(loaded: Rig, case: Case) -> None:
    refuse(loaded, case, by_sync=False)


@pytest.mark.parametrize("case", sample_of(TRANSIENT), ids="-".join)
def test_a_fault_that_lasts_is_refused_after_four_attempts_in_one_sentence(loaded: Rig, case: Case) -> None:
    refuse(loaded, case, by_sync=False)


@pytest.mark.parametrize(
    "case", sample_of({kind: None for pair in zip(LASTING, TRANSIENT, strict=False) for kind in pair})[:12], ids="-".join
)
def test_a_sync_that_meets_a_lasting_fault_leaves_every_table_as_it_was(loaded: Rig, case: Case) -> None:
    refuse(loaded, case, by_sync=True)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("resource", RESOURCE_NAMES)
def test_every_lasting_fault_is_refused_on_every_page_of_a_list(loaded: Rig, resource: ResourceName) -> None:
    for kind, page in product({**LASTING, **TRANSIENT}, PAGES):
        refuse(loaded, (kind, resource, page), by_sync=True)


@pytest.mark.parametrize("turn", range(3))
def test_passing_faults_of_every_kind_at_every_page_of_every_list_are_mended(loaded: Rig, turn: int) -> None:
    """A list is read twice, and each time each page may fail three times: up to six faults a page, over 21 pages, at once."""
    kinds = [kind for kind in TRANSIENT if kind not in ("stall", "drip")][turn::3]
    armed = [
        Fault(**TRANSIENT[kind][0], **place(loaded, resource, page), after=0 if number < 3 else 4)
        for resource, page in product(RESOURCE_NAMES, PAGES)
        for number, kind in enumerate(kinds)
    ]
    loaded.server.faults.add(*armed)
    before = loaded.contents()
    loaded.sync()
    assert loaded.server.faults.pending == []
    assert loaded.meter.retries == len(armed)
    assert loaded.contents() == before
    loaded.assert_equals_api()


def test_silence_is_mended_by_another_attempt_and_a_late_answer_is_an_answer(loaded: Rig) -> None:
    loaded.limits = replace(LIMITS, read_timeout_seconds=1)
    loaded.server.faults.add(
        Fault("stall", "clients", page=2),
        Fault("delay", "clients", page=3, pause_seconds=0.01),
        Fault("drip", "clients", page=1, pause_seconds=0.001),
    )
    loaded.assert_reads_the_api("clients")
    assert loaded.server.faults.pending == [] and loaded.meter.retries == 1


@pytest.mark.parametrize("resource", [name for name in RESOURCE_NAMES if TABLES[name].parent is None])
@pytest.mark.parametrize(
    ("status", "page", "setting"),
    [
        (400, 2, "ANALYTICS_PAGE_SIZE (it may be too large)"),
        (401, 2, "ANALYTICS_API_KEY"),
        (403, 2, "workspace ANALYTICS_WORKSPACE_ID"),
        (404, 1, "check ANALYTICS_API_URL (the part before /v1)"),
    ],
)
def test_a_refused_list_that_has_no_parent_is_never_skipped(
    loaded: Rig, resource: ResourceName, status: int, page: int, setting: str
) -> None:
    loaded.server.faults.add(Fault("status", resource, page=page, status=status, times=None))
    sentence = loaded.failing_read(resource)
    assert f"/{resource.replace('_', '-')} answered {status} (" in sentence and setting in sentence
    assert len(loaded.asked(resource)) == page


@pytest.mark.parametrize(
    ("resource", "refusal", "reason"),
    [
        ("time_entries", (400, 501), "400 (Not allowed"),
        ("time_entries", (403, 403), "403 (Not allowed"),
        ("tasks", (404, 404), "404 (Not allowed"),
    ],
)
def test_a_sync_whose_every_child_list_was_refused_is_red(
    loaded: Rig, resource: ResourceName, refusal: tuple[int, int], reason: str
) -> None:
    parents = loaded.workspace.users if resource == "time_entries" else loaded.workspace.projects
    loaded.server.behaviour.refused_parents = {parent["id"]: refusal for parent in parents}
    sentence = loaded.failing_sync(resources=[resource])
    assert f"The {resource} of all 5 {TABLES[resource].parent} were refused ({reason}" in sentence
    assert "ANALYTICS_API_KEY" in sentence


def test_a_wrong_key_is_no_refusal_of_one_member(loaded: Rig) -> None:
    """A key that is withdrawn in the midst of a sync answers 401 for each member from then on."""

    def before_answer(request: RequestSeen) -> None:
        if len(loaded.asked("time_entries")) == 3:
            loaded.server.behaviour.api_key = "another"

    loaded.server.behaviour.before_answer = before_answer
    sentence = loaded.failing_sync(resources=only_entries())
    assert "answered 401 (Api key does not exist, code 4003): the key of ANALYTICS_API_KEY is wrong" in sentence
    assert loaded.meter.retries == 0


@pytest.mark.parametrize("resource", RESOURCE_NAMES)
def test_identical_twins_in_one_answer_are_one_row(loaded: Rig, resource: ResourceName) -> None:
    where = place(loaded, resource, "first")
    rows = loaded.workspace.listing(resource, where["parent_id"]).rows
    loaded.server.faults.add(Fault("other_json", **where, value=[rows[0], rows[1], rows[0]], times=2))
    loaded.assert_reads_the_api(resource)


@pytest.mark.parametrize("resource", ["users", "projects"])
@pytest.mark.parametrize(
    "record_id", ["../users", "..", ".", "a/b", "a b", "a?b", "a#b", "a%2Fb", "a;b", "a\\b", "{id}", "a\n", "\0"]
)
def test_an_id_that_no_address_carries_is_refused_where_it_would_be_part_of_one(
    loaded: Rig, resource: ResourceName, record_id: str
) -> None:
    loaded.server.faults.add(Fault("wrong_type", resource, field="id", value=record_id, times=None))
    sentence = loaded.failing_read(resource)
    assert f"the id {record_id!r} of {resource} can't be part of the address of a list, because of its spaces" in sentence


def test_a_page_of_fifty_megabytes_is_taken_and_said_aloud(loaded: Rig, caplog: pytest.LogCaptureFixture) -> None:
    loaded.page_size = 50
    loaded.server.faults.add(Fault("huge", "clients", field="note", size_bytes=50_000_000, times=None))
    rows = loaded.read("clients")
    assert sum(len(row["note"]) for row in rows.values()) == 50_000_000
    assert "clients: a page of 47 MiB; a smaller ANALYTICS_PAGE_SIZE would need less memory" in caplog.text


@pytest.mark.parametrize("gzip", [True, False])
def test_a_page_above_the_limit_is_refused_before_it_fills_the_memory(loaded: Rig, gzip: bool) -> None:
    """The limit counts what is unpacked: 3 MB of one letter are 13 KB on the wire."""
    loaded.server.behaviour.gzip = gzip
    loaded.limits = replace(LIMITS, body_limit_bytes=2 * 2**20)
    loaded.server.faults.add(Fault("huge", "clients", page=2, field="note", size_bytes=3_000_000, times=None))
    sentence = loaded.failing_read("clients")
    assert "the answer is larger than 2 MiB; ask for fewer rows at a time with ANALYTICS_PAGE_SIZE." in sentence
    assert len(loaded.asked("clients", page=2)) == 1
