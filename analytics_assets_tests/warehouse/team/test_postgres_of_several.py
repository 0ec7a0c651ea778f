"""Of several workspaces Postgres has the tables of all, and follows their common file."""

import pytest

from analytics_assets.warehouse.errors import WarehouseError
from analytics_assets.warehouse.team.delivery import deliver, tables_that_differ
from analytics_assets.warehouse.team.postgres import Postgres
from analytics_assets_tests.team_database import Team
from analytics_assets_tests.warehouse.two_workspaces import SECOND, Both

ROWS = "SELECT workspace_id, count(*)::int FROM raw.tags GROUP BY 1 ORDER BY 1"


def test_postgres_follows_the_file_of_all_workspaces_and_no_file_of_others(team: Team, both: Both) -> None:
    tags = len(both.first.workspace.tags)

    # the first was delivered when it was loaded alone; its tables had no column that says whose a row is
    deliver(both.first.path, Postgres(team.url))
    for rig in (both.first, both.second):
        both.put(rig)
    sent = deliver(both.together, Postgres(team.url)).sent
    assert {"raw.tags", "raw_history.time_entries", "raw._workspace"} <= {*sent}
    assert "raw._put_together" not in sent
    assert team.rows(ROWS) == sorted([(both.first.workspace_id, tags), (SECOND, tags)])
    assert tables_that_differ(both.together, Postgres(team.url)) == []
    assert deliver(both.together, Postgres(team.url)).sent == []

    with pytest.raises(WarehouseError) as refused:
        deliver(both.first.path, Postgres(team.url))
    ids = ", ".join(sorted(both.ids))
    assert str(refused.value).startswith(f"Postgres holds workspaces {ids}, not workspace {both.first.workspace_id}: set ")
    assert team.rows(ROWS) == sorted([(both.first.workspace_id, tags), (SECOND, tags)])

    # one that is not loaded any more goes, as it goes from the file
    both.put(both.second, {SECOND: both.second.path, **both.of_others})
    deliver(both.together, Postgres(team.url))
    assert team.rows(ROWS) == [(SECOND, tags)]

    both.together.unlink()
    both.put(both.first, {both.first.workspace_id: both.first.path, **both.of_others})
    with pytest.raises(WarehouseError, match=f"Postgres holds workspace {SECOND}, not workspace {both.first.workspace_id}: "):
        deliver(both.together, Postgres(team.url))
    assert team.rows(ROWS) == [(SECOND, tags)]
