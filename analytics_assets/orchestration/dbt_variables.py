"""Settings → variables of the dbt project; the only place that knows which settings the models depend on.

What a value may be is said in `settings.py`, and what a variable is without one in `dbt_project.yml`, so that nobody has
to edit a file inside the package.
"""

from dataclasses import asdict
from datetime import date
from typing import Any, Final

from analytics_assets.orchestration.member_capacities import MemberCapacity, of_whom_and_when, read_member_capacities
from analytics_assets.orchestration.owner_files import WORKSPACE, lines_of_workspace, workspaces_of
from analytics_assets.orchestration.rounding_rules import RoundingRule, of_whom, read_rounding_rules
from analytics_assets.setting_errors import SettingsError
from analytics_assets.settings import Settings

DbtValue = str | int | float | list[dict[str, Any]]

DBT_VARIABLES: Final = (
    "default_time_zone",
    "reporting_time_zone",
    "default_week_start",
    "default_currency",
    "weekly_capacity_hours",
    "burn_rate_days",
    "month_close_days",
    "as_of_date",
)
"""The variables of the dbt project that are settings of the same name with the same default. Besides there are
`member_capacities` and `rounding_rules`, which hold what the files of those settings say."""


def dbt_variables(settings: Settings) -> dict[str, DbtValue]:
    """The variables that differ from what the dbt project has by itself.

    Raises:
        SettingsError: names each file of a setting that is wrong.
    """
    values = {name: getattr(settings, name) for name in DBT_VARIABLES}
    changed = {name: _written(value) for name, value in values.items() if value != Settings.model_fields[name].default}
    of_files: dict[str, DbtValue] = {}
    wrong: list[tuple[str, str]] = []
    for name, lines_of in (("member_capacities", _capacities), ("rounding_rules", _rules)):
        try:
            of_files[name] = lines_of(settings)
        except SettingsError as error:
            wrong += error.named
    if wrong:
        raise SettingsError(wrong)
    return changed | {name: lines for name, lines in of_files.items() if lines}


def _capacities(settings: Settings) -> list[dict[str, Any]]:
    lines = read_member_capacities(settings.member_capacities, workspaces_of(settings))
    return [
        {**_values(each), "valid_from": each.valid_from and each.valid_from.isoformat()}
        for each in lines_of_workspace(lines, settings.workspace_id, of_whom_and_when)
    ]


def _rules(settings: Settings) -> list[dict[str, Any]]:
    lines = read_rounding_rules(settings.rounding_rules, workspaces_of(settings))
    return [_values(each) for each in lines_of_workspace(lines, settings.workspace_id, of_whom)]


def _values(line: MemberCapacity | RoundingRule) -> dict[str, Any]:
    """What a line says; the workspace is that of the warehouse."""
    return {name: value for name, value in asdict(line).items() if name != WORKSPACE}


def _written(value: str | float | date) -> DbtValue:
    """The value as dbt takes it: dates as text, and numbers with the six digits that the project reads."""
    if isinstance(value, date):
        return value.isoformat()
    return f"{value:.6f}" if isinstance(value, float) else value
