"""Errors of the pipeline → what Dagster shows: the one sentence where there is one, the error itself elsewhere."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import duckdb
from dagster import Failure

from analytics_assets.setting_errors import SettingsError
from analytics_assets.source.errors import causes, find_source_error
from analytics_assets.warehouse.errors import WarehouseError, hindrance, without_memory

SENTENCE_CHARACTERS: Final = 1500


def failure_of(sentence: str) -> Failure:
    """What ends a step with a sentence that is known already; it is cut where it names too much to be read."""
    return Failure(sentence[:SENTENCE_CHARACTERS], allow_retries=False)


@contextmanager
def failures_in_a_sentence() -> Iterator[None]:
    """End the step with a `Failure` that holds one sentence for the person who runs it, if the error has one.

    Raises:
        Failure: with that sentence; it is not tried again, for the requests were tried again already.
    """
    try:
        yield
    except Failure:
        raise
    except Exception as error:
        sentence = sentence_of(error)
        if sentence is None:
            raise
        raise Failure(description=sentence, allow_retries=False) from error


def sentence_of(error: Exception) -> str | None:
    """What to tell the person about an error; None where only the traceback can say it."""
    told = find_source_error(error) or next(
        (cause for cause in causes(error) if isinstance(cause, SettingsError | WarehouseError)), None
    )
    if told is not None:
        return str(told)
    if isinstance(error, duckdb.OutOfMemoryException):
        return without_memory(error)
    if isinstance(error, duckdb.Error):
        return f"DuckDB refused to write the warehouse: {str(error).splitlines()[0]}"
    if isinstance(error, OSError) and error.filename is not None:  # errors of the network name no file
        return f"{error.filename} can't be read or written: {hindrance(error)}."
    return None
