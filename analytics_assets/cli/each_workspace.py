"""One command for each workspace that the settings name: one that fails holds up no other, and the end says which."""

from collections.abc import Callable

from analytics_assets.cli.errors import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_OK, CommandError, UsageError, say
from analytics_assets.settings import Settings


def for_each_workspace(settings: Settings, do: Callable[[Settings], int], *, done: str) -> int:
    """Do something with each workspace; with one alone just that.

    Args:
        settings: those of the process.
        do: what is done with the settings of one workspace; returns an exit code.
        done: what it is when it went well, for the last line, such as "in the warehouse".

    Returns:
        The exit code: 0 only if it went well for each.

    Raises:
        UsageError: the arguments are wrong, which they are for every workspace.
        CommandError: of a workspace that is alone.
    """
    each = settings.of_each_workspace()
    if len(each) == 1:
        return do(each[0])
    failed = []
    for number, of_one in enumerate(each, 1):
        print(f"{'' if number == 1 else chr(10)}Workspace {of_one.workspace_id} ({number} of {len(each)})", flush=True)
        try:
            code = do(of_one)
        except UsageError:
            raise
        except CommandError as error:
            say(str(error))
            code = error.exit_code
        if code == EXIT_INTERRUPTED:
            return code
        if code != EXIT_OK:
            failed.append(of_one.workspace_id)
    good = len(each) - len(failed)
    print(f"\n{good} of {len(each)} workspaces {done}" + (f"; not {', '.join(map(str, failed))}, see above." if failed else "."))
    return EXIT_FAILED if failed else EXIT_OK
