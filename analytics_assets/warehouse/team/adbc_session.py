"""A connection to a team's warehouse through ADBC: statements, rows as Arrow, and what goes wrong as one sentence.

Which statements an engine understands is known in the module of that engine.
"""

import contextlib
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from typing import Any, Final

import pyarrow as pa

from analytics_assets.warehouse.errors import WarehouseError

CONNECT_SECONDS: Final = 300.0
"""As long as a person may take to log in through a browser."""


class AdbcSession:
    """A connection of ADBC's, for as long as it is open."""

    def __init__(self, con: Any) -> None:
        self._con = con

    def run(self, sql: str) -> None:
        """Run a statement."""
        with self._con.cursor() as cursor:
            cursor.execute(sql)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        with self._con.cursor() as cursor:
            cursor.execute(sql)
            return list(cursor.fetchall())

    @contextlib.contextmanager
    def arrow(self, sql: str) -> Iterator[pa.RecordBatchReader]:
        """The rows of a query as Arrow, while the block lasts."""
        with self._con.cursor() as cursor:
            cursor.execute(sql)
            yield cursor.fetch_record_batch()

    def bring(self, rows: pa.RecordBatchReader, name: str) -> None:
        """Create a temporary table of these rows, in the way that the engine loads fastest."""
        with self._con.cursor() as cursor:
            cursor.adbc_ingest(name, rows, mode="create", temporary=True)

    def append(self, rows: pa.RecordBatchReader, name: str) -> None:
        """Append these rows to a table of the current schema, in the way that the engine loads fastest."""
        with self._con.cursor() as cursor:
            cursor.adbc_ingest(name, rows, mode="append")


def connected(connect: Callable[[], Any], refused: str, *, hint: str) -> Any:
    """What `connect` returns; it runs in a thread of its own, since a driver that waits for a server hears no Ctrl-C.

    Args:
        connect: the driver's own function; without an answer it may wait for ever.
        refused: how the sentence begins, with the engine and where it is.
        hint: what follows.

    Raises:
        WarehouseError: there was no answer in the time in which a person could have logged in.
    """
    made: Future[Any] = Future()

    def run() -> None:
        try:
            made.set_result(connect())
        except BaseException as error:  # noqa: BLE001  # it is raised where it is waited for
            made.set_exception(error)

    threading.Thread(target=run, name="connecting", daemon=True).start()
    try:
        return made.result(CONNECT_SECONDS)
    except TimeoutError:
        if made.done():  # the driver's own
            raise
        raise WarehouseError(f"{refused}: it has not answered for {CONNECT_SECONDS:.0f} s. {hint}") from None


@contextlib.contextmanager
def refusals_in_a_sentence(
    kind: type[Exception], refused: str, *, secrets: Sequence[str | None], hint: str = ""
) -> Iterator[None]:
    """What the driver raises in the block as one sentence.

    Args:
        kind: the driver's kind of errors.
        refused: how the sentence begins, with the engine and where it is.
        secrets: what must not be in it.
        hint: what follows.

    Raises:
        WarehouseError: instead of the driver's own error.
    """
    try:
        yield
    except kind as error:
        said = " ".join(str(error).split()).removeprefix("INVALID_ARGUMENT: ")
        for secret in filter(None, secrets):
            # as a word of its own: `***word authentication failed` would tell the password `pass`
            said = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", "***", said)
        said = re.sub(r"\. SQLSTATE: \w+$", "", said).rstrip(".")
        raise WarehouseError(f"{refused}: {said}{'' if said.endswith('?') else '.'}{hint and f' {hint}'}") from None
