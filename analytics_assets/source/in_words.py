"""An answer as messages show it: where it came from, what it says of itself, what kind of thing is in it.

What is said about it stands in `answers.py`.
"""

from typing import Final

import orjson
import requests

from analytics_assets.source.http import API_KEY_HEADER

MESSAGE_SHOWN_CHARACTERS: Final = 200


def where(response: requests.Response) -> str:
    """The request that was answered, without its query."""
    return f"GET {response.url.split('?', 1)[0]}"


def message(response: requests.Response) -> str:
    """What an error body says of itself, in brackets; nothing where it says nothing readable.

    A page is no answer of the API's: a proxy or a firewall before it says why it lets nothing through, to whoever has a browser.
    """
    if response.content.lstrip()[:1] == b"<":
        return " (a page of HTML, as a proxy or firewall before the API sends it)"
    try:
        body = orjson.loads(response.content)
    except orjson.JSONDecodeError:
        return ""
    if not isinstance(body, dict) or not body.get("message"):
        return ""
    code = f", code {shown(body['code'], response)}" if "code" in body else ""
    return f" ({shown(body['message'], response)}{code})"


def shown(said: object, response: requests.Response) -> str:
    """What the server said, fit for one line of a log: short, without control characters, and without the key."""
    text = str(said).replace(str(response.request.headers.get(API_KEY_HEADER) or "\n"), "***")
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())[:MESSAGE_SHOWN_CHARACTERS]


def described(value: object) -> str:
    """What kind of JSON a value is."""
    if isinstance(value, dict):
        inner = f" whose `data` is {described(value['data'])}" if "data" in value else ""
        return f"an object with the fields {', '.join(sorted(value)[:8]) or '(none)'}{inner}"
    names = {list: "a list", str: "a text", bool: "true or false", int: "a number", float: "a number"}
    return names.get(type(value), "null")
