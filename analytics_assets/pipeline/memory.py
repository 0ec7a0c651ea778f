"""Memory of one phase of a run is given back before the next one takes its own."""

import contextlib
import ctypes

import pyarrow as pa


def give_memory_back() -> None:
    """Return to the system what was used and is free by now: Arrow and the C library keep it for what may come.

    After a reading that is some 100 MB, which the database that publishes it would come on top of.
    """
    pa.default_memory_pool().release_unused()
    with contextlib.suppress(AttributeError, OSError):  # only the C library of GNU has it
        ctypes.CDLL(None).malloc_trim(0)
