"""What `--select` means for each of several workspaces."""

import pytest

from analytics_assets.cli.select_of_workspace import select_of_workspace

NAMES = ("north", "south_raw")


@pytest.mark.parametrize(
    ("typed", "for_north", "for_south"),
    [
        ("raw/users", "north/raw/users", "south_raw/raw/users"),
        ("north/raw/users", "north/raw/users", None),
        ("raw/*,south_raw/marts/dim_users", "north/raw/*", "south_raw/raw/*,south_raw/marts/dim_users"),
        ("+raw/users+ or raw/tags", "+north/raw/users+ or north/raw/tags", "+south_raw/raw/users+ or south_raw/raw/tags"),
        ('key:"raw/*"', 'key:"north/raw/*"', 'key:"south_raw/raw/*"'),
        ("group:marts", "group:marts_north", "group:marts_south_raw"),
        ('group:"raw_south_raw"', None, 'group:"raw_south_raw"'),
        ("*/dim_users", "*/dim_users", "*/dim_users"),
        (" , ", "", ""),
        ("nothing", "nothing", "nothing"),
    ],
)
def test_a_selection_is_about_each_unless_it_names_some(typed: str, for_north: str | None, for_south: str | None) -> None:
    assert [select_of_workspace(typed, name, NAMES) for name in NAMES] == [for_north, for_south]
