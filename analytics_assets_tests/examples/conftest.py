"""A whole project for the second code location, and a built warehouse for the second dbt project."""

from analytics_assets_tests.dbt.conftest import builder, lived_in
from analytics_assets_tests.orchestration.conftest import project

__all__ = ["builder", "lived_in", "project"]
