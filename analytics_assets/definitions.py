"""What Dagster loads: `defs`, made for the settings of this process. Loading reads those and opens nothing.

Whoever needs definitions for other settings takes `build_definitions` from `orchestration/assembly.py`, without making these.
"""

from analytics_assets.orchestration.assembly import build_definitions

__all__ = ["build_definitions", "defs"]

defs = build_definitions()
