"""Errors of the pipeline → what Dagster shows: the one sentence where there is one, the error itself elsewhere."""

import duckdb
from dagster import Failure

from analytics_assets.settings import SettingsError
from analytics_assets.source.errors import causes, find_source_error
from analytics_assets.warehouse.errors import WarehouseError


def failure(error: Exception) -> Exception:
    """What a run ends with: a `Failure` with a sentence for the person who runs it, if the error holds one."""
    sentence = find_source_error(error) or next(
        (cause for cause in causes(error) if isinstance(cause, SettingsError | WarehouseError)), None
    )
    if sentence is not None:
        return Failure(description=str(sentence), allow_retries=False)
    if isinstance(error, duckdb.Error | OSError):
        reason = str(error).splitlines()[0]
        return Failure(description=f"The warehouse could not be written, it is as it was before: {reason}")
    return error
