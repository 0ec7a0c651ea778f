"""The owner's file of who can work how much: what it may hold, and what is said of a wrong line."""

from datetime import date
from pathlib import Path

import pytest

from analytics_assets.orchestration.dbt_variables import dbt_variables
from analytics_assets.orchestration.member_capacities import MemberCapacity, read_member_capacities
from analytics_assets.setting_errors import SettingsError
from analytics_assets.settings import settings_of

HEADER = "member,hours_per_week,valid_from\n"


def written(folder: Path, text: str) -> Path:
    path = folder / "capacities.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_each_line_says_what_a_member_can_work_from_a_day_on(tmp_path: Path) -> None:
    path = written(
        tmp_path, "\ufeffmember, hours_per_week , valid_from\nada@example.com,37.5,\n\nada@example.com, 20 ,2026-03-01\n"
    )
    assert read_member_capacities(path) == [
        MemberCapacity("ada@example.com", 135_000, None),
        MemberCapacity("ada@example.com", 72_000, date(2026, 3, 1)),
    ]
    assert dbt_variables(settings_of({"ANALYTICS_MEMBER_CAPACITIES": str(path)})) == {
        "member_capacities": [
            {"member": "ada@example.com", "weekly_seconds": 135_000, "valid_from": None},
            {"member": "ada@example.com", "weekly_seconds": 72_000, "valid_from": "2026-03-01"},
        ]
    }


def test_the_day_may_be_left_out_altogether(tmp_path: Path) -> None:
    assert read_member_capacities(written(tmp_path, "hours_per_week,member\n0,u1\n")) == [MemberCapacity("u1", 0, None)]


def test_a_line_may_hold_for_one_of_several_workspaces(tmp_path: Path) -> None:
    path = written(tmp_path, "member,hours_per_week,workspace_id\nada@example.com,30,\nAda@example.com,10,w2\n")
    access = {"ANALYTICS_API_KEY": "key", "ANALYTICS_API_URL": "https://api.example.com", "ANALYTICS_WORKSPACE_ID": "w1,w2"}
    settings = settings_of({**access, "ANALYTICS_MEMBER_CAPACITIES": str(path)})
    assert [dbt_variables(each)["member_capacities"] for each in settings.of_each_workspace()] == [
        [{"member": "ada@example.com", "weekly_seconds": 108_000, "valid_from": None}],
        [{"member": "Ada@example.com", "weekly_seconds": 36_000, "valid_from": None}],
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the first line must name the columns"),
        ("who,hours_per_week\nada,30\n", "the first line must name the columns"),
        (HEADER + "ada,30\n", "line 2 has not as many values"),
        (HEADER + "ada,30,,more\n", "line 2 has not as many values"),
        (HEADER + "ada,thirty,\n", "line 2 has 'thirty' hours; write a number from 0 to 168"),
        (HEADER + "ada,169,\n", "line 2 has '169' hours"),
        (HEADER + "ada,NaN,\n", "line 2 has 'NaN' hours"),
        (HEADER + "ada,30,\nben,30,1.3.2026\n", "line 3 has the day '1.3.2026'"),
        (HEADER + "ada {{ 1 }},30,\n", "line 2 has the member 'ada {{ 1 }}'"),
        (
            HEADER + "ada,30,2026-03-01\nAda,20,2026-03-01\n",
            "line 3 says a second time what another line says already: Ada, 20, 2026-03-01",
        ),
    ],
)
def test_a_wrong_line_is_named_with_what_it_should_be(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SettingsError) as failure:
        read_member_capacities(written(tmp_path, text))
    assert f"ANALYTICS_MEMBER_CAPACITIES names {tmp_path / 'capacities.csv'}, where {said}" in str(failure.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"missing\.csv, which can't be read"):
        read_member_capacities(tmp_path / "missing.csv")
