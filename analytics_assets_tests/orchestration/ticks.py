"""One tick of a sensor, as the daemon evaluates it."""

from dagster import DagsterInstance, Definitions, SensorDefinition, SensorEvaluationContext
from dagster._core.definitions.sensor_definition import SensorExecutionData
from dagster._core.remote_origin import GrpcServerCodeLocationOrigin

LABEL = "__repository__@here"
"""Of the runs that belong to the code location of the ticks."""


def tick(
    sensor: SensorDefinition, definitions: Definitions, instance: DagsterInstance, cursor: str | None = None
) -> SensorExecutionData:
    """What a sensor decides."""
    context = SensorEvaluationContext(
        instance_ref=None,
        last_tick_completion_time=None,
        last_run_key=None,
        cursor=cursor,
        repository_name="__repository__",
        instance=instance,
        definitions=definitions,
        resources=definitions.resources,
        code_location_origin=GrpcServerCodeLocationOrigin(host="localhost", port=1, location_name="here"),
    )
    return sensor.evaluate_tick(context)
