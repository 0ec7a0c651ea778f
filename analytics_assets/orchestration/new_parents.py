"""The sensor `sync_on_new_parents`: a look at the lists of members and projects, and a sync when one is new.

The lists are read by the product's own source, with its ceilings; nothing is loaded here. What a sync covers is decided
where it runs.
"""

import json
from collections.abc import Mapping, Set
from pathlib import Path
from typing import Final

from dagster import RunRequest, SensorDefinition, SensorEvaluationContext, SensorResult, SkipReason, sensor

from analytics_assets.orchestration.failures import sentence_of
from analytics_assets.orchestration.jobs import sync_going_on, sync_job
from analytics_assets.orchestration.keys import Keys
from analytics_assets.orchestration.resources import Warehouse, WorkspaceAccessResource
from analytics_assets.pipeline.api import Api
from analytics_assets.pipeline.look import listed_now
from analytics_assets.settings import Settings
from analytics_assets.source.columns import TABLES, ResourceName
from analytics_assets.source.page_size import largest
from analytics_assets.warehouse.connection import connection
from analytics_assets.warehouse.errors import WarehouseError
from analytics_assets.warehouse.tables import RAW, columns_of

SECONDS_BETWEEN: Final = 900

Ids = Mapping[ResourceName, Set[str]]
CHILDREN: Final[Mapping[ResourceName, ResourceName]] = {
    table.parent: name for name, table in TABLES.items() if table.parent is not None
}
"""Parent → the resource that is read per row of it."""


def build_sync_on_new_parents(settings: Settings) -> SensorDefinition:
    """The sensor that asks for a sync as soon as a member or a project is new; off until it is started."""
    keys = Keys.of(settings)

    @sensor(
        name="sync_on_new_parents",
        job=sync_job(keys),
        minimum_interval_seconds=SECONDS_BETWEEN,
        description="Every 15 minutes: reads the lists of members and projects, and asks for a sync if one is there that the "
        "warehouse lacks; once for each. A new project asks for its tasks, a new member for the entries, and each for all "
        "small lists and the marts. It skips while a sync is queued or running, and where ANALYTICS_REQUESTS_PER_HOUR leaves "
        "no room. It is off until you start it, because it uses up requests of your API.",
    )
    def sync_on_new_parents(
        context: SensorEvaluationContext, api: WorkspaceAccessResource, warehouse: Warehouse
    ) -> SensorResult | SkipReason:
        if going_on := sync_going_on(context.instance, keys, warehouse.path):
            return SkipReason(f"{going_on}; it finds new members and projects by itself.")
        try:
            there = known_ids(warehouse.path)
            listed = listed_ids(api.api(settings), there)
        except Exception as error:
            sentence = sentence_of(error)
            if sentence is None:
                raise
            return SkipReason(sentence)
        unknown = {name: listed[name] - there[name] for name in CHILDREN}
        asked = {name: set(ids) for name, ids in json.loads(context.cursor or "{}").items()}
        fresh = {name: ids - asked.get(name, set()) for name, ids in unknown.items()}
        # what was asked for and is still unknown is remembered, what has arrived is not
        cursor = json.dumps({name: sorted(ids) for name, ids in unknown.items()})
        if not any(fresh.values()):
            return SensorResult(skip_reason=_nothing_to_ask(sum(map(len, unknown.values()))), cursor=cursor)
        return SensorResult(run_requests=[_request(context, keys, fresh)], cursor=cursor)

    return sync_on_new_parents


def known_ids(warehouse: Path) -> Ids:
    """The members and projects that the warehouse holds.

    Raises:
        WarehouseError: it can't be opened now, or nothing was loaded yet.
    """
    if warehouse.exists():
        with connection(warehouse, read_only=True, patience_seconds=0) as con:
            if all(columns_of(con, RAW, name) for name in CHILDREN):
                return {name: {row for (row,) in con.execute(f"SELECT id FROM {RAW}.{name}").fetchall()} for name in CHILDREN}
    raise WarehouseError("Nothing was loaded yet, so that nothing can be new: run `analytics-assets sync` first.")


def listed_ids(api: Api, there: Ids) -> Ids:
    """The members and projects that the API lists now.

    Args:
        api: what is read; without a pause between attempts, because the next tick is one.
        there: what the warehouse holds, by which the requests are counted beforehand.

    Raises:
        SourceError: somewhere among the causes, when the API can't be read, or the ceiling leaves no room.
    """
    pages = [len(ids) // largest(api.page_size) + 1 for ids in there.values()]
    requests = sum(1 if each == 1 else 2 * each for each in pages)  # lists of several pages are read twice
    return listed_now(api, list(CHILDREN), requests=requests, backoff_factor=0)


def _nothing_to_ask(waiting: int) -> str:
    """Why no sync is asked for, where so many were asked for before and have not arrived, as when that sync failed."""
    if not waiting:
        return "No member and no project is new."
    return (
        f"A sync was asked for already, and of the new members and projects {waiting} have not arrived: look at that run under "
        "Runs, and start `sync_now`."
    )


def _request(context: SensorEvaluationContext, keys: Keys, fresh: Ids) -> RunRequest:
    """A sync of all that the new ones may have changed: the children of parents that are all known are left out.

    It has no run key: Dagster starts no second run of a key, ever, so that a member who left and came back would be passed
    over without a word. That each is asked for once is what the cursor is for.
    """
    assert context.repository_def is not None
    untouched = {keys.raw(child) for parent, child in CHILDREN.items() if not fresh[parent]}
    assets = context.repository_def.asset_graph.materializable_asset_keys - untouched
    return RunRequest(asset_selection=sorted(assets))
