"""An error of the pipeline is one sentence in the UI where it has one, and itself elsewhere."""

import errno
from pathlib import Path

import duckdb
import pytest
from dagster import Failure
from requests.exceptions import ConnectionError as LineError

from analytics_assets.orchestration.failures import failures_in_a_sentence, sentence_of
from analytics_assets.source.errors import SourceError
from analytics_assets.warehouse.replacing import replacing


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


def test_what_lies_in_the_way_is_said_and_not_what_the_operating_system_calls_it(tmp_path: Path) -> None:
    """It was `File exists` for a file where the folder of the report belongs, without a word of what to do."""
    file = tmp_path / "report"
    file.touch()
    with pytest.raises(FileExistsError) as exists:
        file.mkdir()
    words = "it is a file, and a folder belongs there; move it away"
    assert sentence_of(exists.value) == f"{file} can't be read or written: {words}."
    with pytest.raises(IsADirectoryError) as folder, replacing(tmp_path) as place:
        place.touch()
    words = "it is a folder, and a file belongs there; move it away"
    assert sentence_of(folder.value) == f"{tmp_path} can't be read or written: {words}."
    refused = PermissionError(errno.EACCES, "Permission denied", str(file))
    words = "Permission denied; look at its owner and its permissions"
    assert sentence_of(refused) == f"{file} can't be read or written: {words}."


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
