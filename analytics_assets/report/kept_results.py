"""What the page says and no table of the warehouse holds: how checks ended, and how the last comparison by hand did.

Dagster has the results of the checks, and `analytics-assets verify` runs without Dagster. Both lie in small files beside the
page, so that it says the same whoever writes it. Only these files belong here.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from analytics_assets.report.quality_sections import CheckResult, Verified
from analytics_assets.warehouse.replacing import replacing

CHECKS_FILE: Final = "checks.json"
COMPARISON_FILE: Final = "comparison.json"


@dataclass(frozen=True)
class KeptChecks:
    """How the checks ended when Dagster last wrote the page, and when that was."""

    at: datetime
    checks: Sequence[CheckResult]


def keep_checks(page: Path, workspace_id: str, kept: KeptChecks) -> None:
    """Leave the results of the checks beside the page.

    Raises:
        OSError: the folder can't be written.
    """
    _keep(page.with_name(CHECKS_FILE), workspace_id, kept.at, {"checks": [asdict(check) for check in kept.checks]})


def kept_checks(page: Path, workspace_id: str) -> KeptChecks | None:
    """The results that lie beside the page; None where there are none of this workspace that can be read."""
    try:
        said = _kept(page.with_name(CHECKS_FILE), workspace_id)
        return None if said is None else KeptChecks(_moment(said["at"]), [CheckResult(**check) for check in said["checks"]])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def keep_comparison(page: Path, workspace_id: str, comparison: Verified) -> None:
    """Leave beside the page how a comparison of the whole history with the API ended.

    Raises:
        OSError: the folder can't be written.
    """
    _keep(page.with_name(COMPARISON_FILE), workspace_id, comparison.at, {"is_equal": comparison.is_equal})


def kept_comparison(page: Path, workspace_id: str) -> Verified | None:
    """The comparison that lies beside the page; None where there is none of this workspace that can be read."""
    try:
        said = _kept(page.with_name(COMPARISON_FILE), workspace_id)
        return None if said is None else Verified(_moment(said["at"]), said["is_equal"] is True)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _keep(file: Path, workspace_id: str, at: datetime, more: Mapping[str, Any]) -> None:
    text = json.dumps({"workspace_id": workspace_id, "at": at.isoformat(), **more}, indent=1)
    with replacing(file) as place:
        place.write_text(f"{text}\n", encoding="utf-8")


def _kept(file: Path, workspace_id: str) -> dict[str, Any] | None:
    if not file.exists():
        return None
    said: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return said if said["workspace_id"] == workspace_id else None


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
