"""The log of publications, read back: what of history the warehouse has ever covered."""

from datetime import date, datetime
from pathlib import Path

from analytics_assets.warehouse.connection import connection
from analytics_assets.warehouse.tables import PUBLICATIONS, RAW, columns_of


def last_covered_moment(path: Path, start_date: date, *, patience_seconds: float) -> datetime | None:
    """The moment of the last publication that read time entries up to its own present.

    Args:
        path: the warehouse file.
        start_date: first day of history; where no publication has reached back to it, nothing counts as covered.
        patience_seconds: how long to wait for another program that has the file open.

    Raises:
        WarehouseError: the file can't be opened.
    """
    if not path.exists():
        return None
    with connection(path, read_only=True, patience_seconds=patience_seconds) as con:
        if not columns_of(con, RAW, PUBLICATIONS.split(".")[1]):
            return None
        row = con.execute(
            f"SELECT max(published_at) FROM {PUBLICATIONS} WHERE resource = 'time_entries' AND window_end IS NULL "
            f"HAVING (SELECT min(window_start)::DATE FROM {PUBLICATIONS} "
            "WHERE resource = 'time_entries' AND window_end IS NULL) <= ?",
            [start_date],
        ).fetchone()
    return None if row is None else row[0]
