"""Whether the warehouse has all marts, for what is made of them for others."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from dagster import AssetKey

from analytics_assets.orchestration.failures import failure_of
from analytics_assets.orchestration.keys import layer
from analytics_assets.warehouse.built import kinds_of_relations
from analytics_assets.warehouse.connection import connection
from analytics_assets.warehouse.export import MARTS

NAMED: Final = 3


def refuse_without_marts(file: Path, models: Iterable[AssetKey], *, what_stays: str) -> None:
    """End the step if the file lacks a mart.

    Dagster may know of marts that the file does not hold: it was deleted, or another one was put in its place.

    Args:
        file: the warehouse.
        models: all models.
        what_stays: what is not replaced, for the message.

    Raises:
        Failure: it lacks one.
        WarehouseError: there is no such file, or it can't be opened.
    """
    with connection(file, read_only=True) as con:
        there = kinds_of_relations(con)
    names = sorted(key.path[-1] for key in models if layer(key) == MARTS)
    if missing := [name for name in names if (MARTS, name) not in there]:
        more = f" and {len(missing) - NAMED} more" if len(missing) > NAMED else ""
        raise failure_of(
            f"{what_stays}, because {file} lacks the marts {', '.join(missing[:NAMED])}{more}; a sync of everything builds them."
        )
