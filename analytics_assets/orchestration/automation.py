"""Declarative automation: the dbt models and the report follow the raw assets by themselves.

When they follow belongs here; the assets take the condition where they are defined.
"""

from functools import cache
from typing import Final

from dagster import AssetKey, AssetSelection, AutomationCondition, AutomationConditionSensorDefinition, DefaultSensorStatus

from analytics_assets.orchestration.keys import Keys
from analytics_assets.warehouse.tables import RAW

SECONDS_BETWEEN: Final = 30

_BELOW_IS_NEW: Final = AutomationCondition.any_deps_match(AutomationCondition.newly_updated())


@cache
def follows_raw(keys: Keys) -> AutomationCondition[AssetKey]:
    """Built once after what it stands on has changed, or its SQL has, but not while either is being built.

    `AutomationCondition.eager()` holds back while a partition upstream was never materialized: one month of history that is
    missing, and from the first of each month on the new one, would stop all marts without a word. Here a mart waits only for
    models that were never built, which dbt needs. The staging views have the condition too, although they hold no data: a mart
    looks at what stands directly below it and no further. All that is due in one tick is one run, and a sync that builds the
    marts itself leaves nothing due.

    What is new below is newer than the last build, and than the last request, so that a build that fails is not asked for
    again and again. Each `since` compares two plain conditions: only then does Dagster look at when the two happened. With
    `any_deps_updated().since_last_handled()` it forgot a change of which it learnt in the same tick as of a build, so that a
    raw asset that was materialized half a minute after a sync left the marts as they were. At worst, in a tick at the very end
    of a sync, something is built once more than it had to be.

    Args:
        keys: what the assets are called.
    """
    return (
        (
            (
                _BELOW_IS_NEW.since(AutomationCondition.newly_updated())
                & _BELOW_IS_NEW.since(AutomationCondition.newly_requested())
            )
            | AutomationCondition.any_deps_match(AutomationCondition.will_be_requested())
            | AutomationCondition.code_version_changed().since_last_handled()
        )
        & ~AutomationCondition.any_deps_missing().ignore(AssetSelection.groups(keys.group(RAW)))
        & ~AutomationCondition.any_deps_in_progress()
        & ~AutomationCondition.in_progress()
    ).with_label("follows_raw")


def build_marts_follow_raw(keys: Keys, *layers: str) -> AutomationConditionSensorDefinition:
    """The sensor that evaluates the condition; on, because it asks the API for nothing.

    Args:
        keys: what the assets are called.
        layers: those of the assets with the condition.
    """
    return AutomationConditionSensorDefinition(
        "marts_follow_raw",
        target=AssetSelection.groups(*map(keys.group, layers)),
        minimum_interval_seconds=SECONDS_BETWEEN,
        default_status=DefaultSensorStatus.RUNNING,
        description="Twice a minute: builds staging, marts and report in one run where raw assets have changed and no sync "
        "builds them, for example after a backfill or after a raw asset was materialized by hand; also after an update of this "
        "project that changes their SQL. It is on because it asks the API for nothing, and figures that stand on old rows "
        "look right.",
    )
