"""What a run prints, captured for the UI as Dagster does it, without the processes that show it on a terminal too.

Dagster starts two processes for each stream, one that follows the file and one that watches over it. A command whose
output goes nowhere needs neither, and Ctrl-C on its terminal ended the watchers with a traceback each.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Self

from dagster import DagsterInstance
from dagster._core.execution.compute_logs import redirect_to_file
from dagster._core.instance.ref import InstanceRef
from dagster._core.storage.compute_log_manager import CapturedLogContext, ComputeIOType
from dagster._core.storage.local_compute_log_manager import IO_TYPE_EXTENSION, LocalComputeLogManager
from dagster._serdes import ConfigurableClassData
from dagster._utils import ensure_file, touch_file

COMPLETE: Final = "complete"
"""Ending of the file that says that nothing more comes."""


class CapturedOnly(LocalComputeLogManager):
    """Dagster's own way to keep what runs print, in the same files."""

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> Self:
        """The storage as the instance configures Dagster's own."""
        return cls(inst_data=inst_data, **config_value)

    @contextmanager
    def capture_logs(self, log_key: Sequence[str]) -> Iterator[CapturedLogContext]:
        """Write what is printed in the block into the files of a log."""
        out = self.get_captured_local_path(log_key, IO_TYPE_EXTENSION[ComputeIOType.STDOUT])
        err = self.get_captured_local_path(log_key, IO_TYPE_EXTENSION[ComputeIOType.STDERR])
        for file in (out, err):
            ensure_file(file)
        with redirect_to_file(sys.stdout, out), redirect_to_file(sys.stderr, err):
            yield CapturedLogContext(log_key)
        touch_file(self.get_captured_local_path(log_key, COMPLETE))


def instance_without_output(home: Path) -> DagsterInstance:
    """The instance in a folder, for runs whose output is shown nowhere; where logs are kept elsewhere, as it is configured.

    Args:
        home: the folder of the instance.
    """
    ref = InstanceRef.from_dir(str(home))
    logs = ref.compute_logs_data
    if logs.class_name == LocalComputeLogManager.__name__:
        ours = ConfigurableClassData(__name__, CapturedOnly.__name__, logs.config_yaml)
        ref = ref._replace(compute_logs_data=ours)
    return DagsterInstance.from_ref(ref)
