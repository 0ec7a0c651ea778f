"""Parses the assets of `--select` and checks them before anything starts."""

import re
from collections.abc import Collection, Sequence
from difflib import get_close_matches
from typing import Final

from dagster import AssetKey, AssetSelection
from dagster._core.definitions.asset_selection import DagsterInvalidAssetSelectionError
from dagster._core.definitions.assets.graph.asset_graph import AssetGraph
from dagster._core.errors import DagsterInvalidSubsetError

from analytics_assets.cli.errors import UsageError

_KEY: Final = re.compile(r'(?<![\w/.*"-])[\w.*-]+(?:/[\w.*-]+)+')
"""A key as people write it. Dagster needs `key:"raw/*"` where it has a star, and takes `+raw/users` for one level."""


def asked_assets(text: str, graph: AssetGraph) -> Sequence[AssetKey]:
    """The assets that `--select` means.

    Args:
        text: keys and selections in Dagster's syntax, separated by commas; a key may contain `*`.
        graph: the assets of the project.

    Raises:
        UsageError: it names an asset that does not exist, is not a selection, or selects nothing.
    """
    there = graph.executable_asset_keys
    keys: set[AssetKey] = set()
    for part in (part.strip() for part in text.split(",")):
        if not part:
            continue
        found = _resolved(_KEY.sub(r'key:"\g<0>"', part), graph, part) & there
        if not found:
            raise UsageError(f"--select {part}: there is no such asset. {_meant(part, there)}{_list(there)}")
        keys |= found
    if not keys:
        raise UsageError(f"--select names no asset. {_list(there)}")
    return sorted(keys)


def _resolved(selection: str, graph: AssetGraph, part: str) -> set[AssetKey]:
    try:
        return set(AssetSelection.from_string(selection).resolve(graph))
    except DagsterInvalidSubsetError:
        return set()
    except DagsterInvalidAssetSelectionError:
        raise UsageError(
            f"--select {part}: neither an asset nor a selection that Dagster understands (like raw/users+ or group:marts)."
        ) from None


def _meant(part: str, keys: Collection[AssetKey]) -> str:
    """A question after the asset that may be meant, which many names would hide; nothing where none is near."""
    near = get_close_matches(part, [key.to_user_string() for key in keys], n=1)
    return f"Is {near[0]} meant? " if near else ""


def _list(keys: Collection[AssetKey]) -> str:
    return f"The assets are {', '.join(sorted(key.to_user_string() for key in keys))}."
