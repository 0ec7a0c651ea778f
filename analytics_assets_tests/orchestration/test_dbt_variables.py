"""The settings that the models depend on reach dbt, and say without a value what dbt says."""

import yaml  # type: ignore[import-untyped]

from analytics_assets.orchestration.dbt_nodes import PROJECT_DIR
from analytics_assets.orchestration.dbt_variables import DBT_VARIABLES, dbt_variables
from analytics_assets.settings import Settings, settings_of


def test_every_variable_of_the_dbt_project_is_a_setting_with_the_same_default() -> None:
    declared = yaml.safe_load((PROJECT_DIR / "dbt_project.yml").read_text(encoding="utf-8"))["vars"]
    for name in ("member_capacities", "rounding_rules"):
        assert declared.pop(name) == [] and getattr(Settings(), name) is None
    assert declared.keys() == set(DBT_VARIABLES)
    assert {name: value or None for name, value in declared.items()} == {
        name: Settings.model_fields[name].default or None for name in DBT_VARIABLES
    }


def test_without_a_variable_set_dbt_has_its_own_values() -> None:
    assert dbt_variables(settings_of({})) == {}


def test_settings_are_written_as_dbt_reads_them() -> None:
    """dbt takes no date of Python's, and no number like 1e-07."""
    given = {
        "ANALYTICS_DEFAULT_WEEK_START": "sunday",
        "ANALYTICS_AS_OF_DATE": "2025-06-30",
        "ANALYTICS_WEEKLY_CAPACITY_HOURS": "0.0000001",
        "ANALYTICS_MONTH_CLOSE_DAYS": "5",
    }
    assert dbt_variables(settings_of(given)) == {
        "default_week_start": "SUNDAY",
        "as_of_date": "2025-06-30",
        "weekly_capacity_hours": "0.000000",
        "month_close_days": 5,
    }
