"""The warehouse of a workspace in its own place, before a step opens it: one that was loaded alone until now is moved there.

How it is moved stands in `warehouse/loaded_alone.py`. A step that made a file there first would keep the other one away.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from analytics_assets.settings import Settings
from analytics_assets.warehouse.loaded_alone import carry_over


@contextmanager
def in_its_place(settings: Settings) -> Iterator[None]:
    """Move the file of a workspace first that was loaded alone until now, and is one of several from now on.

    Args:
        settings: those of one workspace.

    Raises:
        WarehouseError: the file can't be opened.
        OSError: it can't be moved.
    """
    if (one := settings.one_of_several) is not None:
        carry_over(one.together, one.warehouses)
    yield
