"""A value goes into its column without loss, or not at all."""

from datetime import UTC, datetime

import pytest

from analytics_assets.source.columns import DataType
from analytics_assets.source.values import CONVERTERS, MisfitError

WHOLE_DAY = datetime(2024, 5, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("data_type", "value", "converted"),
    [
        ("bigint", 4321, 4321),
        ("bigint", 4321.0, 4321),
        ("bigint", -0.0, 0),
        ("bigint", "4321", 4321),
        ("bigint", "-12", -12),
        ("bigint", 2**63 - 1, 2**63 - 1),
        ("bigint", -(2**63), -(2**63)),
        ("bigint", float(2**53), 2**53),
        ("text", 4321, "4321"),
        ("text", 28800, "28800"),
        ("text", 1.5, "1.5"),
        ("text", 2**70, "1180591620717411303424"),
        ("text", "", ""),
        ("text", "2024-01-01T00:00:00Z", "2024-01-01T00:00:00Z"),
        ("double", 3, 3.0),
        ("double", 2**53, float(2**53)),
        ("bool", False, False),
        ("json", {"a": [1, None, "é"]}, '{"a":[1,null,"é"]}'),
        ("json", [2**70], "[1180591620717411303424]"),
        ("json", "plain", '"plain"'),
        ("timestamp", "2024-05-20T00:00:00Z", WHOLE_DAY),
        ("timestamp", "2024-05-20T00:00:00z", WHOLE_DAY),
        ("timestamp", "2024-05-20T05:30:00+05:30", WHOLE_DAY),
        ("timestamp", "2024-05-19T17:00:00-0700", WHOLE_DAY),
        ("timestamp", "2024-05-20T00:00:00", WHOLE_DAY),
        ("timestamp", "2024-05-20", WHOLE_DAY),
        ("timestamp", "2024-05-20T00:00:00.000001Z", WHOLE_DAY.replace(microsecond=1)),
        ("timestamp", "2024-05-20T00:00:00.123456000Z", WHOLE_DAY.replace(microsecond=123456)),
        ("timestamp", "2024-05-20T00:00:00,5Z", WHOLE_DAY.replace(microsecond=500_000)),
    ],
)
def test_a_conversion_without_loss_is_made(data_type: DataType, value: object, converted: object) -> None:
    result = CONVERTERS[data_type](value)
    assert result == converted and type(result) is type(converted)


@pytest.mark.parametrize(
    ("data_type", "value"),
    [
        ("bigint", 4321.5),
        ("bigint", True),
        ("bigint", "4321.0"),
        ("bigint", "+-5"),
        ("bigint", "--5"),
        ("bigint", ""),
        ("bigint", " "),
        ("bigint", "1e3"),
        ("bigint", "1_000"),
        ("bigint", "9" * 5000),
        ("bigint", 2**63),
        ("bigint", -(2**63) - 1),
        ("bigint", float(2**53) * 4),
        ("bigint", "9223372036854775808"),
        ("bigint", []),
        ("text", True),
        ("text", []),
        ("text", {}),
        ("double", 2**53 + 1),
        ("double", "1.5"),
        ("double", False),
        ("bool", 1),
        ("bool", "true"),
        ("timestamp", 1716163200),
        ("timestamp", ""),
        ("timestamp", "yesterday"),
        ("timestamp", "2024-13-01T00:00:00Z"),
        ("timestamp", "2024-05-20T00:00:60Z"),
        ("timestamp", "2024-05-20T00:00:00.1234567Z"),
        ("timestamp", "2024-05-20T00:00:00,1234567Z"),
        ("timestamp", "9999-12-31T23:59:59-05:00"),
        ("timestamp", "0001-01-01T00:00:00+05:00"),
        ("timestamp", {}),
    ],
)
def test_what_would_lose_something_is_a_misfit_and_no_other_error(data_type: DataType, value: object) -> None:
    with pytest.raises(MisfitError):
        CONVERTERS[data_type](value)
