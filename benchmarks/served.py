"""An API with a large workspace that answers as fast as a socket allows, so that it is not what is measured.

Records are invented and encoded before the first request; an answer is joined of their bytes. It serves what the demo API
serves of the same shape, without its faults. It runs as a process of its own: `python -m benchmarks.served --entries 100000`.
"""

import argparse
import bisect
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qs

import orjson
import uvicorn

from analytics_assets.demo.build import build_workspace
from analytics_assets.demo.records import PARENTS, PATHS, Record

TEMPLATES: Final = 3_000
"""Lifelike entries that the many are copied from, with ids and times of their own."""
MONTHS: Final = 36
READY: Final = "ready on port "


@dataclass
class List:
    """One list, newest first: the encoded rows, and for entries the moment at which each begins, negated to ascend."""

    rows: list[bytes] = field(default_factory=list)
    starts: list[float] = field(default_factory=list)

    def between(self, start: str | None, end: str | None) -> Sequence[bytes]:
        """The rows that begin in a window."""
        first = bisect.bisect_left(self.starts, -_seconds(end)) if end else 0
        last = bisect.bisect_right(self.starts, -_seconds(start)) if start else len(self.rows)
        return self.rows[first:last]


class Served:
    """The workspace as lists by their paths."""

    def __init__(self, entries: int, members: int) -> None:
        workspace = build_workspace(entries=TEMPLATES, users=members, months=MONTHS)
        self.workspace_id = workspace.id
        self.requests = 0
        self.edits = 0
        self.lists: dict[str, List] = {}
        for name, path in PATHS.items():
            for parent in [record["id"] for record in workspace.records(PARENTS[name])] if name in PARENTS else [""]:
                records = [r for r in workspace.records(name) if not parent or r.get("projectId") == parent]
                if name != "time_entries":
                    rows = [orjson.dumps(record) for record in records]
                    self.lists[path.format(workspace_id=workspace.id, parent_id=parent)] = List(rows)
        self.members = [record["id"] for record in workspace.records("users")]
        templates = workspace.records("time_entries")
        for number, (member, count) in enumerate(zip(self.members, _shares(entries, members), strict=True)):
            path = PATHS["time_entries"].format(workspace_id=workspace.id, parent_id=member)
            self.lists[path] = _entries_of(member, number, count, templates)

    def edit(self, number: int) -> None:
        """Another description for the newest entries of the first members, one for each."""
        self.edits += 1
        for member in self.members[:number]:
            of_member = self.lists[PATHS["time_entries"].format(workspace_id=self.workspace_id, parent_id=member)]
            of_member.rows[0] = orjson.dumps(orjson.loads(of_member.rows[0]) | {"description": f"edit {self.edits}"})

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request, as ASGI asks for it."""
        if scope["type"] != "http":
            return
        query = {name: values[-1] for name, values in parse_qs(scope["query_string"].decode()).items()}
        path, headers = scope["path"], [(b"content-type", b"application/json")]
        if path == "/requests":
            body, self.requests = str(self.requests).encode(), 0
        elif path == "/edit":
            self.edit(int(query["entries"]))
            body = b"{}"
        elif (served := self.lists.get(path)) is not None:
            self.requests += 1
            size, page = int(query.get("page-size", 50)), int(query.get("page", 1))
            rows = served.between(query.get("start"), query.get("end"))
            body = b"[" + b",".join(rows[(page - 1) * size : page * size]) + b"]"
            headers.append((b"last-page", b"true" if page * size >= len(rows) else b"false"))
        else:
            body = b'{"message": "not there", "code": 404}'
        status = 404 if body.startswith(b'{"message"') else 200
        headers.append((b"content-length", str(len(body)).encode()))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def _shares(entries: int, members: int) -> list[int]:
    """How many entries each member has: as much as half more than another, as people do."""
    weights = [80 + number * 37 % 41 for number in range(members)]
    shares = [entries * weight // sum(weights) for weight in weights]
    return [shares[0] + entries - sum(shares), *shares[1:]]


def _entries_of(member: str, number: int, count: int, templates: Sequence[Record]) -> List:
    """So many entries of one member, spread over the months up to now, newest first."""
    now = dt.datetime.now(dt.UTC).replace(microsecond=0)
    step = dt.timedelta(days=30 * MONTHS - 5) / max(count, 1)
    result = List()
    for position in range(count):
        start = (now - dt.timedelta(hours=3) - position * step).replace(microsecond=0)
        end = start + min(step, dt.timedelta(minutes=30 + position % 90))
        template = templates[(number * 31 + position) % len(templates)]
        seconds = int((end - start).total_seconds())
        interval = {"start": _text(start), "end": _text(end), "duration": f"PT{seconds}S"}
        identity = f"{number + 1:08x}{position:016x}"
        result.rows.append(orjson.dumps(template | {"id": identity, "userId": member, "timeInterval": interval}))
        result.starts.append(-start.timestamp())
    return result


def _text(moment: dt.datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _seconds(text: str) -> float:
    return dt.datetime.fromisoformat(text).timestamp()


def main() -> None:
    """Serve on a free port of this machine until the process is ended."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--entries", type=int, required=True)
    parser.add_argument("--members", type=int, required=True)
    asked = parser.parse_args()
    served = Served(asked.entries, asked.members)
    config = uvicorn.Config(served, host="127.0.0.1", port=0, log_level="critical", lifespan="off", access_log=False)
    socket = config.bind_socket()
    socket.listen()  # whoever reads the line below may ask at once
    print(f"{READY}{socket.getsockname()[1]} {served.workspace_id}", flush=True)
    uvicorn.Server(config).run(sockets=[socket])


if __name__ == "__main__":
    main()
