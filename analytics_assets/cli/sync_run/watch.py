"""Collects what is known about a run, during and after it: the progress of the reading, and Dagster's events.

Only facts belong here; how they are shown is decided in `display.py` and `summary.py`.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, cast

from dagster import AssetCheckEvaluation, AssetKey, AssetMaterialization, DagsterEvent, DagsterEventType, EventLogEntry
from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluationPlanned
from dagster._core.events import RunFailureReason
from dagster_shared.error import SerializableErrorInfo

from analytics_assets.orchestration.keys import Keys, layer
from analytics_assets.pipeline.progress import ReadingProgress, ResourceProgress
from analytics_assets.source.columns import RESOURCE_NAMES, ResourceName
from analytics_assets.warehouse.tables import RAW

MetadataValues = Mapping[str, object]

FIGURES_OF_MONTHS: Final = ("rows new", "rows changed", "rows deleted")
FAILURES: Final = {DagsterEventType.STEP_FAILURE, DagsterEventType.RESOURCE_INIT_FAILURE, DagsterEventType.PIPELINE_FAILURE}


@dataclass(frozen=True)
class FailedStep:
    """A step that failed: its name, the reason in one sentence, and the traceback for `--verbose`."""

    name: str
    sentence: str
    story: str


@dataclass
class RunWatch:
    """The state of a run; filled from several threads, read from any."""

    keys: Keys = field(default_factory=Keys)
    started: float = field(default_factory=time.monotonic)
    reading: ReadingProgress | None = None
    planned: set[AssetKey] = field(default_factory=set)
    checks_planned: int = 0
    landed: dict[ResourceName, MetadataValues] = field(default_factory=dict)
    models: dict[AssetKey, MetadataValues] = field(default_factory=dict)
    report: MetadataValues | None = None
    reader_copy: MetadataValues | None = None
    delivery: MetadataValues | None = None
    checks: list[AssetCheckEvaluation] = field(default_factory=list)
    failed_steps: list[FailedStep] = field(default_factory=list)
    running: str = ""
    """The step that is running."""
    begun: set[str] = field(default_factory=set)
    """The steps that have begun."""
    is_interrupted: bool = False
    is_green: bool = False

    @property
    def elapsed_seconds(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self.started

    @property
    def models_planned(self) -> int:
        """Models that the run is to build."""
        made_of_models = {self.keys.report, self.keys.reader_copy, *self.keys.deliveries}
        return sum(layer(key) != RAW and key not in made_of_models for key in self.planned)

    @property
    def has_raw(self) -> bool:
        """Whether the run is to load raw tables."""
        return any(layer(key) == RAW for key in self.planned)

    @property
    def has_begun_models(self) -> bool:
        """Whether dbt has begun, so that some models may be new."""
        return "dbt" in self.begun

    @property
    def is_building(self) -> bool:
        """Whether dbt is building: the raw tables are in the warehouse, or the run has none."""
        raw_is_done = self.landed or not self.has_raw
        return bool(self.models_planned and self.running and raw_is_done)

    def take_reading(self, reading: ReadingProgress) -> None:
        """A reading is about to begin."""
        self.reading = reading

    def take_event(self, entry: EventLogEntry) -> None:
        """Dagster has recorded an event of the run."""
        event = entry.dagster_event
        if event is None:
            return
        kind, data = event.event_type, event.event_specific_data
        if kind is DagsterEventType.ASSET_MATERIALIZATION_PLANNED and event.asset_key is not None:
            self.planned.add(event.asset_key)
        elif kind is DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED and isinstance(data, AssetCheckEvaluationPlanned):
            self.checks_planned += 1
        elif kind is DagsterEventType.STEP_START:
            self.running = self.keys.plain_step(event.step_key or "")
            self.begun.add(self.running)
        elif kind is DagsterEventType.ASSET_MATERIALIZATION:
            self._materialized(event.step_materialization_data.materialization)
        elif kind is DagsterEventType.ASSET_CHECK_EVALUATION and isinstance(data, AssetCheckEvaluation):
            self.checks.append(data)
        elif kind is DagsterEventType.PIPELINE_SUCCESS:
            self.is_green = True
        elif kind is DagsterEventType.PIPELINE_CANCELED:
            self.is_interrupted = True
        elif kind in FAILURES:
            self._failed(event)

    def _materialized(self, materialization: AssetMaterialization) -> None:
        values = {name: value.value for name, value in materialization.metadata.items()}
        if materialization.asset_key == self.keys.report:
            self.report = values
            return
        if materialization.asset_key == self.keys.reader_copy:
            self.reader_copy = values
        if materialization.asset_key in self.keys.deliveries:
            self.delivery = values
            return
        if "dagster/row_count" not in values:
            return  # this event only marks a month as read; another one has the figures
        schema, name = self.keys.path(materialization.asset_key)
        if schema == RAW:
            self.landed[cast(ResourceName, name)] = _with_other_months(self.landed.get(cast(ResourceName, name)), values)
        else:
            self.models[materialization.asset_key] = values

    def _failed(self, event: DagsterEvent) -> None:
        if event.event_type is DagsterEventType.PIPELINE_FAILURE:
            data = event.job_failure_data
            self.is_interrupted |= data.failure_reason is RunFailureReason.UNEXPECTED_TERMINATION
            if not self.failed_steps and data.error is not None:
                self.failed_steps.append(FailedStep("run", _sentence(data.error), data.error.to_string()))
        elif event.event_type is DagsterEventType.STEP_FAILURE:
            failure = event.step_failure_data
            told = failure.user_failure_data.description if failure.user_failure_data else None
            story = failure.error.to_string() if failure.error else ""
            sentence = told or (_sentence(failure.error) if failure.error else event.message or "no reason given")
            self.failed_steps.append(FailedStep(self.keys.plain_step(event.step_key or ""), sentence, story))

    def resources(self) -> Iterator[ResourceProgress]:
        """The progress of each resource that is read: the selected ones and their parents."""
        reading = self.reading or ReadingProgress()
        for name in RESOURCE_NAMES:
            progress = reading.of(name, is_published=name in self.landed)
            if self.keys.raw(name) in self.planned or progress.state != "waiting":
                yield progress


def _with_other_months(others: MetadataValues | None, values: MetadataValues) -> MetadataValues:
    """The figures of a run over several months, each of which tells what became of its own rows."""
    if others is None:
        return values
    return {**values, **{name: cast(int, others[name]) + cast(int, values[name]) for name in FIGURES_OF_MONTHS}}


def _sentence(error: SerializableErrorInfo) -> str:
    """What the innermost error says, for an error without a sentence of its own."""
    while error.cause is not None:
        error = error.cause
    first_line = next(iter(error.message.strip().splitlines()), "")
    return first_line or error.cls_name or "an unknown error"
