"""Values that the API or dlt would stumble over in the middle of a sync are refused in words, and those that work are taken."""

import json

import pytest

from analytics_assets.settings import settings_of
from analytics_assets_tests.test_settings import message_of


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ('{"users": {"archived": {"type": "incremental", "cursor_path": "id"}}}', "has a value for archived that is no text"),
        ('{"users": {"ids": [["a"]]}}', "has a value for ids that is no text"),
        ('{"users": {"status": null}}', "has a value for status that is no text"),
        ('{"users": {"limit": NaN}}', "has a value for limit that is no text"),
        ('{"users": {"name": "\\ud800"}}', "has a value for name that is no text"),
        ('{"users": {"ids": []}}', "has an empty list for ids, which would not be sent"),
        ('{"tasks": {"project": "{resources.projects.id}"}}', "has braces in project"),
        ('{"tasks": {"{resources.projects.id}": "x"}}', "has braces in a name"),
        ('{"tasks": {"projects": ["a", "{b}"]}}', "has braces in projects"),
        ('{"users": ["status"]}', "must be a JSON object of resources"),
        ("[1]", "must be a JSON object of resources"),
    ],
)
def test_parameters_that_dlt_would_take_for_its_own_or_not_send_are_refused(params: str, problem: str) -> None:
    """dlt filled in braces from other resources and took objects for its own configuration, and the sync succeeded."""
    assert f"ANALYTICS_EXTRA_PARAMS {problem}" in message_of({"ANALYTICS_EXTRA_PARAMS": params})


def test_parameters_of_all_plain_kinds_are_sent_as_json_writes_them() -> None:
    params = {"users": {"archived": False, "hydrated": True, "limit": 3, "rate": 1.5, "status": ["A", 2], "name": "Zoë & co"}}
    assert settings_of({"ANALYTICS_EXTRA_PARAMS": json.dumps(params)}).extra_params == {
        "users": {"archived": "false", "hydrated": "true", "limit": "3", "rate": "1.5", "status": ["A", "2"], "name": "Zoë & co"}
    }


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("http://127.0.0.1:99999", "must have a port from 1 to 65535 after the colon, or neither of them"),
        ("https://api.example.com:abc/v1", "must have a port from 1 to 65535"),
        ("https://api.example.com:0", "must have a port from 1 to 65535"),
        ("https://api.example.com:", "must have a port from 1 to 65535"),
        ("https://https://api.example.com", "must have a port from 1 to 65535"),
        ("https://api. example.com", "must not hold blanks, quotes, braces or backslashes"),
        ("https://api.example.com/\tv1", "must not hold blanks"),
        ("https://api.example.com/{resources.users.id}", "must not hold blanks"),
        ("https://api..example.com", "must be an address like https://api.example.com"),
        ("https://" + "a" * 64 + ".example.com", "must be an address like"),
        ("https://*.example.com", "must be an address like"),
        ("https://[::1", "must be an address like"),
        ("https://[::g]", "must be an address like"),
        ("https:///v1", "must be an address like"),
        ("api.example.com", "must be an address like"),
        ("https://me:geheim@api.example.com", "must not hold a user name or password"),
        ("https://me@api.example.com", "must not hold a user name or password"),
        ("https://api.example.com/?", "must end with the path, without ? or #"),
    ],
)
def test_an_address_that_no_request_can_be_made_to_is_refused(url: str, problem: str) -> None:
    """A port above 65535 and a blank in the host were found by urllib3, in a traceback that showed the address."""
    message = message_of({"ANALYTICS_API_URL": url})
    assert f"ANALYTICS_API_URL {problem}" in message and "geheim" not in message


@pytest.mark.parametrize(
    ("url", "root"),
    [
        ("https://api.example.com/v1/", "https://api.example.com"),
        ("https://API.example.com.:8443/proxy", "https://API.example.com.:8443/proxy"),
        ("http://[::1]:8090", "http://[::1]:8090"),
        ("http://localhost:1", "http://localhost:1"),
        ("https://zeit.müller.example", "https://zeit.müller.example"),
        ("https://time_api", "https://time_api"),
    ],
)
def test_an_address_that_works_is_taken_as_it_is(url: str, root: str) -> None:
    assert settings_of({"ANALYTICS_API_URL": url}).api_url == root


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("WORKSPACE_ID", "my workspace", "may hold only letters from A to Z, digits and the signs . _ ~ -"),
        ("WORKSPACE_ID", "../users", "may hold only letters from A to Z"),
        ("WORKSPACE_ID", ".", "must not be . or .."),
        ("WORKSPACE_ID", "..", "must not be . or .."),
        ("UI_URL", "dagster.example.com", "must be an address like https://dagster.example.com"),
        ("UI_URL", "https://dagster.example.com:70000", "must have a port from 1 to 65535"),
        ("UI_URL", "https://dagster example.com", "must not hold blanks"),
    ],
)
def test_a_wrong_id_or_address_is_explained_in_words(name: str, value: str, problem: str) -> None:
    """The message was a regular expression, and `..` led to another address of the API."""
    message = message_of({f"ANALYTICS_{name}": value})
    assert f"ANALYTICS_{name} {problem}" in message and "pattern" not in message


@pytest.mark.parametrize("name", ["DUCKDB_PATH", "READER_PATH"])
@pytest.mark.parametrize("address", ["s3://bucket/analytics.duckdb", "https://example.com/w.duckdb", "file:///tmp/w.duckdb"])
def test_an_address_in_place_of_a_path_is_refused(name: str, address: str) -> None:
    """It became a file in a local folder called `s3:`."""
    assert f"ANALYTICS_{name} must be a path on this machine" in message_of({f"ANALYTICS_{name}": address})


@pytest.mark.parametrize("name", ["DUCKDB_PATH", "READER_PATH"])
@pytest.mark.parametrize("path", ["/", "."])
def test_a_path_that_names_no_file_is_said_to_name_none(name: str, path: str) -> None:
    """It was `names the file ; a file's name may hold letters`, with nothing between the two."""
    assert f"ANALYTICS_{name} is '{path}', which names no file" in message_of({f"ANALYTICS_{name}": path})


@pytest.mark.parametrize("key", ["geh\neim", "geheim\u200b", "\u201cgeheim\u201d"])
def test_a_key_that_no_header_can_carry_is_refused_before_anything_starts_and_not_shown(key: str) -> None:
    """Copied with quotes of a text or a sign that is not seen, it ended `doctor` in a traceback of http.client's."""
    message = message_of({"ANALYTICS_API_KEY": key})
    assert message.startswith("ANALYTICS_API_KEY holds characters that no key has")
    assert "geh" not in message
