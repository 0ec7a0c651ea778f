"""The sensor `notify_on_failure`: who is told when a run failed, or when a check failed in a run that ended green.

When a message is due belongs here. Its words stand in `failure_messages.py`, the sending in `notifying.py`. Dagster's own
run failure sensor would not do: it sees no failed check of a green run, and no run that the command line started.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Final, Literal, Self

from dagster import (
    DagsterEventType,
    DagsterInstance,
    DefaultSensorStatus,
    EventLogRecord,
    RunStatusChangeRecordsFilter,
    SensorDefinition,
    SensorEvaluationContext,
    SkipReason,
    sensor,
)
from pydantic import SecretStr

from analytics_assets.notifying import send
from analytics_assets.orchestration.failure_messages import Trouble, trouble_of
from analytics_assets.orchestration.run_history import label_of, own_label
from analytics_assets.settings import Settings

SECONDS_BETWEEN: Final = 30
RUNS_AT_ONCE: Final = 25
"""Of each kind, in one tick; what is left is told by the next."""

Ending = Literal[DagsterEventType.RUN_FAILURE, DagsterEventType.RUN_SUCCESS]


@dataclass
class Told:
    """How far the runs were looked at, and what was told last of each job that has not ended well since.

    Failed and green runs have a position each: a run that ends between the two questions would be passed over otherwise.
    """

    failed: int
    succeeded: int
    fingerprints: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, instance: DagsterInstance, cursor: str | None) -> Self:
        """What a cursor says; without one everything until now counts as told."""
        if cursor is not None:
            return cls(**json.loads(cursor))
        return cls(_newest(instance, DagsterEventType.RUN_FAILURE), _newest(instance, DagsterEventType.RUN_SUCCESS))

    def new_troubles(self, instance: DagsterInstance, label: str) -> list[Trouble]:
        """What there is to tell since, the oldest first; it counts as told from then on.

        The same trouble of the same job is told once, until it changes or the job ends well: an API that is away for a
        night would send a message each hour.
        """
        failed = _ended(instance, DagsterEventType.RUN_FAILURE, after=self.failed)
        succeeded = _ended(instance, DagsterEventType.RUN_SUCCESS, after=self.succeeded)
        self.failed = failed[-1].storage_id if failed else self.failed
        self.succeeded = succeeded[-1].storage_id if succeeded else self.succeeded
        troubles = []
        for record in sorted((*failed, *succeeded), key=lambda each: each.storage_id):
            run = instance.get_run_by_id(record.run_id)
            if run is None or label_of(run) != label:
                continue
            trouble = trouble_of(instance, run)
            if trouble is None:
                self.fingerprints.pop(run.job_name, None)
            elif self.fingerprints.get(run.job_name) != trouble.fingerprint:
                self.fingerprints[run.job_name] = trouble.fingerprint
                troubles.append(trouble)
        return troubles

    @property
    def cursor(self) -> str:
        """For the next tick."""
        return json.dumps(asdict(self))


def build_notify_on_failure(settings: Settings) -> SensorDefinition:
    """The sensor that tells failures; on where `ANALYTICS_NOTIFY_URLS` names somebody to tell, off where it does not."""
    urls = settings.notify_urls
    why = (
        "It is on because ANALYTICS_NOTIFY_URLS is set."
        if urls is not None
        else "It is off because ANALYTICS_NOTIFY_URLS names nobody to tell."
    )

    @sensor(
        name="notify_on_failure",
        minimum_interval_seconds=SECONDS_BETWEEN,
        default_status=DefaultSensorStatus.RUNNING if urls is not None else DefaultSensorStatus.STOPPED,
        description="Twice a minute: sends a message about each run of this project that failed, also one from the command line, "
        "and about each check of severity ERROR that failed in a run that ended green. The same trouble is told once, until "
        f"it changes or the job ends well. {why}",
    )
    def evaluate(context: SensorEvaluationContext) -> SkipReason:
        label = own_label(context)
        if urls is None:
            return SkipReason("ANALYTICS_NOTIFY_URLS is not set, so that there is nobody to tell.")
        if label is None:
            return SkipReason("The runs of this code location can't be told from others here.")
        told = Told.of(context.instance, context.cursor)
        troubles = told.new_troubles(context.instance, label)
        words = _tell(urls, troubles, settings.ui_url) if troubles else "Nothing new has failed."
        context.update_cursor(told.cursor)  # after the sending: what nobody got is tried again
        return SkipReason(words)

    return evaluate


def _tell(urls: SecretStr, troubles: Sequence[Trouble], ui_url: str | None) -> str:
    """Send all of it as one message, so that none is sent twice because another failed; what was done, in words.

    Raises:
        NotifyError: nobody took it.
    """
    title = troubles[0].title if len(troubles) == 1 else f"{len(troubles)} runs went wrong"
    refused = send(urls, title=title, body="\n\n".join(trouble.text(ui_url) for trouble in troubles))
    lost = f" {', '.join(refused)} did not take it; see ANALYTICS_NOTIFY_URLS." if refused else ""
    return f"Told: {title}.{lost}"


def _newest(instance: DagsterInstance, kind: Ending) -> int:
    records = instance.fetch_run_status_changes(kind, limit=1).records
    return records[0].storage_id if records else 0


def _ended(instance: DagsterInstance, kind: Ending, *, after: int) -> Sequence[EventLogRecord]:
    wanted = RunStatusChangeRecordsFilter(kind, after_storage_id=after)
    return instance.fetch_run_status_changes(wanted, limit=RUNS_AT_ONCE, ascending=True).records
