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


def of_each(path: Path) -> list[object]:
    """What dbt is told in each of two workspaces."""
    access = {"ANALYTICS_API_KEY": "key", "ANALYTICS_API_URL": "https://api.example.com", "ANALYTICS_WORKSPACE_ID": "w1,w2"}
    settings = settings_of({**access, "ANALYTICS_ROUNDING_RULES": str(path)})
    return [dbt_variables(each).get("rounding_rules") for each in settings.of_each_workspace()]


def test_a_line_may_hold_for_one_of_several_workspaces(tmp_path: Path) -> None:
    """Each workspace warned of the clients of the others, and two clients of one name could not be rounded differently."""
    path = written(
        tmp_path, "workspace_id,client,minutes,direction\n,,15,up\n,acme,6,up\nw2,ACME,10,down\nw1,Krümel,5,up\nw2,,30,up\n"
    )
    first, second = of_each(path)
    assert first == [
        {"client": None, "minutes": 15, "direction": "up"},
        {"client": "acme", "minutes": 6, "direction": "up"},
        {"client": "Krümel", "minutes": 5, "direction": "up"},
    ]
    assert second == [
        {"client": "ACME", "minutes": 10, "direction": "down"},
        {"client": None, "minutes": 30, "direction": "up"},
    ]


def test_a_line_for_a_workspace_that_is_not_loaded_is_refused(tmp_path: Path) -> None:
    """A mistake in the id would leave the time of that client as it is, without a word."""
    path = written(tmp_path, "client,minutes,direction,workspace_id\nAcme,6,up,w3\n")
    with pytest.raises(SettingsError, match=r"line 2 is for workspace 'w3', which ANALYTICS_WORKSPACE_ID does not name"):
        of_each(path)


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
