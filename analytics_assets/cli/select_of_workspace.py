"""What `--select` means for each of several workspaces, whose names stand before the keys of their assets.

Only the text is known here, so that nothing of Dagster has to be imported before the first sync begins.
"""

import re
from collections.abc import Collection
from typing import Final

_BEGINNING: Final = r"(?<![\w./*-])"
_LAYERS: Final = "api|raw|staging|marts|report"
_KEY_OF_ANY: Final = re.compile(rf"{_BEGINNING}(?=(?:{_LAYERS})/)")
"""Where a key begins that has no workspace before it."""
_GROUP_OF_ANY: Final = re.compile(rf'(\bgroup:"?(?:{_LAYERS}))(?!\w)')


def select_of_workspace(text: str, name: str, names: Collection[str]) -> str | None:
    """The part of a selection that is about one workspace, with its name before keys and behind groups that have none.

    Args:
        text: the selection, as typed.
        name: the workspace.
        names: all of them.

    Returns:
        The selection in the words of this workspace; None if all of it is about others.
    """
    parts = [part for part in text.split(",") if part.strip()]
    about = [part for part in parts if _is_about(part, name) or not any(_is_about(part, each) for each in names)]
    if parts and not about:
        return None
    return ",".join(_GROUP_OF_ANY.sub(rf"\1_{name}", _KEY_OF_ANY.sub(f"{name}/", part)) for part in about)


def _is_about(part: str, name: str) -> bool:
    return re.search(rf'{_BEGINNING}{name}/|\bgroup:"?(?:{_LAYERS})_{name}(?!\w)', part) is not None
