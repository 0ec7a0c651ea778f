"""An error of the pipeline is one sentence in the UI where it has one, and itself elsewhere."""

import errno

import duckdb
import pytest
from dagster import Failure
from requests.exceptions import ConnectionError as LineError

from analytics_assets.orchestration.failures import failures_in_a_sentence
from analytics_assets.source.errors import SourceError


def test_an_error_of_the_network_is_not_told_as_one_of_the_warehouse() -> None:
    """Every `OSError` was, and errors of requests are such."""
    with pytest.raises(LineError, match="the line dropped"), failures_in_a_sentence():
        raise LineError("the line dropped")


def test_an_error_without_a_sentence_is_not_made_its_own_cause() -> None:
    with pytest.raises(KeyError) as raised, failures_in_a_sentence():
        raise KeyError("x")
    assert raised.value.__cause__ is None


def test_whoever_has_texts_of_megabytes_is_told_to_sync_fewer_months() -> None:
    """The sentence was DuckDB's own, of a block that it could not pin, and nobody knew what to do."""
    error = duckdb.OutOfMemoryException("Out of Memory Error: failed to pin block\nPossible solutions:")
    with pytest.raises(Failure, match="fewer months at a time with --from and --to") as raised, failures_in_a_sentence():
        raise error
    assert "Possible solutions" not in str(raised.value.description)


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (SourceError("The API is ill."), "The API is ill."),
        (duckdb.ConstraintException("Constraint Error: NOT NULL\nmore"), "DuckDB refused to write the warehouse: Constraint"),
        (PermissionError(errno.EACCES, "Permission denied", "/data/w.duckdb"), "/data/w.duckdb can't be read or written: Perm"),
    ],
)
def test_an_error_with_a_sentence_ends_the_step_with_it(error: Exception, sentence: str) -> None:
    with pytest.raises(Failure) as raised, failures_in_a_sentence():
        raise error
    assert str(raised.value.description).startswith(sentence)
    assert raised.value.__cause__ is error
