"""The figures that a model shows in the UI beside its rows: hours, amounts by currency, what is late or used up.

Which they are stands in the model's `.yml` (`meta`), as SQL over its columns; they are computed when it was built.
"""

from collections.abc import Mapping
from typing import Any, Final

import duckdb

from analytics_assets.warehouse.built import Relation, place

FIGURES: Final = "figures"
"""Name → an aggregate over the whole model."""
FIGURES_BY_CURRENCY: Final = "figures_by_currency"
"""Name → an aggregate over the rows of each currency, in the model's column `currency`."""
DIGITS: Final = 2


def figures_of(con: duckdb.DuckDBPyConnection, relation: Relation, meta: Mapping[str, Any]) -> dict[str, float]:
    """The figures of a model; one that the warehouse has no value for is left out.

    Args:
        con: a connection to the warehouse.
        relation: where the model lies.
        meta: what its `.yml` says under `meta`.
    """
    return _of_all(con, relation, meta.get(FIGURES, {})) | _by_currency(con, relation, meta.get(FIGURES_BY_CURRENCY, {}))


def _of_all(con: duckdb.DuckDBPyConnection, relation: Relation, figures: Mapping[str, str]) -> dict[str, float]:
    if not figures:
        return {}
    values = con.execute(f"SELECT {', '.join(figures.values())} FROM {place(relation)}").fetchone() or ()
    return {name: _rounded(value) for name, value in zip(figures, values, strict=True) if value is not None}


def _by_currency(con: duckdb.DuckDBPyConnection, relation: Relation, figures: Mapping[str, str]) -> dict[str, float]:
    if not figures:
        return {}
    rows = con.execute(
        f"SELECT currency, {', '.join(figures.values())} FROM {place(relation)} "
        "WHERE currency IS NOT NULL GROUP BY currency ORDER BY currency"
    ).fetchall()
    return {
        f"{name}, {currency}": _rounded(value)
        for currency, *values in rows
        for name, value in zip(figures, values, strict=True)
        if value is not None
    }


def _rounded(value: Any) -> float:
    return value if isinstance(value, int) else round(float(value), DIGITS)
