"""What an answer of status 200 says of itself beside its list."""

from collections.abc import Mapping
from typing import Any, Final

LOWEST_ERROR_CODE: Final = 400
FAILED: Final = frozenset({"error", "fail", "failed", "failure"})


def tells_of_an_error(envelope: Mapping[str, Any]) -> bool:
    """Whether an envelope says that it failed; its list would be taken for the whole, and empty it deletes all rows."""
    said = {name.lower().replace("_", ""): value for name, value in envelope.items()}
    codes = [str(said.get(name, "")).strip().lower() for name in ("code", "status", "statuscode", "errorcode")]
    is_code = any((code.isdecimal() and int(code) >= LOWEST_ERROR_CODE) or code in FAILED for code in codes)
    is_told = any(said.get(name) for name in ("error", "errors"))
    is_denied = any(str(said.get(name, "")).strip().lower() == "false" for name in ("success", "ok"))
    is_explained = any(said.get(name) for name in ("message", "detail", "details", "reason")) and not envelope["data"]
    return is_code or is_told or is_denied or is_explained
