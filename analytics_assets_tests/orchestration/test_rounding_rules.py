"""The owner's file of how billed time is rounded: what it may hold, and what is said of a wrong line."""

from pathlib import Path

import pytest

from analytics_assets.orchestration.dbt_variables import dbt_variables
from analytics_assets.orchestration.rounding_rules import RoundingRule, read_rounding_rules
from analytics_assets.setting_errors import SettingsError
from analytics_assets.settings import settings_of

HEADER = "client,minutes,direction\n"


def written(folder: Path, text: str) -> Path:
    path = folder / "rounding.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_each_line_says_how_a_client_is_rounded_and_one_holds_for_the_others(tmp_path: Path) -> None:
    path = written(tmp_path, HEADER + ',15,Up\n"O\'Neil, Sons & Co",6,nearest\n')
    assert read_rounding_rules(path) == [RoundingRule(None, 15, "up"), RoundingRule("O'Neil, Sons & Co", 6, "nearest")]
    assert dbt_variables(settings_of({"ANALYTICS_ROUNDING_RULES": str(path)})) == {
        "rounding_rules": [
            {"client": None, "minutes": 15, "direction": "up"},
            {"client": "O'Neil, Sons & Co", "minutes": 6, "direction": "nearest"},
        ]
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("client,minutes\nAcme,15\n", "the first line must name the columns client, minutes, direction"),
        (HEADER + "Acme,0,up\n", "line 2 has '0' minutes; write a whole number from 1 to 1440"),
        (HEADER + "Acme,7.5,up\n", "line 2 has '7.5' minutes"),
        (HEADER + "Acme,15,upwards\n", "line 2 has the direction 'upwards'; write one of up, down, nearest"),
        (HEADER + "{{ acme }},15,up\n", "line 2 has the client '{{ acme }}'; write its id"),
        (HEADER + ",15,up\n,6,up\n", "line 3 says a second time what another line says already"),
        (HEADER + "Acme,15,up\nacme,6,up\n", "line 3 says a second time what another line says already"),
    ],
)
def test_a_wrong_line_is_named_with_what_it_should_be(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SettingsError) as failure:
        read_rounding_rules(written(tmp_path, text))
    assert f"ANALYTICS_ROUNDING_RULES names {tmp_path / 'rounding.csv'}, where {said}" in str(failure.value)


def test_two_files_that_are_wrong_are_named_in_one_message(tmp_path: Path) -> None:
    """The rounding rules were named only by the sync after the one that named the capacities."""
    rules, capacities = written(tmp_path, HEADER + "Acme,0,up\n"), tmp_path / "missing.csv"
    named = {"ANALYTICS_ROUNDING_RULES": str(rules), "ANALYTICS_MEMBER_CAPACITIES": str(capacities)}
    with pytest.raises(SettingsError) as failure:
        dbt_variables(settings_of(named))
    assert f"ANALYTICS_MEMBER_CAPACITIES names {capacities}, which can't be read" in str(failure.value)
    assert f"ANALYTICS_ROUNDING_RULES names {rules}, where line 2 has '0' minutes" in str(failure.value)
