"""What Dagster loads: `defs`, made for the settings of this process. Loading reads those and opens nothing.

Where `ANALYTICS_WORKSPACE_ID` names several workspaces, each is a repository of its own instead, with its own jobs, schedules
and runs: Dagster shows them side by side, and one that fails holds up no other. Whoever needs definitions for other settings
takes `build_definitions` from `orchestration/assembly.py`, without making these.
"""

from analytics_assets.collector import collect_seldom
from analytics_assets.orchestration.assembly import build_definitions, build_repositories
from analytics_assets.settings import load_settings

__all__ = ["build_definitions"]

collect_seldom()  # in the processes that Dagster starts for its runs
_settings = load_settings()
if len(_settings.of_each_workspace()) == 1:
    defs = build_definitions(_settings)
else:
    globals().update(build_repositories(_settings))
