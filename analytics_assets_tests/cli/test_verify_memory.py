"""What `verify` says where DuckDB has not enough memory for the texts that were read."""

from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from analytics_assets.cli.commands import verify
from analytics_assets.cli.errors import CommandError
from analytics_assets.pipeline.months import Month, Span
from analytics_assets.pipeline.progress import ReadingProgress
from analytics_assets.settings import Settings


def test_whoever_has_texts_of_megabytes_is_told_to_verify_fewer_months(monkeypatch: pytest.MonkeyPatch) -> None:
    """It ended in a traceback of DuckDB's."""

    def without_memory(**_: Any) -> None:
        raise duckdb.OutOfMemoryException("Out of Memory Error: failed to pin block\nPossible solutions:")

    monkeypatch.setattr(verify, "verify", without_memory)
    monkeypatch.setattr("analytics_assets.pipeline.api.Api.of", lambda settings: None)
    settings = Settings.model_construct(duckdb_path=Path("w.duckdb"), start_date=date(2026, 1, 1), lookback_months=2)
    with pytest.raises(CommandError, match="fewer months at a time with --from and --to"):
        verify._verified(settings, Span(Month(2026, 1), Month(2026, 2)), ReadingProgress())
