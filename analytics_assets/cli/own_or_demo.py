"""The workspace that a command means: the owner's, or without a key the demo that the warehouse holds.

After `make run` without a key the other commands go on with what it has loaded, so the demo is served again for them.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from analytics_assets.cli.checked_settings import checked_settings, loaded_settings, say_what_is_not_used
from analytics_assets.settings import Settings


@contextmanager
def own_or_demo() -> Iterator[Settings]:
    """The settings with key, address and workspace; the demo, where it is meant, is served until the end.

    Raises:
        CommandError: names every variable that is missing or wrong.
    """
    with demo_if_meant(loaded_settings()) as variables:
        settings = checked_settings(variables)
        say_what_is_not_used()
        yield settings


@contextmanager
def demo_if_meant(settings: Settings) -> Iterator[Mapping[str, str]]:
    """The variables of the demo, served until the end, where no workspace is named and the warehouse holds it; none otherwise.

    Raises:
        CommandError: the warehouse can't be opened, or the demo does not start.
    """
    if settings.means_own_workspace:
        yield {}
        return
    from analytics_assets.cli.demo_process import demo_api, demo_day, say_demo  # a tenth of a second, for those with a key

    day = demo_day(settings.duckdb_path)
    if day is None:
        yield {}
        return
    say_demo(settings)
    with demo_api(today=day) as demo:
        yield demo.variables
