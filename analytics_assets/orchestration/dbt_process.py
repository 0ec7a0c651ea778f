"""The process that dbt runs in: it keeps the warehouse open for dbt alone, and ends when the run that started it ends.

Otherwise it is `dbt` with the same arguments. Started by `dbt_assets.py`; importing Dagster would cost seconds here.
"""

import os
import sys
import threading
import time
from pathlib import Path
from typing import Final

from analytics_assets.warehouse.connection import occupied
from analytics_assets.warehouse.errors import WarehouseError

PATH_VARIABLE: Final = "ANALYTICS_DBT_DUCKDB_PATH"
"""Where `dbt_project/profiles.yml` finds the warehouse; set for dbt by `dbt_assets.py`, not by people."""
RUN_VARIABLE: Final = "ANALYTICS_DBT_RUN_PID"
"""The process of the run; it holds the writer's lock for dbt."""
LOOK_SECONDS: Final = 0.2


def main() -> None:
    """Run dbt.

    Between its models dbt lets go of the file: a reader that got in would make the next model fail after half a
    minute, and the next sync of a run that was killed would publish between two models of its orphan. So the file
    stays open here from before dbt begins, and an orphan that opens it too late ends before it writes anything.
    """
    run = int(os.environ[RUN_VARIABLE])
    try:
        with occupied(Path(os.environ[PATH_VARIABLE])):
            _end_without(run)
            threading.Thread(target=_watch, args=(run,), daemon=True).start()
            from dbt.cli.main import cli

            cli(prog_name="dbt")
    except WarehouseError as error:
        sys.exit(str(error))


def _watch(run: int) -> None:
    while True:
        _end_without(run)
        time.sleep(LOOK_SECONDS)


def _end_without(run: int) -> None:
    """End at once, as `kill -9` would, if the process of the run has ended; DuckDB keeps what was committed."""
    if os.getppid() != run:
        os._exit(1)
