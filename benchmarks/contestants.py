"""What runs against the API, each as a process of its own: `python -m benchmarks.contestants NAME FOLDER API WORKSPACE`.

Ours is the command that its users type. The others are what somebody writes instead: forty lines of dlt, the same with
Parquet between dlt and DuckDB, and the floor, which fetches and inserts and promises nothing.
"""

import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from benchmarks import KEY

PAGE_SIZE: Final = 5_000
CONCURRENCY: Final = 8
LISTS: Final = ("users", "projects", "clients", "tags", "user-groups")


def ours(folder: Path, api: str, workspace: str) -> None:
    """A sync as a user starts it: raw, models, checks, report, copy for BI tools."""
    from analytics_assets.cli import program

    sys.argv = ["analytics-assets", "sync"]
    sys.exit(program())


def ours_raw(folder: Path, api: str, workspace: str) -> None:
    """The raw tables alone, which is all that the others load."""
    from analytics_assets.cli import program

    sys.argv = ["analytics-assets", "sync", "--select", "raw/*"]
    sys.exit(program())


def stock_dlt(folder: Path, api: str, workspace: str, **load: Any) -> None:
    """dlt's REST source as its documentation shows it: merge on the id, children in parallel, large pages."""
    import dlt
    from dlt.sources.rest_api import rest_api_source

    root = f"{api}/v1/workspaces/{workspace}"
    paginator: Any = {
        "type": "page_number",
        "base_page": 1,
        "page_param": "page",
        "total_path": None,
        "stop_after_empty_page": True,
    }
    source = rest_api_source(
        {
            "client": {
                "base_url": root,
                "auth": {"type": "api_key", "name": "X-Api-Key", "api_key": KEY, "location": "header"},
                "paginator": paginator,
            },
            "resource_defaults": {
                "primary_key": "id",
                "write_disposition": "merge",
                "parallelized": True,
                "endpoint": {"params": {"page-size": PAGE_SIZE}, "data_selector": "$"},
            },
            "resources": [
                *LISTS,
                {"name": "time_entries", "endpoint": {"path": "user/{resources.users.id}/time-entries"}},
                {"name": "tasks", "endpoint": {"path": "projects/{resources.projects.id}/tasks"}},
            ],
        }
    )
    destination = dlt.destinations.duckdb(str(folder / "analytics.duckdb"))
    pipeline = dlt.pipeline("bench", pipelines_dir=str(folder / "dlt"), destination=destination, dataset_name="raw")
    pipeline.run(source, **load)


def dlt_parquet(folder: Path, api: str, workspace: str) -> None:
    """The same with Parquet files on the way, which somebody who has looked for the reason of the time finds."""
    stock_dlt(folder, api, workspace, loader_file_format="parquet")


def floor(folder: Path, api: str, workspace: str) -> None:
    """Concurrent requests and DuckDB's own reader of JSON, upserted by id: no types, no deletions, no checks."""
    import duckdb
    import orjson
    import requests

    root, session = f"{api}/v1/workspaces/{workspace}", requests.Session()
    session.headers["X-Api-Key"] = KEY
    session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=CONCURRENCY))

    def fetch(path: str, name: str) -> None:
        page, is_last = 1, False
        while not is_last:
            answer = session.get(f"{root}/{path}", params={"page": str(page), "page-size": str(PAGE_SIZE)})
            is_last = answer.headers["Last-Page"] == "true"
            if len(answer.content) > 2:
                (folder / f"{name}.{path.replace('/', '_')}.{page}.json").write_bytes(answer.content)
            page += 1

    with ThreadPoolExecutor(CONCURRENCY) as pool:
        list(pool.map(lambda name: fetch(name, name.replace("-", "_")), LISTS))
        users = [row["id"] for row in orjson.loads((folder / "users.users.1.json").read_bytes())]
        projects = [row["id"] for row in orjson.loads((folder / "projects.projects.1.json").read_bytes())]
        paths = [(f"user/{user}/time-entries", "time_entries") for user in users]
        paths += [(f"projects/{project}/tasks", "tasks") for project in projects]
        list(pool.map(lambda each: fetch(*each), paths))
    with duckdb.connect(str(folder / "analytics.duckdb")) as con:
        con.execute("CREATE SCHEMA IF NOT EXISTS raw")
        for name in [*(each.replace("-", "_") for each in LISTS), "time_entries", "tasks"]:
            read = f"read_json('{folder}/{name}.*.json', union_by_name = true, maximum_object_size = 100000000)"
            con.execute(f"CREATE TABLE IF NOT EXISTS raw.{name} AS SELECT * FROM {read} LIMIT 0")
            con.execute(f"DELETE FROM raw.{name} WHERE id IN (SELECT id FROM {read})")
            con.execute(f"INSERT INTO raw.{name} BY NAME SELECT * FROM {read}")


CONTESTANTS: Final[dict[str, Callable[[Path, str, str], None]]] = {
    "ours": ours,
    "ours_raw": ours_raw,
    "stock_dlt": stock_dlt,
    "dlt_parquet": dlt_parquet,
    "floor": floor,
}

if __name__ == "__main__":
    CONTESTANTS[sys.argv[1]](Path(sys.argv[2]), sys.argv[3], sys.argv[4])
