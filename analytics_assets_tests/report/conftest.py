"""The warehouses of the dbt tests, which the report is built from too."""

from analytics_assets_tests.dbt.conftest import builder, empty, lived_in, mixed

__all__ = ["builder", "empty", "lived_in", "mixed"]
