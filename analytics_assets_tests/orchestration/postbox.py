"""A place on loopback that takes messages as Apprise sends them to `json://`."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "t0ken-of-a-chat"


class Post(BaseHTTPRequestHandler):
    """A place that takes messages."""

    def do_POST(self) -> None:
        server = self.server
        assert isinstance(server, Postbox)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        server.messages.append(json.loads(body))
        self.send_response(server.status)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


class Postbox(ThreadingHTTPServer):
    """What was told, in order."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Post)
        self.messages: list[dict[str, Any]] = []
        self.status = 200

    @property
    def url(self) -> str:
        return f"json://127.0.0.1:{self.server_address[1]}/{TOKEN}"

    def taken(self) -> list[tuple[str, str]]:
        """Title and text of the messages that have come since."""
        messages, self.messages = self.messages, []
        assert all(message["type"] == "failure" for message in messages)
        return [(message["title"], message["message"]) for message in messages]
