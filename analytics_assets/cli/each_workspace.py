"""One command for each workspace that the settings name: one that fails holds up no other, and the end says which."""

import traceback
from collections.abc import Callable, Collection

from analytics_assets.cli.errors import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_OK, CommandError, UsageError, say
from analytics_assets.setting_addresses import named_workspace
from analytics_assets.settings import Settings


def for_each_workspace(
    settings: Settings, do: Callable[[Settings], int], *, done: str, left_out: Collection[str | None] = ()
) -> int:
    """Do something with each workspace; with one alone just that.

    Args:
        settings: those of the process.
        do: what is done with the settings of one workspace; returns an exit code.
        done: what it is when it went well, for the last line, such as "in the warehouse".
        left_out: the names of those of several workspaces with which nothing is done.

    Returns:
        The exit code: 0 only if it went well for each.

    Raises:
        UsageError: the arguments are wrong, which they are for every workspace.
        CommandError: of a workspace that is alone.
    """
    each = settings.of_each_workspace()
    if len(each) == 1:
        return do(each[0])
    each = [of_one for of_one in each if of_one.workspace_name not in left_out]
    failed = []
    for number, of_one in enumerate(each, 1):
        print(f"{'' if number == 1 else chr(10)}Workspace {_called(of_one)} ({number} of {len(each)})", flush=True)
        try:
            code = do(of_one)
        except UsageError:
            raise
        except CommandError as error:
            say(str(error))
            code = error.exit_code
        except Exception:  # noqa: BLE001  # what nobody has foreseen holds up no other workspace either
            traceback.print_exc()
            code = EXIT_FAILED
        if code == EXIT_INTERRUPTED:
            return code
        if code != EXIT_OK:
            failed.append(_called(of_one))
    good = len(each) - len(failed)
    which = f"; not {', '.join(failed)}, see above." if failed else "."
    print(f"\n{good} of {len(each)} workspace{'' if len(each) == 1 else 's'} {done}{which}")
    return EXIT_FAILED if failed else EXIT_OK


def _called(of_one: Settings) -> str:
    """A workspace as the settings call it: its id, and before it the name that it was given."""
    name, id = str(of_one.workspace_name), str(of_one.workspace_id)
    return id if named_workspace(id)[0] == name else f"{name}={id}"
