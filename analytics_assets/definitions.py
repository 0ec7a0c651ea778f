"""What Dagster loads: `defs`, made for the settings of this process. Loading reads those and opens nothing.

Whoever needs definitions for other settings takes `build_definitions` from `orchestration/assembly.py`, without making these.
"""

from analytics_assets.collector import collect_seldom
from analytics_assets.orchestration.assembly import build_definitions

__all__ = ["build_definitions", "defs"]

collect_seldom()  # in the processes that Dagster starts for its runs
defs = build_definitions()
